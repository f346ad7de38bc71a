import type { JsonObject, JsonValue } from './parse-json.ts';

/** A dialect's limits on values: those that are only warned about, and the one that cuts. */
export interface ValueRules {
  /** Warn about strings of more characters. */
  readonly warnStringAbove: number;
  /** Warn about lists of more elements. */
  readonly warnListAbove: number;
  readonly warnNullAndNested: boolean;
  /** Cut strings of more characters to `to` characters and `mark`. */
  readonly cut: { readonly above: number; readonly to: number; readonly mark: string } | undefined;
}

/** Thrown where a value is nested deeper than `maximumDepth`. */
export class TooDeep extends Error {}

export const maximumDepth = 100;

/** Warnings of one event, up to a bound; the last one says that there were more. */
export interface Warnings {
  list: string[] | undefined;
}

export const maximumWarnings = 50;

export function warn(warnings: Warnings, rule: string, where: string): void {
  warnings.list ??= [];
  if (warnings.list.length < maximumWarnings - 1) warnings.list.push(`${rule}: ${clip(where)}`);
  else if (warnings.list.length === maximumWarnings - 1) warnings.list.push('more: warnings were left out');
}

/**
 * How to write objects with certain keys: in which order, and which of two texts each member belongs to.
 * A site's events have few sets of keys, so the order is found once for each.
 */
export interface WritePlan {
  /** The keys in the order of the object. */
  readonly keys: readonly string[];
  readonly picked: readonly PlannedMember[];
  readonly rest: readonly PlannedMember[];
}

interface PlannedMember {
  readonly key: string;
  /** The key as JSON, with what stands around it. */
  readonly lead: string;
}

export function planObject(keys: readonly string[], pick: (key: string) => boolean): WritePlan {
  const sorted = [...keys].sort();
  const plan = (members: readonly string[]): PlannedMember[] =>
    members.map((key, index) => ({
      key,
      lead: `${index === 0 ? '{' : ','}${JSON.stringify(key.toWellFormed())}:`,
    }));
  return { keys, picked: plan(sorted.filter(pick)), rest: plan(sorted.filter((key) => !pick(key))) };
}

export function fitsPlan(plan: WritePlan, keys: readonly string[]): boolean {
  if (plan.keys.length !== keys.length) return false;
  for (let index = 0; index < keys.length; index++) if (plan.keys[index] !== keys[index]) return false;
  return true;
}

/**
 * The planned members of an object as JSON text with sorted keys.
 *
 * What BigQuery would refuse is mended, each time with a warning: strings are made well-formed,
 * numbers that neither 64 bits nor a double hold become strings. Throws TooDeep.
 */
export function writeMembers(
  object: JsonObject,
  members: readonly PlannedMember[],
  rules: ValueRules,
  warnings: Warnings,
): string {
  if (members.length === 0) return '{}';
  let text = '';
  for (const { key, lead } of members) {
    const value = object[key] as JsonValue;
    text +=
      typeof value === 'string' && value.length <= rules.warnStringAbove && plain.test(value)
        ? `${lead}"${value}"`
        : lead + writeValue(value, rules, warnings, key, 1);
  }
  return `${text}}`;
}

/** One object as JSON text with sorted keys, by the same rules. Throws TooDeep. */
export const writeObject = (object: JsonObject, rules: ValueRules, warnings: Warnings): string =>
  writeMembers(object, planObject(Object.keys(object), () => false).rest, rules, warnings);

/** A short string of the envelope by the same rules: cut and made well-formed. */
export function mendString(value: string, rules: ValueRules, warnings: Warnings, where: string): string {
  let mended = value;
  if (rules.cut !== undefined && mended.length > rules.cut.above) {
    warn(warnings, 'string_cut', where);
    mended = mended.slice(0, rules.cut.to) + rules.cut.mark;
  }
  if (!mended.isWellFormed()) {
    warn(warnings, 'lone_surrogate', where);
    mended = mended.toWellFormed();
  }
  return mended;
}

function writeValue(
  value: JsonValue,
  rules: ValueRules,
  warnings: Warnings,
  where: string,
  depth: number,
): string {
  if (typeof value === 'string') return writeString(value, rules, warnings, where);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return `${value}`;
    // JSON.parse answers Infinity for 1e400 written without an exponent of three digits; nothing else is infinite.
    warn(warnings, 'inexact_number', where);
    return `"${value}"`;
  }
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'bigint') return value.toString();
  if (value === null) {
    if (rules.warnNullAndNested) warn(warnings, 'null_value', where);
    return 'null';
  }
  if (typeof value === 'symbol') {
    warn(warnings, 'inexact_number', where);
    return JSON.stringify(value.description);
  }
  if (depth >= maximumDepth) throw new TooDeep(`${clip(where)} is nested deeper than ${maximumDepth} levels`);
  return Array.isArray(value)
    ? writeList(value, rules, warnings, where, depth)
    : writeNested(value, rules, warnings, where, depth);
}

function writeList(
  list: readonly JsonValue[],
  rules: ValueRules,
  warnings: Warnings,
  where: string,
  depth: number,
): string {
  if (list.length > rules.warnListAbove) warn(warnings, 'list_too_long', where);
  if (depth > 1 && rules.warnNullAndNested) warn(warnings, 'nested_value', where);
  let text = '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += ',';
    text += writeValue(list[index] as JsonValue, rules, warnings, where, depth + 1);
  }
  return `${text}]`;
}

function writeNested(
  object: JsonObject,
  rules: ValueRules,
  warnings: Warnings,
  where: string,
  depth: number,
): string {
  if (rules.warnNullAndNested) warn(warnings, 'nested_value', where);
  let text = '';
  for (const key of sortedKeys(object)) {
    const member = writeValue(object[key] as JsonValue, rules, warnings, `${where}.${key}`, depth + 1);
    text += `${text === '' ? '' : ','}${quoteKey(key, warnings)}:${member}`;
  }
  return `{${text}}`;
}

// A string of these needs no escape and is well-formed.
const plain = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

function writeString(value: string, rules: ValueRules, warnings: Warnings, where: string): string {
  if (value.length > rules.warnStringAbove) {
    warn(warnings, 'string_too_long', where);
    return JSON.stringify(mendString(value, rules, warnings, where));
  }
  if (plain.test(value)) return `"${value}"`;
  return JSON.stringify(mendString(value, rules, warnings, where));
}

function quoteKey(key: string, warnings: Warnings): string {
  if (plain.test(key)) return `"${key}"`;
  if (!key.isWellFormed()) warn(warnings, 'lone_surrogate', key.toWellFormed());
  return JSON.stringify(key.toWellFormed());
}

/** Insertion sort: objects hold a dozen keys and come nearly sorted from most SDKs. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  if (keys.length > 32) return keys.sort();
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next] as string;
    let at = next - 1;
    while (at >= 0 && (keys[at] as string) > key) {
      keys[at + 1] = keys[at] as string;
      at--;
    }
    keys[at + 1] = key;
  }
  return keys;
}

const clip = (text: string): string =>
  text.length <= 120 ? text.toWellFormed() : `${text.slice(0, 120).toWellFormed()}…`;
