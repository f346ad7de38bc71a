import { createPlansByKey } from './known-plans.ts';
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
 * A site's events have few sets of keys, so the order is found once for each (known-plans.ts).
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
    writeValue(text, object[key] as JsonValue, rules, warnings, undefined, key, 1);
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

/**
 * One value. `parent`: the path of the keys above its own, undefined where there are none; it is put together with
 * `key` only for what has to be named. Throws TooDeep.
 */
export function writeValue(
  text: TextBuffer,
  value: JsonValue,
  rules: ValueRules,
  warnings: Warnings,
  parent: string | undefined,
  key: string,
  depth: number,
): void {
  if (typeof value === 'string') writeString(text, value, rules, warnings, parent, key);
  else if (typeof value === 'number') writeNumber(text, value, warnings, parent, key);
  else if (typeof value === 'boolean') writeAscii(text, value ? 'true' : 'false');
  else if (typeof value === 'bigint') writeAscii(text, value.toString());
  else if (value === null) {
    if (rules.warnNullAndNested) warn(warnings, 'null_value', pathOf(parent, key));
    writeAscii(text, 'null');
  } else if (typeof value === 'symbol') {
    warn(warnings, 'inexact_number', pathOf(parent, key));
    writeAscii(text, `"${value.description}"`);
  } else {
    if (depth >= maximumDepth)
      throw new TooDeep(`${clip(pathOf(parent, key))} is nested deeper than ${maximumDepth} levels`);
    if (Array.isArray(value)) writeList(text, value, rules, warnings, parent, key, depth);
    else writeNested(text, value, rules, warnings, parent, key, depth);
  }
}

const pathOf = (parent: string | undefined, key: string): string =>
  parent === undefined ? key : `${parent}.${key}`;

function writeString(
  text: TextBuffer,
  value: string,
  rules: ValueRules,
  warnings: Warnings,
  parent: string | undefined,
  key: string,
): void {
  if (value.length > rules.warnStringAbove) warn(warnings, 'string_too_long', pathOf(parent, key));
  else if (writeQuoted(text, value)) return;
  writeText(text, JSON.stringify(mendString(value, rules, warnings, pathOf(parent, key))));
}

function writeNumber(
  text: TextBuffer,
  value: number,
  warnings: Warnings,
  parent: string | undefined,
  key: string,
): void {
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
  warn(warnings, 'inexact_number', pathOf(parent, key));
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
  parent: string | undefined,
  key: string,
  depth: number,
): void {
  if (list.length > rules.warnListAbove) warn(warnings, 'list_too_long', pathOf(parent, key));
  if (depth > 1 && rules.warnNullAndNested) warn(warnings, 'nested_value', pathOf(parent, key));
  writeByte(text, openBracket);
  for (let index = 0; index < list.length; index++) {
    if (index > 0) writeByte(text, comma);
    writeValue(text, list[index] as JsonValue, rules, warnings, parent, key, depth + 1);
  }
  writeByte(text, closeBracket);
}

function writeNested(
  text: TextBuffer,
  object: JsonObject,
  rules: ValueRules,
  warnings: Warnings,
  parent: string | undefined,
  key: string,
  depth: number,
): void {
  const where = pathOf(parent, key);
  if (rules.warnNullAndNested) warn(warnings, 'nested_value', where);
  const members = findNestedPlan(key, object).rest;
  if (members.length === 0) {
    writeAscii(text, '{}');
    return;
  }
  for (let index = 0; index < members.length; index++) {
    const { key: inner, lead } = members[index] as PlannedMember;
    writeBytes(text, lead);
    if (!inner.isWellFormed()) warn(warnings, 'lone_surrogate', pathOf(where, inner));
    writeValue(text, object[inner] as JsonValue, rules, warnings, where, inner, depth + 1);
  }
  writeByte(text, closeBrace);
}

/** Objects under one key of an SDK have the same keys in every event. */
const findNestedPlan = createPlansByKey((keys) => planObject(keys, () => false));

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
