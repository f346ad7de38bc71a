import type { JsonValue } from '../json/parse-json.ts';

/**
 * A time as microseconds since 1970: a string of RFC 3339, or a whole number of milliseconds since 1970. Undefined for
 * what is neither. Digits below the microsecond are cut off.
 */
export function readTime(value: JsonValue): number | undefined {
  if (typeof value === 'number') {
    const micros = value * 1000;
    return Number.isInteger(value) && Number.isSafeInteger(micros) ? micros : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const match = rfc3339.exec(value);
  if (match === null) return undefined;
  const [, second = '', fraction = '', offset = ''] = match;
  const local = `${second.slice(0, 10)}T${second.slice(11)}`;
  const time = Date.parse(`${local}Z`);
  // A 30th of February would become the 2nd of March.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 19) !== local) return undefined;
  const micros = time * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0')) - minutesOf(offset) * 60_000_000;
  return Number.isSafeInteger(micros) ? micros : undefined;
}

const rfc3339 =
  /^(\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,30}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** East of Greenwich. */
function minutesOf(offset: string): number {
  if (offset.length === 1) return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return offset.startsWith('-') ? -minutes : minutes;
}
