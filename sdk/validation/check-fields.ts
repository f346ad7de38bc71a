import type { Issue, Report } from './issue.ts';

/** An id or name of 1 to `most` characters. Reports an error and answers false where it is not. */
export function checkText(value: unknown, field: string, most: number, report: Report): value is string {
  if (typeof value === 'string' && value !== '' && isWithin(value, most)) return true;
  reportBad(
    value,
    field,
    `a text of 1 ${most < Infinity ? `to ${most} characters` : 'character or more'}`,
    report,
  );
  return false;
}

/** Says what a field should be, and what it is. */
export function reportBad(
  value: unknown,
  field: string,
  wanted: string,
  report: Report,
  severity: Issue['severity'] = 'error',
  rule = `bad_${field}`,
): void {
  report(severity, rule, field, `${field} should be ${wanted}; it is ${nameOf(value)}`);
}

/** Characters are code points where it matters, as servers count them. */
const isWithin = (value: string, most: number): boolean =>
  value.length <= most || (value.length <= 2 * most && [...value].length <= most);

/**
 * A time of the past as milliseconds since 1970: now where none is given, and undefined, with an error reported, where it
 * is no whole number of 13 digits, as the vendors demand it (2001 to 2286).
 */
export function checkTime(
  time: number | Date | undefined,
  field: string,
  report: Report,
): number | undefined {
  if (time === undefined) return Date.now();
  const millis = time instanceof Date ? time.getTime() : time;
  if (Number.isInteger(millis) && millis >= 1e12 && millis < 1e13) return millis;
  reportBad(time, field, 'a Date or milliseconds since 1970, of 13 digits', report);
  return undefined;
}

/** What the caller gives as properties: an object. Null and undefined are none; anything else is an error. */
export function checkObject(value: unknown, field: string, report: Report): Members | undefined {
  if (value === undefined || value === null) return noMembers;
  if (typeof value === 'object' && !Array.isArray(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null || Object.keys(value).length > 0)
      return value as Members;
  }
  reportBad(value, field, 'an object', report);
  return undefined;
}

/** Properties by their keys. */
export type Members = Readonly<Record<string, unknown>>;

export const noMembers: Members = Object.freeze({});

/** Keys of a profile: one, or a list. */
export function readKeys(keys: unknown, report: Report): readonly string[] | undefined {
  const list: unknown = typeof keys === 'string' ? [keys] : keys;
  if (Array.isArray(list) && list.every((key) => typeof key === 'string')) return list;
  reportBad(keys, 'keys', 'a text or a list of texts', report);
  return undefined;
}

/** A value in a few words. */
export function nameOf(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `${value.length} characters`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `${value}`;
  return typeof value === 'object' ? `a ${value.constructor?.name || 'object'}` : `a ${typeof value}`;
}

/** For what a tracker is made with: nobody could send anything. */
export const throwDetail: Report = (_severity, _rule, _field, detail) => {
  throw new TypeError(detail);
};
