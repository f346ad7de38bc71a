import type { JsonValue } from '../json/parse-json.ts';

const written =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * A time as Segment's libraries write it: ISO 8601, with any number of decimals and any offset, UTC where there is none.
 * Microseconds since 1970; undefined for anything else.
 */
export function readTime(value: JsonValue | undefined): number | undefined {
  const [whole, ...parts] = typeof value === 'string' ? (written.exec(value) ?? []) : [];
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
