import { writeMembers, writtenKeys } from '../json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { type Warnings, warn } from '../json/value-rules.ts';
import { segmentLimits, segmentValueRules } from './limits.ts';
import { isGiven, isObject } from './message.ts';
import { createPlans, findPlan, type KnownPlans } from './plans.ts';

/**
 * The context of a message as JSON with sorted keys: its `context`, and beside that every member of the message that
 * became no column, such as `integrations`, `channel`, `type` and `messageId`. Where both have a key, that of the message
 * gets a `$` before it. Throws TooDeep.
 */
export function writeContext(
  text: TextBuffer,
  message: JsonObject,
  consumed: (key: string) => boolean,
  warnings: Warnings,
): Uint8Array {
  const merged: JsonObject = {};
  const context = message.context;
  if (isObject(context))
    for (const key of Object.keys(context)) setMember(merged, key, context[key] as JsonValue);
  else if (isGiven(context)) warn(warnings, 'bad_context', 'context');
  for (const key of Object.keys(message)) {
    if (key === 'context' ? isObject(context) || !isGiven(context) : consumed(key)) continue;
    setMember(merged, freeKey(merged, key), message[key] as JsonValue);
  }
  return write(text, merged, contextPlans, warnings);
}

/** What the caller gave as JSON with sorted keys. Throws TooDeep. */
export const writeProperties = (text: TextBuffer, object: JsonObject, warnings: Warnings): Uint8Array =>
  write(text, object, propertiesPlans, warnings);

/** The keys of what `writeProperties` writes. */
export const keysOfProperties = (object: JsonObject): readonly string[] =>
  writtenKeys(findPlan(propertiesPlans, Object.keys(object)).rest);

// Apart, as each event has one of both.
const contextPlans = createPlans();
const propertiesPlans = createPlans();

const write = (text: TextBuffer, object: JsonObject, known: KnownPlans, warnings: Warnings): Uint8Array =>
  writeMembers(text, object, findPlan(known, Object.keys(object)).rest, segmentValueRules, warnings);

/** Sets it as an own member whatever its name: to assign to `__proto__` would set another prototype. */
export function setMember(object: JsonObject, key: string, value: JsonValue): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function freeKey(object: JsonObject, key: string): string {
  let free = key;
  while (Object.hasOwn(object, free)) free = `$${free}`;
  return free;
}

export function warnAboutSize(properties: Uint8Array, context: Uint8Array, warnings: Warnings): void {
  const bytes = properties.length + context.length;
  if (bytes > segmentLimits.eventBytes) warn(warnings, 'event_over_32_kb', `${bytes} bytes`);
}
