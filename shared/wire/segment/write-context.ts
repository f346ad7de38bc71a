import { writeMembers } from '../json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { type Warnings, warn } from '../json/value-rules.ts';
import { segmentLimits, segmentValueRules } from './limits.ts';
import { isGiven, isObject } from './message.ts';
import { findPlan } from './plans.ts';

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
  const merged = emptyObject();
  const context = message.context;
  if (isObject(context)) for (const key of Object.keys(context)) merged[key] = context[key] as JsonValue;
  else if (isGiven(context)) warn(warnings, 'bad_context', 'context');
  for (const key of Object.keys(message)) {
    if (key === 'context' ? isObject(context) || !isGiven(context) : consumed(key)) continue;
    merged[freeKey(merged, key)] = message[key] as JsonValue;
  }
  return writeJsonObject(text, merged, warnings);
}

/** An object as JSON with sorted keys. Throws TooDeep. */
export const writeJsonObject = (text: TextBuffer, object: JsonObject, warnings: Warnings): Uint8Array =>
  writeMembers(text, object, findPlan(Object.keys(object)).rest, segmentValueRules, warnings);

/** Without a prototype, so that `__proto__` is a key like any other. */
export const emptyObject = (): JsonObject => Object.create(null) as JsonObject;

function freeKey(object: JsonObject, key: string): string {
  let free = key;
  while (free in object) free = `$${free}`;
  return free;
}

export function warnAboutSize(properties: Uint8Array, context: Uint8Array, warnings: Warnings): void {
  const bytes = properties.length + context.length;
  if (bytes > segmentLimits.eventBytes) warn(warnings, 'event_over_32_kb', `${bytes} bytes`);
}
