import type { Call, Expression } from '../ast.ts';
import { castTo, coerce } from '../convert.ts';
import { invalid, unsupported } from '../errors.ts';
import { bindOnce, type Fragment } from '../fragment.ts';
import { dateLiteral, timestampLiteral } from '../literals.ts';
import { expectArguments } from '../resolve-call.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { typeName } from '../types.ts';
import {
  datePartOf,
  expectType,
  instantOf,
  microsOf,
  noPart,
  resolveZone,
  truncateDate,
  wallOf,
} from './date-part.ts';
import { type Emit, type Signature, signature } from './signature.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/timestamp_functions and its sisters for dates. */

type Special = (call: Call, scope: Scope) => Fragment;

const micros =
  (unit: number): Emit =>
  (value) =>
    `gs_timestamp(${value} * ${unit})`;
// Rounds towards the past, as GoogleSQL does before 1970.
const since =
  (unit: number): Emit =>
  (value) =>
    `gs_floor_div(epoch_us(${value}), ${unit})`;

export const dateSignatures: Signature[] = [
  signature('TIMESTAMP_MICROS(INT64) -> TIMESTAMP', micros(1)),
  signature('TIMESTAMP_MILLIS(INT64) -> TIMESTAMP', micros(1_000)),
  signature('TIMESTAMP_SECONDS(INT64) -> TIMESTAMP', micros(1_000_000)),
  signature('UNIX_MICROS(TIMESTAMP) -> INT64', (value) => `epoch_us(${value})`),
  signature('UNIX_MILLIS(TIMESTAMP) -> INT64', since(1_000)),
  signature('UNIX_SECONDS(TIMESTAMP) -> INT64', since(1_000_000)),
  signature('UNIX_DATE(DATE) -> INT64', (value) => `CAST(${value} - DATE '1970-01-01' AS BIGINT)`),
  signature(
    'DATE_FROM_UNIX_DATE(INT64) -> DATE',
    (value) => `CAST(DATE '1970-01-01' + CAST(${value} AS INTEGER) AS DATE)`,
  ),
  signature(
    'TIME(INT64, INT64, INT64) -> TIME',
    (hour, minute, second) => `make_time(${hour}, ${minute}, CAST(${second} AS DOUBLE))`,
  ),
];

export const dateSpecials: [string, Special][] = [
  [
    'CURRENT_TIMESTAMP',
    (call, scope) => {
      expectArguments(call, 0, 0);
      return { ...timestampLiteral(nowMicros(scope)), literal: false };
    },
  ],
  [
    'CURRENT_DATE',
    (call, scope) => {
      const [zone] = expectArguments(call, 0, 1);
      const now = timestampLiteral(nowMicros(scope)).sql;
      if (zone)
        return { sql: `CAST(${wallOf(now, resolveZone(zone, scope))} AS DATE)`, type: { kind: 'DATE' } };
      return { ...dateLiteral(Math.floor(scope.context.now.getTime() / 86_400_000)), literal: false };
    },
  ],
  [
    'CURRENT_DATETIME',
    (call, scope) => {
      const [zone] = expectArguments(call, 0, 1);
      return {
        sql: wallOf(timestampLiteral(nowMicros(scope)).sql, resolveZone(zone, scope)),
        type: { kind: 'DATETIME' },
      };
    },
  ],
  [
    'CURRENT_TIME',
    (call, scope) => {
      const [zone] = expectArguments(call, 0, 1);
      return {
        sql: `CAST(${wallOf(timestampLiteral(nowMicros(scope)).sql, resolveZone(zone, scope))} AS TIME)`,
        type: { kind: 'TIME' },
      };
    },
  ],
  ['TIMESTAMP', toTimestamp],
  ['DATE', toDate],
  ['DATETIME', toDatetime],
  ['LAST_DAY', lastDay],
  ['GENERATE_DATE_ARRAY', (call, scope) => generate(call, scope, 'DATE')],
  ['GENERATE_TIMESTAMP_ARRAY', (call, scope) => generate(call, scope, 'TIMESTAMP')],
  ['STRING', toStringFrom],
];

