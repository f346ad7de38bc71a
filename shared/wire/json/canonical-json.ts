import type { JsonObject, JsonValue } from './parse-json.ts';
import {
  createTextBuffer,
  type TextBuffer,
  textFrom,
  writeAscii,
  writeByte,
  writeBytes,
  writeInteger,
  writeQuoted,
  writeText,
} from './text-buffer.ts';
import { clip, mendString, type ValueRules, type Warnings, warn } from './value-rules.ts';

/** Thrown where a value is nested deeper than `maximumDepth`. */
export class TooDeep extends Error {}

export const maximumDepth = 100;

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
  readonly lead: Uint8Array;
}

export function planObject(keys: readonly string[], pick: (key: string) => boolean): WritePlan {
  const sorted = [...keys].sort();
  const plan = (members: readonly string[]): PlannedMember[] =>
    members.map((key, index) => ({ key, lead: leadOf(key, index === 0 ? '{' : ',') }));
  return { keys, picked: plan(sorted.filter(pick)), rest: plan(sorted.filter((key) => !pick(key))) };
}

export function fitsPlan(plan: Pick<WritePlan, 'keys'>, keys: readonly string[]): boolean {
  if (plan.keys.length !== keys.length) return false;
  for (let index = 0; index < keys.length; index++) if (plan.keys[index] !== keys[index]) return false;
  return true;
}

/**
 * The planned members of an object as JSON with sorted keys, in UTF-8.
 *
 * What BigQuery would refuse is mended, each time with a warning: strings are made well-formed,
 * numbers that neither 64 bits nor a double hold become strings. Throws TooDeep.
 */
export function writeMembers(
  text: TextBuffer,
  object: JsonObject,
  members: readonly PlannedMember[],
  rules: ValueRules,
  warnings: Warnings,
): Uint8Array {
  if (members.length === 0) return emptyObject;
  const start = text.length;
  for (let index = 0; index < members.length; index++) {
    const { key, lead } = members[index] as PlannedMember;
    writeBytes(text, lead);
    writeValue(text, object[key] as JsonValue, rules, warnings, key, 1);
  }
  writeByte(text, closeBrace);
  return textFrom(text, start);
}

/** The keys that `writeMembers` writes, in its order, each once: two that are not well-formed may become one. */
export function writtenKeys(members: readonly PlannedMember[]): readonly string[] {
  const keys = new Set<string>();
  for (const { key } of members) keys.add(key.toWellFormed());
  return [...keys];
}

const emptyObject: Uint8Array = Buffer.from('{}');

/** One object by the same rules. Throws TooDeep. */
export const writeObject = (object: JsonObject, rules: ValueRules, warnings: Warnings): Uint8Array =>
  writeMembers(
    createTextBuffer(1024),
    object,
    planObject(Object.keys(object), () => false).rest,
    rules,
    warnings,
  );

const openBracket = 0x5b;
const closeBracket = 0x5d;
const closeBrace = 0x7d;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const digitZero = 0x30;

/** One value. `where`: the path of its keys, for the warnings. Throws TooDeep. */
export function writeValue(
  text: TextBuffer,
  value: JsonValue,
  rules: ValueRules,
  warnings: Warnings,
  where: string,
  depth: number,
): void {
  if (typeof value === 'string') writeString(text, value, rules, warnings, where);
  else if (typeof value === 'number') writeNumber(text, value, warnings, where);
  else if (typeof value === 'boolean') writeAscii(text, value ? 'true' : 'false');
  else if (typeof value === 'bigint') writeAscii(text, value.toString());
  else if (value === null) {
    if (rules.warnNullAndNested) warn(warnings, 'null_value', where);
    writeAscii(text, 'null');
  } else if (typeof value === 'symbol') {
    warn(warnings, 'inexact_number', where);
    writeAscii(text, `"${value.description}"`);
  } else {
    if (depth >= maximumDepth)
      throw new TooDeep(`${clip(where)} is nested deeper than ${maximumDepth} levels`);
    if (Array.isArray(value)) writeList(text, value, rules, warnings, where, depth);
    else writeNested(text, value, rules, warnings, where, depth);
  }
}

