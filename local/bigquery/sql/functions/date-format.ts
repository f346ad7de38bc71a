import type { Call, Expression } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid, unsupported } from '../errors.ts';
import { bindOnce, type Fragment, quoteString } from '../fragment.ts';
import { expectArguments } from '../resolve-call.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { expectType, instantOf, resolveZone, utc, wallOf, type Zone } from './date-part.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time */

type Special = (call: Call, scope: Scope) => Fragment;
type Dated = 'DATE' | 'TIMESTAMP' | 'DATETIME';

export const dateFormats: [string, Special][] = (['DATE', 'TIMESTAMP', 'DATETIME'] as const).flatMap(
  (kind): [string, Special][] => [
    [`FORMAT_${kind}`, (call, scope) => format(call, scope, kind)],
    [`PARSE_${kind}`, (call, scope) => parse(call, scope, kind)],
  ],
);

function constantFormat(expression: Expression, call: Call, scope: Scope): string {
  const { value } = resolveExpression(expression, scope);
  if (typeof value === 'string') return value;
  throw unsupported(`${call.name} with a format that is no constant`, expression.at);
}

function format(call: Call, scope: Scope, kind: Dated): Fragment {
  const [pattern, second, third] = expectArguments(call, 2, kind === 'TIMESTAMP' ? 3 : 2) as [
    Expression,
    Expression,
    Expression | undefined,
  ];
  const elements = splitFormat(constantFormat(pattern, call, scope));
  const operand = resolveExpression(second, scope);
  const adapted =
    kind === 'DATE' && (operand.type.kind === 'TIMESTAMP' || operand.type.kind === 'DATETIME')
      ? operand
      : operand;
  const zone = resolveZone(third, scope);
  const sql = expectType(adapted, kind, call.name, second.at);
  const wall = kind === 'TIMESTAMP' ? wallOf(sql, zone) : `CAST(${sql} AS TIMESTAMP)`;
  const text = bindOnce([wall], ([bound]) => {
    const pieces = elements.map((element) => formatElement(element, bound!, kind, zone, call));
    // The empty format of NULL is NULL too.
    return `CASE WHEN ${bound} IS NOT NULL THEN ${pieces.join(' || ') || "''"} END`;
  });
  return { sql: `(${text})`, type: { kind: 'STRING' } };
}

/** `%Y`, `%E*S`, or text between elements. */
function splitFormat(pattern: string): string[] {
  return pattern.match(/%E(?:\*S|\dS|4Y|z)|%O\w|%[\s\S]|[^%]+|%/g) ?? [];
}

const pad = (value: string, width = 2): string => `printf('%0${width}d', CAST(${value} AS BIGINT))`;
const padSpace = (value: string): string => `printf('%2d', CAST(${value} AS BIGINT))`;

const formatted: Record<string, (wall: string) => string> = {
  '%Y': (wall) => `CAST(year(${wall}) AS VARCHAR)`,
  '%E4Y': (wall) => pad(`year(${wall})`, 4),
  '%y': (wall) => pad(`year(${wall}) % 100`),
  '%C': (wall) => pad(`year(${wall}) // 100`),
  '%m': (wall) => pad(`month(${wall})`),
  '%d': (wall) => pad(`day(${wall})`),
  '%e': (wall) => padSpace(`day(${wall})`),
  '%j': (wall) => pad(`dayofyear(${wall})`, 3),
  '%H': (wall) => pad(`hour(${wall})`),
  '%k': (wall) => padSpace(`hour(${wall})`),
  '%I': (wall) => pad(`(hour(${wall}) + 11) % 12 + 1`),
  '%l': (wall) => padSpace(`(hour(${wall}) + 11) % 12 + 1`),
  '%M': (wall) => pad(`minute(${wall})`),
  '%S': (wall) => pad(`second(${wall})`),
  '%p': (wall) => `CASE WHEN hour(${wall}) < 12 THEN 'AM' ELSE 'PM' END`,
  '%P': (wall) => `CASE WHEN hour(${wall}) < 12 THEN 'am' ELSE 'pm' END`,
  '%B': (wall) => `monthname(${wall})`,
  '%b': (wall) => `left(monthname(${wall}), 3)`,
  '%h': (wall) => `left(monthname(${wall}), 3)`,
  '%A': (wall) => `dayname(${wall})`,
  '%a': (wall) => `left(dayname(${wall}), 3)`,
  '%u': (wall) => `CAST(isodow(${wall}) AS VARCHAR)`,
  '%w': (wall) => `CAST(dayofweek(${wall}) AS VARCHAR)`,
  '%U': (wall) => pad(`(dayofyear(${wall}) + 6 - dayofweek(${wall})) // 7`),
  '%W': (wall) => pad(`(dayofyear(${wall}) + 6 - (dayofweek(${wall}) + 6) % 7) // 7`),
  '%V': (wall) => pad(`weekofyear(${wall})`),
  '%G': (wall) => `CAST(isoyear(${wall}) AS VARCHAR)`,
  '%g': (wall) => pad(`isoyear(${wall}) % 100`),
  '%Q': (wall) => `CAST(quarter(${wall}) AS VARCHAR)`,
  '%n': () => 'chr(10)',
  '%t': () => 'chr(9)',
  '%%': () => "'%'",
  '%E*S': (wall) =>
    `${pad(`second(${wall})`)} || regexp_replace(regexp_replace(printf('.%06d', CAST(microsecond(${wall}) % 1000000 AS BIGINT)), '0+$', ''), '\\.$', '')`,
};