const nowMicros = (scope: Scope): bigint => BigInt(scope.context.now.getTime()) * 1000n;

function noMatch(call: Call, operands: Fragment[]): Error {
  return invalid(
    `No matching signature for function ${call.name} for argument types: ${operands.map(({ type }) => typeName(type)).join(', ')}`,
    call.at,
  );
}

function toTimestamp(call: Call, scope: Scope): Fragment {
  const [first, zoneExpression] = expectArguments(call, 1, 2) as [Expression, Expression | undefined];
  const operand = resolveExpression(first, scope);
  const zone = resolveZone(zoneExpression, scope);
  const type = { kind: 'TIMESTAMP' } as const;
  switch (operand.type.kind) {
    case 'TIMESTAMP':
      if (zoneExpression) throw noMatch(call, [operand]);
      return operand;
    case 'NULL':
      return coerce(operand, type, call.at)!;
    case 'STRING': {
      if (!zoneExpression) return { ...castTo(operand, type, false, call.at), literal: false };
      const wall = castTo(operand, { kind: 'DATETIME' }, false, call.at);
      return { sql: bindOnce([wall.sql], ([bound]) => instantOf(bound!, zone)), type };
    }
    case 'DATE':
    case 'DATETIME':
      return {
        sql: bindOnce([`CAST(${operand.sql} AS TIMESTAMP)`], ([bound]) => instantOf(bound!, zone)),
        type,
      };
    default:
      throw noMatch(call, [operand]);
  }
}

function toDate(call: Call, scope: Scope): Fragment {
  const [first, second, third] = expectArguments(call, 1, 3) as [
    Expression,
    Expression | undefined,
    Expression | undefined,
  ];
  const operand = resolveExpression(first, scope);
  const type = { kind: 'DATE' } as const;
  if (third) {
    const parts = [first, second!, third].map((expression) =>
      expectType(resolveExpression(expression, scope), 'INT64', call.name, expression.at),
    );
    return { sql: `make_date(${parts.join(', ')})`, type };
  }
  switch (operand.type.kind) {
    case 'TIMESTAMP':
      return { sql: `CAST(${wallOf(operand.sql, resolveZone(second, scope))} AS DATE)`, type };
    case 'STRING':
      if (second) {
        const instant = castTo(operand, { kind: 'TIMESTAMP' }, false, call.at);
        return { sql: `CAST(${wallOf(instant.sql, resolveZone(second, scope))} AS DATE)`, type };
      }
      return { ...castTo(operand, type, false, call.at), literal: false };
    case 'NULL':
    case 'DATE':
    case 'DATETIME':
      if (second) throw noMatch(call, [operand, resolveExpression(second, scope)]);
      return castTo(operand, type, false, call.at);
    default:
      throw noMatch(call, [operand]);
  }
}

function toDatetime(call: Call, scope: Scope): Fragment {
  const expressions = expectArguments(call, 1, 6);
  const type = { kind: 'DATETIME' } as const;
  if (expressions.length === 6) {
    const parts = expressions.map((expression) =>
      expectType(resolveExpression(expression, scope), 'INT64', call.name, expression.at),
    );
    return { sql: `make_timestamp(${parts.slice(0, 5).join(', ')}, CAST(${parts[5]} AS DOUBLE))`, type };
  }
  if (expressions.length > 2)
    throw invalid(`Number of arguments does not match for function DATETIME`, call.at);
  const [first, second] = expressions as [Expression, Expression | undefined];
  const operand = resolveExpression(first, scope);
  if (operand.type.kind === 'TIMESTAMP')
    return { sql: wallOf(operand.sql, resolveZone(second, scope)), type };
  if (!second) return { ...castTo(operand, type, false, call.at), literal: false };
  const time = resolveExpression(second, scope);
  if (operand.type.kind !== 'DATE' || time.type.kind !== 'TIME') throw noMatch(call, [operand, time]);
  return { sql: `(${operand.sql} + ${time.sql})`, type };
}

