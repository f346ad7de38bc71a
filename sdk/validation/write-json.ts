import { nameOf } from './check-fields.ts';
import type { Report } from './issue.ts';

/**
 * An object as JSON, with all that JSON can carry. Dates are written as RFC 3339 in UTC, and whole numbers of 64 bits as
 * their digits. What is left out is reported by its path: functions, symbols, NaN and infinities, larger bigints, cycles,
 * what nests deeper than 100, and objects without members that are written, as Map, Set and Promise. `undefined`
 * is absent, but in a list.
 */
export const writeJson = (object: object, field: string, report: Report): string =>
  writeMembers(object, { report, ancestors: [object] }, field);

/** Adds a member that JSON.stringify cannot write to an object that is JSON already and has some; nothing where it is absent. */
export const writeLast = (
  json: string,
  key: string,
  value: object | undefined,
  field: string,
  report: Report,
): string =>
  value === undefined ? json : `${json.slice(0, -1)},"${key}":${writeJson(value, field, report)}}`;

export interface Writing {
  readonly report: Report;
  readonly ancestors: object[];
}

/** What ingest takes. */
const deepest = 100;

/** Undefined where it is left out. */
export function write(value: unknown, writing: Writing, field: string): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (Number.isFinite(value)) return JSON.stringify(value);
      return leaveOut(writing, 'not_finite', field, `is ${value}`);
    case 'bigint':
      if (BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value) return String(value);
      return leaveOut(writing, 'beyond_64_bits', field, 'has more than 64 bits');
    case 'object':
      return value === null ? 'null' : writeObject(value, writing, field);
    case 'undefined':
      return undefined;
    default:
      return leaveOut(writing, 'unsupported', field, `is a ${typeof value}`);
  }
}

function writeObject(value: object, writing: Writing, field: string): string | undefined {
  const { ancestors } = writing;
  if (ancestors.includes(value)) return leaveOut(writing, 'cycle', field, 'holds itself');
  if (ancestors.length >= deepest)
    return leaveOut(writing, 'too_deep', field, `is nested deeper than ${deepest}`);
  ancestors.push(value);
  try {
    return writeContent(value, writing, field);
  } catch (error) {
    return leaveUnread(writing, field, error);
  } finally {
    ancestors.pop();
  }
}

function writeContent(value: object, writing: Writing, field: string): string | undefined {
  if (value instanceof Date && Number.isNaN(value.getTime()))
    return leaveOut(writing, 'invalid_date', field, 'is no time');
  if (ArrayBuffer.isView(value)) return leaveOut(writing, 'unsupported', field, 'is binary');
  const toJson: unknown = Reflect.get(value, 'toJSON');
  if (typeof toJson === 'function') return write(Reflect.apply(toJson, value, []), writing, field);
  if (
    value instanceof Number ||
    value instanceof String ||
    value instanceof Boolean ||
    value instanceof BigInt
  )
    return write(value.valueOf(), writing, field);
  if (Array.isArray(value)) return writeList(value, writing, field);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isLiteral = prototype === Object.prototype || prototype === null;
  if (!isLiteral && Object.keys(value).length === 0)
    return leaveOut(writing, 'unsupported', field, `is ${nameOf(value)}`);
  return writeMembers(value, writing, field);
}

function writeList(list: readonly unknown[], writing: Writing, field: string): string {
  const written: string[] = [];
  for (let at = 0; at < list.length; at++) {
    const place = `${field}[${at}]`;
    const text = write(list[at], writing, place);
    if (text !== undefined) written.push(text);
    else if (list[at] === undefined) leaveOut(writing, 'unsupported', place, 'is undefined');
  }
  return `[${written.join(',')}]`;
}

function writeMembers(object: object, writing: Writing, field: string): string {
  const written: string[] = [];
  for (const key of Object.keys(object)) {
    const place = memberOf(field, key);
    try {
      const text = write(Reflect.get(object, key), writing, place);
      if (text !== undefined) written.push(`${JSON.stringify(key)}:${text}`);
    } catch (error) {
      leaveUnread(writing, place, error);
    }
  }
  return `{${written.join(',')}}`;
}

/** The path of a member. */
export const memberOf = (field: string, key: string): string =>
  /^[\p{L}$_][\p{L}\p{N}$_]{0,99}$/u.test(key)
    ? `${field}.${key}`
    : `${field}[${JSON.stringify(key.slice(0, 100))}]`;

function leaveOut({ report }: Pick<Writing, 'report'>, rule: string, field: string, is: string): undefined {
  report('warning', rule, field, `${field} ${is}; it is left out`);
}

/** A getter, or a `toJSON`, threw. */
export const leaveUnread = (writing: Pick<Writing, 'report'>, field: string, error: unknown): undefined =>
  leaveOut(writing, 'unreadable', field, `cannot be read: ${String(error)}`);
