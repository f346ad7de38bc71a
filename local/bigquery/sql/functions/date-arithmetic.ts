import type { Call, Expression } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid } from '../errors.ts';
import { bindOnce, type Fragment } from '../fragment.ts';
import { expectArguments } from '../resolve-call.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { typeName } from '../types.ts';
import {
  type DatePart,
  datePartOf,
  expectType,
  instantOf,
  microsOf,
  noPart,
  resolveZone,
  truncateDate,
  wallOf,
  type Zone,
} from './date-part.ts';

/** Functions that add, subtract and truncate dates and times. */

type Special = (call: Call, scope: Scope) => Fragment;
type Dated = 'DATE' | 'TIMESTAMP' | 'DATETIME' | 'TIME';

export const dateArithmetic: [string, Special][] = (
  ['DATE', 'TIMESTAMP', 'DATETIME', 'TIME'] as const
).flatMap((kind): [string, Special][] => [
  [`${kind}_ADD`, (call, scope) => add(call, scope, kind, false)],
  [`${kind}_SUB`, (call, scope) => add(call, scope, kind, true)],
  [`${kind}_DIFF`, (call, scope) => difference(call, scope, kind)],
  [`${kind}_TRUNC`, (call, scope) => truncate(call, scope, kind)],
]);

function add(call: Call, scope: Scope, kind: Dated, negative: boolean): Fragment {
  const [first, second] = expectArguments(call, 2, 2);
  const operand = resolveExpression(first!, scope);
  const adapted =
    kind === 'DATE' && operand.type.kind === 'TIMESTAMP' ? operand : coerce(operand, { kind }, call.at);
  if (!adapted || operand.type.kind === 'NULL') {
    if (adapted) return adapted;
    // DATE_ADD takes what it can add to, whatever its name says.
    if (operand.type.kind !== 'DATETIME' || kind !== 'DATE') {
      throw invalid(
        `No matching signature for function ${call.name} for argument types: ${typeName(operand.type)}, INTERVAL`,
        call.at,
      );
    }
  }
  if (second!.kind !== 'interval') throw invalid('Expected INTERVAL expression', second!.at);
  return addInterval(
    adapted ?? operand,
    second as Expression & { kind: 'interval' },
    negative,
    scope,
    call.name,
    call.at,
  );
}

/** `operand + INTERVAL n PART`. */
export function addInterval(
  operand: Fragment,
  interval: Expression & { kind: 'interval' },
  negative: boolean,
  scope: Scope,
  name = 'Operator +',
  at = interval.at,
): Fragment {
  const part: DatePart = { name: interval.part.text.toUpperCase(), weekStart: 0, at: interval.part.at };
  const amount = expectType(resolveExpression(interval.value, scope), 'INT64', name, interval.at);
  const signed = negative ? `(-${amount})` : amount;
  const { kind } = operand.type;
  const micros = microsOf[part.name];
  if (kind === 'TIMESTAMP') {
    if (!micros) throw noPart(name, part, at, kind);
    return { sql: `gs_timestamp(epoch_us(${operand.sql}) + ${signed} * ${micros})`, type: operand.type };
  }
  if (kind === 'TIME') {
    if (!micros || part.name === 'DAY') throw noPart(name, part, at, kind);
    return { sql: `(${operand.sql} + to_microseconds(${signed} * ${micros}))`, type: operand.type };
  }
  const months = { MONTH: 1, QUARTER: 3, YEAR: 12 }[part.name];
  const days = { DAY: 1, WEEK: 7 }[part.name];
  if (kind === 'DATE' && (months || days)) {
    const step = months
      ? `to_months(CAST(${signed} * ${months} AS INTEGER))`
      : `to_days(CAST(${signed} * ${days} AS INTEGER))`;
    const sum = `CAST(${operand.sql} + ${step} AS DATE)`;
    return { sql: bindOnce([sum], ([date]) => `gs_date(${date})`), type: operand.type };
  }
  if (kind === 'DATETIME' && (months || days || micros)) {
    const step = months
      ? `to_months(CAST(${signed} * ${months} AS INTEGER))`
      : days
        ? `to_days(CAST(${signed} * ${days} AS INTEGER))`
        : `to_microseconds(${signed} * ${micros})`;
    return { sql: `(${operand.sql} + ${step})`, type: operand.type };
  }
  if (kind !== 'DATE' && kind !== 'DATETIME')
    throw invalid(`${name} does not take ${typeName(operand.type)} and INTERVAL`, interval.at);
  throw noPart(name, part, at, kind);
}