const composed: Record<string, string> = {
  '%F': '%Y-%m-%d',
  '%T': '%H:%M:%S',
  '%R': '%H:%M',
  '%D': '%m/%d/%y',
  '%x': '%m/%d/%y',
  '%X': '%H:%M:%S',
  '%c': '%a %b %e %H:%M:%S %Y',
};

function formatElement(element: string, wall: string, kind: Dated, zone: Zone, call: Call): string {
  if (!element.startsWith('%')) return quoteString(element);
  const parts = composed[element];
  if (parts)
    return `(${splitFormat(parts)
      .map((part) => formatElement(part, wall, kind, zone, call))
      .join(' || ')})`;
  if (kind === 'DATE' && /^%(H|k|I|l|M|S|p|P|E.S)$/.test(element))
    throw unsupported(`Format element ${element} of a DATE`, call.at);
  const simple = formatted[element];
  if (simple) return `(${simple(wall)})`;
  const digits = /^%E([1-6])S$/.exec(element)?.[1];
  if (digits)
    return `(${pad(`second(${wall})`)} || left(printf('.%06d', CAST(microsecond(${wall}) % 1000000 AS BIGINT)), ${Number(digits) + 1}))`;
  if (kind === 'TIMESTAMP' && zone.kind === 'offset') {
    const offset = `${zone.minutes < 0 ? '-' : '+'}${String(Math.floor(Math.abs(zone.minutes) / 60)).padStart(2, '0')}`;
    const minutes = String(Math.abs(zone.minutes) % 60).padStart(2, '0');
    if (element === '%z') return `'${offset}${minutes}'`;
    if (element === '%Ez') return `'${offset}:${minutes}'`;
    if (zone === utc && element === '%Z') return "'UTC'";
    if (zone === utc && element === '%s') return `CAST(gs_floor_div(epoch_us(${wall}), 1000000) AS VARCHAR)`;
  }
  throw unsupported(`Format element ${element}`, call.at);
}

const parsed = new Set([
  '%Y',
  '%m',
  '%d',
  '%H',
  '%M',
  '%S',
  '%y',
  '%b',
  '%B',
  '%h',
  '%p',
  '%I',
  '%j',
  '%e',
  '%z',
  '%Ez',
  '%E4Y',
  '%E*S',
  '%E3S',
  '%E6S',
  '%%',
]);
const duckdbNames: Record<string, string> = {
  '%e': '%d',
  '%h': '%b',
  '%Ez': '%z',
  '%E4Y': '%Y',
  '%E*S': '%S.%f',
  '%E3S': '%S.%f',
  '%E6S': '%S.%f',
};

function parse(call: Call, scope: Scope, kind: Dated): Fragment {
  const [pattern, second, third] = expectArguments(call, 2, kind === 'TIMESTAMP' ? 3 : 2) as [
    Expression,
    Expression,
    Expression | undefined,
  ];
  const elements = splitFormat(constantFormat(pattern, call, scope)).flatMap((element) =>
    composed[element] ? splitFormat(composed[element]) : [element],
  );
  for (const element of elements) {
    if (element.startsWith('%') && !parsed.has(element))
      throw unsupported(`Format element ${element} in ${call.name}`, call.at);
  }
  const text = coerce(resolveExpression(second, scope), { kind: 'STRING' }, second.at);
  if (!text) throw invalid(`${call.name} takes a STRING`, second.at);
  const whole = elements.map((element) => duckdbNames[element] ?? element).join('');
  const formats = [whole, ...(whole.includes('%S.%f') ? [whole.replace('%S.%f', '%S')] : [])].map(
    quoteString,
  );
  const value = bindOnce(
    [text.sql],
    ([bound]) => `CASE WHEN ${bound} IS NOT NULL THEN strptime(trim(${bound}), [${formats.join(', ')}]) END`,
  );
  if (kind === 'DATE') return { sql: `CAST((${value}) AS DATE)`, type: { kind } };
  if (kind === 'DATETIME') return { sql: `CAST((${value}) AS TIMESTAMP)`, type: { kind } };
  if (whole.includes('%z')) return { sql: `CAST((${value}) AS TIMESTAMPTZ)`, type: { kind } };
  return {
    sql: bindOnce([`(${value})`], ([bound]) => instantOf(bound!, resolveZone(third, scope))),
    type: { kind },
  };
}
