import type { Expression } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid, type Position } from '../errors.ts';
import { type Fragment, quoteString } from '../fragment.ts';
import { isZoneName, parseOffset } from '../literals.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { typeName } from '../types.ts';

/** A date part as written: `DAY`, or `WEEK(MONDAY)` whose first day counts from Sunday = 0. */
export interface DatePart {
  name: string;
  weekStart: number;
  at: Position;
}

const weekdays = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];

export function datePartOf(expression: Expression): DatePart {
  const { at } = expression;
  if (expression.kind === 'path' && expression.names.length === 1) {
    return { name: expression.names[0]!.text.toUpperCase(), weekStart: 0, at };
  }
  if (expression.kind === 'call' && expression.name === 'WEEK' && expression.arguments.length === 1) {
    const [day] = expression.arguments;
    const name = day?.kind === 'path' ? day.names[0]!.text.toUpperCase() : '';
    const weekStart = weekdays.indexOf(name);
    if (weekStart < 0) throw invalid(`Invalid weekday: ${name}`, at);
    return { name: 'WEEK', weekStart, at };
  }
  // A bare call as in EXTRACT(DATE FROM ...) reads as a typed name elsewhere.
  throw invalid('A valid date part name is required', at);
}

const knownParts =
  /^(NANOSECOND|MICROSECOND|MILLISECOND|SECOND|MINUTE|HOUR|DAY|DAYOFWEEK|DAYOFYEAR|WEEK|ISOWEEK|MONTH|QUARTER|YEAR|ISOYEAR|DATE|TIME|DATETIME)$/;

/** What a function answers to a part it does not take. */
export function noPart(name: string, part: DatePart, at: Position = part.at, kind?: string): Error {
  if (!knownParts.test(part.name))
    return invalid(`A valid date part name is required but found ${part.name}`, part.at);
  const when = kind ? ` when the argument is ${kind} type` : '';
  return invalid(`${name} does not support the ${part.name} date part${when}`, at);
}

/** Microseconds of the parts that are always equally long. */
export const microsOf: Record<string, number> = {
  MICROSECOND: 1,
  MILLISECOND: 1_000,
  SECOND: 1_000_000,
  MINUTE: 60_000_000,
  HOUR: 3_600_000_000,
  DAY: 86_400_000_000,
};

/** A time zone: known, or an expression of type STRING. */
export type Zone = { kind: 'offset'; minutes: number } | { kind: 'named'; sql: string };

export const utc: Zone = { kind: 'offset', minutes: 0 };

export function resolveZone(expression: Expression | undefined, scope: Scope): Zone {
  if (!expression) return utc;
  const fragment = coerce(resolveExpression(expression, scope), { kind: 'STRING' }, expression.at);
  if (!fragment) throw invalid('A time zone must be of type STRING', expression.at);
  const { value } = fragment;
  if (typeof value !== 'string') return { kind: 'named', sql: fragment.sql };
  if (/^(UTC|Etc\/UTC|GMT)$/i.test(value)) return utc;
  const minutes = parseOffset(value);
  if (minutes !== undefined) return { kind: 'offset', minutes };
  if (!isZoneName(value)) throw invalid(`Invalid time zone: ${value}`, expression.at);
  return { kind: 'named', sql: quoteString(value) };
}

/** The wall clock of an instant. */
export function wallOf(instant: string, zone: Zone): string {
  if (zone.kind === 'named') return `(${instant} AT TIME ZONE ${zone.sql})`;
  const wall = `(${instant} AT TIME ZONE 'UTC')`;
  return zone.minutes === 0 ? wall : `(${wall} + INTERVAL (${zone.minutes}) MINUTE)`;
}

/** The instant of a wall clock. */
export function instantOf(wall: string, zone: Zone): string {
  if (zone.kind === 'named') return `gs_instant_of_wall(${wall}, ${zone.sql})`;
  const shifted = zone.minutes === 0 ? wall : `(${wall} - INTERVAL (${zone.minutes}) MINUTE)`;
  return `(${shifted} AT TIME ZONE 'UTC')`;
}

/** The first day of the period a date lies in; undefined for a part that no date is truncated to. */
export function truncateDate(date: string, part: DatePart): string | undefined {
  switch (part.name) {
    case 'DAY':
      return date;
    case 'WEEK':
      return `CAST(${date} - CAST((dayofweek(${date}) - ${part.weekStart} + 7) % 7 AS INTEGER) AS DATE)`;
    case 'ISOWEEK':
      return `CAST(date_trunc('week', ${date}) AS DATE)`;
    case 'MONTH':
    case 'QUARTER':
    case 'YEAR':
      return `CAST(date_trunc('${part.name.toLowerCase()}', ${date}) AS DATE)`;
    case 'ISOYEAR':
      return `CAST(date_trunc('week', make_date(CAST(isoyear(${date}) AS BIGINT), 1, 4)) AS DATE)`;
    default:
      return undefined;
  }
}

export function expectType(
  fragment: Fragment,
  kind: 'DATE' | 'TIMESTAMP' | 'DATETIME' | 'TIME' | 'INT64' | 'STRING',
  name: string,
  at: Position,
): string {
  const coerced = coerce(fragment, { kind }, at);
  if (!coerced)
    throw invalid(
      `No matching signature for function ${name}: expected ${kind} but got ${typeName(fragment.type)}`,
      at,
    );
  return coerced.sql;
}