function difference(call: Call, scope: Scope, kind: Dated): Fragment {
  const [first, second, third] = expectArguments(call, 3, 3) as [Expression, Expression, Expression];
  const part = datePartOf(third);
  const operands = [first, second].map((expression) => {
    const operand = resolveExpression(expression, scope);
    return expectType(operand, kind, call.name, expression.at);
  });
  const type = { kind: 'INT64' } as const;
  const micros = microsOf[part.name];
  if (kind === 'TIMESTAMP') {
    if (!micros) throw noPart(call.name, part, call.at, kind);
    // Whole units, never boundaries.
    return { sql: `((epoch_us(${operands[0]}) - epoch_us(${operands[1]})) // ${micros})`, type };
  }
  if (kind === 'TIME') {
    if (!micros || part.name === 'DAY') throw noPart(call.name, part, call.at, kind);
    const [a, b] = operands.map((operand) => `epoch_us(DATE '1970-01-01' + ${operand})`);
    return { sql: `(${a} // ${micros} - ${b} // ${micros})`, type };
  }
  if (kind === 'DATETIME' && micros) {
    return { sql: `date_diff('${part.name.toLowerCase()}', ${operands[1]}, ${operands[0]})`, type };
  }
  const days = kind === 'DATETIME' ? operands.map((operand) => `CAST(${operand} AS DATE)`) : operands;
  const sql = bindOnce(days, ([a, b]) => {
    switch (part.name) {
      case 'DAY':
        return `CAST(${a} - ${b} AS BIGINT)`;
      case 'WEEK':
      case 'ISOWEEK':
        return `CAST((${truncateDate(a!, part)} - ${truncateDate(b!, part)}) // 7 AS BIGINT)`;
      case 'MONTH':
      case 'QUARTER':
      case 'YEAR':
        return `date_diff('${part.name.toLowerCase()}', ${b}, ${a})`;
      case 'ISOYEAR':
        return `CAST(isoyear(${a}) - isoyear(${b}) AS BIGINT)`;
      default:
        throw noPart(call.name, part, call.at, kind);
    }
  });
  return { sql: `(${sql})`, type };
}

function truncate(call: Call, scope: Scope, name: Dated): Fragment {
  const [first, second, third] = expectArguments(call, 2, 3) as [
    Expression,
    Expression,
    Expression | undefined,
  ];
  const part = datePartOf(second);
  const operand = resolveExpression(first, scope);
  // DATE_TRUNC and the others take each other's types.
  const kind: Dated =
    (['DATE', 'TIMESTAMP', 'DATETIME', 'TIME'] as const).find(
      (candidate) =>
        candidate === operand.type.kind && (name === 'DATE' || name === 'TIMESTAMP' || name === 'DATETIME'),
    ) ?? name;
  if (third && kind !== 'TIMESTAMP')
    throw invalid(`${call.name} takes a time zone only with a TIMESTAMP`, third.at);
  const sql = expectType(operand, kind, call.name, first.at);
  return { sql: truncated(sql, kind, part, resolveZone(third, scope), call), type: { kind } };
}

function truncated(sql: string, kind: Dated, part: DatePart, zone: Zone, call: Call): string {
  if (kind === 'DATE') {
    const date = bindOnce([sql], ([operand]) => truncateDate(operand!, part) ?? fail(call, part));
    return `(${date})`;
  }
  const micros = microsOf[part.name];
  if (kind === 'TIME') {
    if (!micros || part.name === 'DAY') throw noPart(call.name, part, call.at, kind);
    return `CAST(date_trunc('${part.name.toLowerCase()}', DATE '1970-01-01' + ${sql}) AS TIME)`;
  }
  if (
    kind === 'TIMESTAMP' &&
    micros &&
    ((part.name !== 'DAY' && part.name !== 'HOUR') || (zone.kind === 'offset' && zone.minutes === 0))
  ) {
    const floor = bindOnce(
      [`epoch_us(${sql})`],
      ([us]) => `make_timestamptz(${us} - ((${us} % ${micros}) + ${micros}) % ${micros})`,
    );
    return `(${floor})`;
  }
  const wall = kind === 'TIMESTAMP' ? wallOf(sql, zone) : sql;
  const day = (operand: string): string => {
    if (micros) return `date_trunc('${part.name.toLowerCase()}', ${operand})`;
    const date = truncateDate(`CAST(${operand} AS DATE)`, part) ?? fail(call, part);
    return `CAST(${date} AS TIMESTAMP)`;
  };
  if (kind === 'DATETIME') return `(${bindOnce([wall], ([operand]) => day(operand!))})`;
  if (part.name === 'HOUR' && zone.kind === 'named') {
    // In the hour that comes twice the clock alone does not tell which it is.
    return bindOnce(
      [sql],
      ([operand]) =>
        `(${operand} - (${wallOf(operand!, zone)} - date_trunc('hour', ${wallOf(operand!, zone)})))`,
    );
  }
  const start = bindOnce([wall], ([operand]) => day(operand!));
  return bindOnce([start], ([operand]) => instantOf(operand!, zone));
}

function fail(call: Call, part: DatePart): never {
  throw noPart(call.name, part, call.at);
}