function writeString(
  text: TextBuffer,
  value: string,
  rules: ValueRules,
  warnings: Warnings,
  where: string,
): void {
  if (value.length > rules.warnStringAbove) warn(warnings, 'string_too_long', where);
  else if (writeQuoted(text, value)) return;
  writeText(text, JSON.stringify(mendString(value, rules, warnings, where)));
}

function writeNumber(text: TextBuffer, value: number, warnings: Warnings, where: string): void {
  if (isInt32(value)) {
    writeInteger(text, value);
    return;
  }
  // Prices, mostly. A decimal of so few digits is the shortest that denotes its double, so JavaScript writes the same.
  const hundredths = Math.round(value * 100);
  if (isInt32(hundredths) && hundredths / 100 === value) {
    writeHundredths(text, hundredths);
    return;
  }
  if (Number.isFinite(value)) {
    writeAscii(text, `${value}`);
    return;
  }
  // parseJson answers no such number; whoever made it otherwise shall not break the row.
  warn(warnings, 'inexact_number', where);
  writeAscii(text, `"${value}"`);
}

const isInt32 = (value: number): boolean => (value | 0) === value;

/** With one place or two, as none would be a whole number. */
function writeHundredths(text: TextBuffer, hundredths: number): void {
  const size = Math.abs(hundredths);
  const rest = size % 100;
  if (hundredths < 0) writeByte(text, minus);
  writeInteger(text, (size - rest) / 100);
  writeByte(text, point);
  writeByte(text, digitZero + Math.floor(rest / 10));
  if (rest % 10 !== 0) writeByte(text, digitZero + (rest % 10));
}

function writeList(
  text: TextBuffer,
  list: readonly JsonValue[],
  rules: ValueRules,
  warnings: Warnings,
  where: string,
  depth: number,
): void {
  if (list.length > rules.warnListAbove) warn(warnings, 'list_too_long', where);
  if (depth > 1 && rules.warnNullAndNested) warn(warnings, 'nested_value', where);
  writeByte(text, openBracket);
  for (let index = 0; index < list.length; index++) {
    if (index > 0) writeByte(text, comma);
    writeValue(text, list[index] as JsonValue, rules, warnings, where, depth + 1);
  }
  writeByte(text, closeBracket);
}

function writeNested(
  text: TextBuffer,
  object: JsonObject,
  rules: ValueRules,
  warnings: Warnings,
  where: string,
  depth: number,
): void {
  if (rules.warnNullAndNested) warn(warnings, 'nested_value', where);
  const keys = sortedKeys(object);
  if (keys.length === 0) writeAscii(text, '{}');
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    writeBytes(text, leadOf(key, index === 0 ? '{' : ','));
    if (!key.isWellFormed()) warn(warnings, 'lone_surrogate', `${where}.${key}`);
    writeValue(text, object[key] as JsonValue, rules, warnings, `${where}.${key}`, depth + 1);
  }
  if (keys.length > 0) writeByte(text, closeBrace);
}

/** Most SDKs write few, and the same order each time; to sort what is sorted costs as much as all else here. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  for (let index = 1; index < keys.length; index++) {
    if ((keys[index - 1] as string) > (keys[index] as string)) return keys.sort();
  }
  return keys;
}

const makeLead = (key: string, before: string): Uint8Array =>
  Buffer.from(`${before}${JSON.stringify(key.toWellFormed())}:`);

// The keys of an SDK's nested objects are few and come with every event.
const leads: Readonly<Record<'{' | ',', Map<string, Uint8Array>>> = { '{': new Map(), ',': new Map() };
const mostLeads = 2000;
const longestLead = 60;

/** A key as JSON, with its colon and what stands before it. */
export function leadOf(key: string, before: '{' | ','): Uint8Array {
  const known = leads[before];
  const found = known.get(key);
  if (found !== undefined) return found;
  const lead = makeLead(key, before);
  if (known.size < mostLeads && key.length <= longestLead) known.set(key, lead);
  return lead;
}
