import type { JsonValue } from '../json/parse-json.ts';

const written =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * A time as Segment's libraries write it: ISO 8601, with any number of decimals and any offset, UTC where there is none.
 * Microseconds since 1970; undefined for anything else.
 */
export function readTime(value: JsonValue | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  return readUsual(value) ?? readWritten(value);
}

const usual = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** As JavaScript writes it and nearly every library with it: without making strings of its parts. */
function readUsual(text: string): number | undefined {
  if (!usual.test(text)) return undefined;
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  // What is rare or wrong is judged by the longer way.
  if (month < 1 || month > 12 || day < 1 || day > (month === 2 ? 28 : 30)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const midnight = Date.UTC(digits(text, 0, 4), month - 1, day);
  return (midnight + ((hour * 60 + minute) * 60 + second) * 1000 + digits(text, 20, 3)) * 1000;
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) value = value * 10 + text.charCodeAt(at) - 0x30;
  return value;
}

function readWritten(value: string): number | undefined {
  const [whole, ...parts] = written.exec(value) ?? [];
  if (whole === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute));
  // The thirtieth of February would be the first of March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const micros = Number((parts[6] ?? '').slice(0, 6).padEnd(6, '0'));
  const offset = readOffset(parts[7]);
  return offset === undefined
    ? undefined
    : date.getTime() * 1000 + second * 1_000_000 + micros - offset * 60_000_000;
}

/** Minutes east of UTC. */
function readOffset(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
