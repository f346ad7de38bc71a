import type { Report } from './issue.ts';
import { isPlainJson } from './plain-json.ts';
import { leaveUnread, memberOf } from './write-json.ts';

/** What a vendor documents for the members of properties and attributes. */
export interface MemberRules {
  /** What is wrong with a key. */
  checkKey(key: string): KeyFault | undefined;
  /** Those that were found good before; empty at first. */
  readonly goodKeys: Set<string>;
  /** Warn about strings of more characters, and about empty ones. */
  readonly stringAbove: number;
  readonly warnEmpty: boolean;
  /** Cut strings of more characters to `to` characters and `mark`. */
  readonly cut: { readonly above: number; readonly to: number; readonly mark: string } | undefined;
  readonly listAbove: number;
  /** Lists should hold text only. */
  readonly textLists: boolean;
  /** Warn about null and nested objects. */
  readonly warnNested: boolean;
}

export interface KeyFault {
  readonly rule: string;
  readonly detail: string;
  /** `sent` as it is, `left_out`, or the whole event `refused`. */
  readonly outcome: 'sent' | 'left_out' | 'refused';
}

/** The keys of a site are few and come again and again. */
const mostGoodKeys = 10_000;

function isGoodKey(key: string, rules: MemberRules): boolean {
  const { goodKeys } = rules;
  if (goodKeys.has(key)) return true;
  if (rules.checkKey(key) !== undefined) return false;
  if (goodKeys.size < mostGoodKeys) goodKeys.add(key);
  return true;
}

/**
 * Whether all members can be sent as they are and nothing is to be said of them: the quick look that nearly every event
 * passes. False says only that `cleanMembers` has to look closely.
 */
export function areClean(members: object, rules: MemberRules): boolean {
  try {
    for (const key in members) {
      if (!isGoodKey(key, rules)) return false;
      if (!isCleanValue((members as Readonly<Record<string, unknown>>)[key], rules)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function isCleanValue(value: unknown, rules: MemberRules): boolean {
  return value === undefined || (isPlainJson(value) && fits(value, rules));
}

function fits(value: unknown, rules: MemberRules): boolean {
  if (typeof value === 'string')
    return value.length <= rules.stringAbove && (value !== '' || !rules.warnEmpty);
  if (typeof value !== 'object') return true;
  if (!Array.isArray(value)) return !rules.warnNested;
  if (value.length > rules.listAbove) return false;
  return value.every((one: unknown) => (typeof one === 'string' ? fits(one, rules) : !rules.textLists));
}

/**
 * A copy of the members as they are sent, with all that is to be said of them reported; undefined where the event is
 * refused. What JSON cannot carry is still in it.
 */
export function cleanMembers(
  members: object,
  field: string,
  rules: MemberRules,
  report: Report,
): Record<string, unknown> | undefined {
  const cleaned: Record<string, unknown> = Object.create(null);
  let isRefused = false;
  for (const key of Object.keys(members)) {
    const place = memberOf(field, key);
    const fault = rules.checkKey(key);
    if (fault !== undefined) {
      const isError = fault.outcome === 'refused';
      isRefused ||= isError;
      report(isError ? 'error' : 'warning', fault.rule, place, fault.detail);
      if (fault.outcome !== 'sent') continue;
    }
    const value = read(members, key, place, report);
    if (value !== undefined) cleaned[key] = cleanValue(value, place, rules, report);
  }
  return isRefused ? undefined : cleaned;
}

function read(members: object, key: string, place: string, report: Report): unknown {
  try {
    return Reflect.get(members, key);
  } catch (error) {
    return leaveUnread({ report }, place, error);
  }
}

function cleanValue(value: unknown, place: string, rules: MemberRules, report: Report): unknown {
  if (typeof value === 'string') return cleanText(value, place, rules, report);
  if (Array.isArray(value)) {
    if (value.length > rules.listAbove) {
      const detail = `${place} has ${value.length} elements; ${rules.listAbove} is the most`;
      report('warning', 'long_list', place, detail);
    }
    const isText = value.every((one) => typeof one === 'string');
    if (rules.textLists && !isText)
      report('warning', 'list_not_of_text', place, `${place} holds other than text`);
    return value.map((one: unknown, at) =>
      typeof one === 'string' ? cleanText(one, `${place}[${at}]`, rules, report) : one,
    );
  }
  if (rules.warnNested && typeof value === 'object' && !(value instanceof Date)) {
    const is = value === null ? 'null' : 'an object';
    report('warning', 'null_or_nested', place, `${place} is ${is}`);
  }
  return value;
}

function cleanText(value: string, place: string, rules: MemberRules, report: Report): string {
  const { cut } = rules;
  if (cut !== undefined && value.length > cut.above) {
    report(
      'warning',
      'string_cut',
      place,
      `${place} has ${value.length} characters; it is cut to ${cut.to + cut.mark.length}`,
    );
    return value.slice(0, cut.to).toWellFormed() + cut.mark;
  }
  if (value.length > rules.stringAbove) {
    const detail = `${place} has ${value.length} characters; ${rules.stringAbove} is the most`;
    report('warning', 'long_string', place, detail);
  }
  if (value === '' && rules.warnEmpty) report('warning', 'empty_string', place, `${place} is empty`);
  return value;
}
