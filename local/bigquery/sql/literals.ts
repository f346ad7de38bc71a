import { type Fragment, quoteString } from './fragment.ts';
import type { ScalarKind } from './types.ts';

/**
 * Dates and times as text, read while translating: GoogleSQL's canonical formats.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#timestamp_type
 */

const microsPerDay = 86_400_000_000n;
const datePattern = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const timePattern = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{0,9}))?$/;

/** Days since 1970-01-01; undefined when the text is no date. */
export function parseDate(text: string): number | undefined {
  const match = datePattern.exec(text);
  if (!match) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() / 86_400_000;
}

/** Microseconds since midnight. */
export function parseTime(text: string): bigint | undefined {
  const match = timePattern.exec(text);
  if (!match) return undefined;
  const [hour, minute, second] = match.slice(1, 4).map(Number) as [number, number, number];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = (match[4] ?? '').slice(0, 6).padEnd(6, '0');
  if (/[1-9]/.test((match[4] ?? '').slice(6))) return undefined;
  return BigInt((hour * 60 + minute) * 60 + second) * 1_000_000n + BigInt(fraction);
}

/** Microseconds since 1970-01-01 00:00:00 of the wall clock. */
export function parseDatetime(text: string): bigint | undefined {
  const match = /^(\S+?)(?:(?:[Tt]|\s+)(\S+))?$/.exec(text);
  if (!match) return undefined;
  const days = parseDate(match[1]!);
  const time = match[2] === undefined ? 0n : parseTime(match[2]);
  if (days === undefined || time === undefined) return undefined;
  return BigInt(days) * microsPerDay + time;
}

/** Microseconds since the epoch; a text without a zone is in UTC. */
export function parseTimestamp(text: string): bigint | undefined {
  const zoned = /^(.*?\d)(?:\s*([Zz])|\s*([+-]\d{1,2}(?::?\d{2})?)|\s+([A-Za-z][\w/+-]*))?$/s;
  const match = zoned.exec(text);
  if (!match) return undefined;
  let [, wall, , offset, zone] = match;
  // `2026-01-01` ends in what looks like an offset.
  if (offset && /^\d{4}-\d{1,2}$/.test(wall!) && parseDate(text) !== undefined) {
    wall = text;
    offset = undefined;
  }
  const local = parseDatetime(wall!);
  if (local === undefined) return undefined;
  if (offset) {
    const minutes = parseOffset(offset);
    return minutes === undefined ? undefined : local - BigInt(minutes) * 60_000_000n;
  }
  return zone ? instantOfWall(local, zone) : local;
}

/** Minutes east of UTC of `+08`, `+8:00` or `-0330`; undefined when it is no offset. */
export function parseOffset(text: string): number | undefined {
  const match = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(text);
  if (!match) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  if (Number(match[3] ?? 0) > 59 || minutes > 14 * 60) return undefined;
  return match[1] === '-' ? -minutes : minutes;
}

export function isZoneName(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

/** The instant of a wall clock; of two it is the first, and in a gap the offset before the gap holds, as in GoogleSQL. */
function instantOfWall(wall: bigint, zone: string): bigint | undefined {
  if (!isZoneName(zone)) return undefined;
  const millis = Number(wall / 1000n);
  const before = offsetMillis(millis - 86_400_000, zone);
  const after = offsetMillis(millis + 86_400_000, zone);
  const matching = [before, after].find((offset) => offsetMillis(millis - offset, zone) === offset);
  return wall - BigInt(matching ?? before) * 1000n;
}

function offsetMillis(instant: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = Object.fromEntries(
    format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  );
  const wall = Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!, parts.second!);
  return wall - Math.floor(instant / 1000) * 1000;
}

const pad = (value: number | bigint, length: number): string => String(value).padStart(length, '0');

export function formatDate(days: number): string {
  const date = new Date(days * 86_400_000);
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
}

export function formatTime(micros: bigint): string {
  const seconds = Number(micros / 1_000_000n);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${clock.map((value) => pad(value, 2)).join(':')}.${pad(micros % 1_000_000n, 6)}`;
}

export function formatDatetime(micros: bigint): string {
  const time = ((micros % microsPerDay) + microsPerDay) % microsPerDay;
  return `${formatDate(Number((micros - time) / microsPerDay))} ${formatTime(time)}`;
}

export function timestampLiteral(micros: bigint): Fragment {
  return {
    sql: `TIMESTAMPTZ '${formatDatetime(micros)}+00'`,
    type: { kind: 'TIMESTAMP' },
    literal: true,
  };
}

export function dateLiteral(days: number): Fragment {
  return { sql: `DATE '${formatDate(days)}'`, type: { kind: 'DATE' }, literal: true };
}

/** A literal of the type that a text stands for; undefined when the text is not of that type. */
export function literalOfText(kind: ScalarKind, text: string): Fragment | undefined {
  switch (kind) {
    case 'TIMESTAMP': {
      const micros = parseTimestamp(text.trim());
      return micros === undefined ? undefined : timestampLiteral(micros);
    }
    case 'DATE': {
      const days = parseDate(text.trim());
      return days === undefined ? undefined : dateLiteral(days);
    }
    case 'DATETIME': {
      const micros = parseDatetime(text.trim());
      if (micros === undefined) return undefined;
      return { sql: `TIMESTAMP '${formatDatetime(micros)}'`, type: { kind }, literal: true };
    }
    case 'TIME': {
      const micros = parseTime(text.trim());
      if (micros === undefined) return undefined;
      return { sql: `TIME '${formatTime(micros)}'`, type: { kind }, literal: true };
    }
    case 'NUMERIC':
      if (!/^[+-]?(\d{1,29}(\.\d{0,9})?|\.\d{1,9})$/.test(text.trim())) return undefined;
      return { sql: `CAST(${quoteString(text.trim())} AS DECIMAL(38,9))`, type: { kind }, literal: true };
    default:
      return undefined;
  }
}