function lastDay(call: Call, scope: Scope): Fragment {
  const [first, second] = expectArguments(call, 1, 2) as [Expression, Expression | undefined];
  const operand = resolveExpression(first, scope);
  const date =
    operand.type.kind === 'DATETIME'
      ? `CAST(${operand.sql} AS DATE)`
      : expectType(operand, 'DATE', call.name, first.at);
  const part = second ? datePartOf(second) : { name: 'MONTH', weekStart: 0, at: call.at };
  const steps: Record<string, string> = {
    WEEK: 'INTERVAL 7 DAY',
    ISOWEEK: 'INTERVAL 7 DAY',
    MONTH: 'INTERVAL 1 MONTH',
    QUARTER: 'INTERVAL 3 MONTH',
    YEAR: 'INTERVAL 1 YEAR',
  };
  const step = steps[part.name];
  if (!step) throw noPart(call.name, part);
  return {
    sql: `CAST(${bindOnce([date], ([bound]) => `${truncateDate(bound!, part)} + ${step} - INTERVAL 1 DAY`)} AS DATE)`,
    type: { kind: 'DATE' },
  };
}

function generate(call: Call, scope: Scope, kind: 'DATE' | 'TIMESTAMP'): Fragment {
  const [first, last, third] = expectArguments(call, 2, 3) as [
    Expression,
    Expression,
    Expression | undefined,
  ];
  const bounds = [first, last].map((expression) =>
    expectType(resolveExpression(expression, scope), kind, call.name, expression.at),
  );
  if (third && third.kind !== 'interval')
    throw invalid(`${call.name} requires an INTERVAL as its third argument`, third.at);
  if (!third && kind === 'TIMESTAMP')
    throw invalid(`Number of arguments does not match for function ${call.name}: expected 3, got 2`, call.at);
  const part = third?.part.text.toUpperCase() ?? 'DAY';
  const amount = third ? resolveExpression(third.value, scope).value : 1n;
  if (typeof amount !== 'bigint') throw unsupported(`${call.name} with a step that is no constant`, call.at);
  if (amount === 0n) throw invalid('Sequence step cannot be 0.', call.at);
  const units: Record<string, [bigint, string]> =
    kind === 'DATE'
      ? {
          DAY: [1n, 'days'],
          WEEK: [7n, 'days'],
          MONTH: [1n, 'months'],
          QUARTER: [3n, 'months'],
          YEAR: [12n, 'months'],
        }
      : Object.fromEntries(
          Object.entries(microsOf).map(([name, length]) => [name, [BigInt(length), 'microseconds']]),
        );
  const unit = units[part];
  if (!unit) throw noPart(call.name, { name: part, weekStart: 0, at: third?.at ?? call.at });
  const count = amount * unit[0];
  const step = `to_${unit[1]}(CAST(${count} AS ${unit[1] === 'microseconds' ? 'BIGINT' : 'INTEGER'}))`;
  const element = kind === 'DATE' ? 'DATE' : 'TIMESTAMPTZ';
  const type = { kind: 'ARRAY', element: { kind } } as const;
  const series = kind === 'DATE' ? 'TIMESTAMP' : element;
  const [from, to] = bounds.map((bound) => `CAST(${bound} AS ${series})`);
  return { sql: `CAST(generate_series(${from}, ${to}, ${step}) AS ${element}[])`, type };
}

/** STRING of a timestamp with a zone, of a date, or of a JSON string. */
function toStringFrom(call: Call, scope: Scope): Fragment {
  const [first, second] = expectArguments(call, 1, 2) as [Expression, Expression | undefined];
  const operand = resolveExpression(first, scope);
  const type = { kind: 'STRING' } as const;
  if (operand.type.kind === 'JSON' && !second)
    return { sql: bindOnce([operand.sql], ([json]) => `gs_json_string(${json})`), type };
  if (second && operand.type.kind === 'TIMESTAMP') {
    const zone = resolveZone(second, scope);
    if (zone.kind === 'offset' && zone.minutes === 0) return castTo(operand, type, false, call.at);
    throw unsupported('STRING of a TIMESTAMP in a time zone', call.at);
  }
  if (second || !['TIMESTAMP', 'DATE', 'DATETIME', 'TIME'].includes(operand.type.kind))
    throw noMatch(call, [operand]);
  return castTo(operand, type, false, call.at);
}
