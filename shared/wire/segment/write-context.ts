import { planObject, writeMembers, writtenKeys } from '../json/canonical-json.ts';
import { createKnownPlans } from '../json/known-plans.ts';
import { keysOfMerge, planMerge, writeMerged } from '../json/merged-members.ts';
import type { JsonObject } from '../json/parse-json.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { type Warnings, warn } from '../json/value-rules.ts';
import { segmentLimits, segmentValueRules } from './limits.ts';
import { isGiven, isObject } from './message.ts';

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
  const { context } = message;
  const given = isObject(context) ? context : noMembers;
  if (given === noMembers && isGiven(context)) warn(warnings, 'bad_context', 'context');
  const left = Object.keys(message).filter((key) =>
    key === 'context' ? given === noMembers && isGiven(context) : !consumed(key),
  );
  const plan = findContextPlan(keysOfMerge(Object.keys(given), left));
  return writeMerged(text, given, message, plan, segmentValueRules, warnings);
}

const noMembers: JsonObject = {};
const findContextPlan = createKnownPlans(planMerge);

/** What the caller gave as JSON with sorted keys. Throws TooDeep. */
export const writeProperties = (text: TextBuffer, object: JsonObject, warnings: Warnings): Uint8Array =>
  writeMembers(text, object, planProperties(object), segmentValueRules, warnings);

/** The keys of what `writeProperties` writes. */
export const keysOfProperties = (object: JsonObject): readonly string[] =>
  writtenKeys(planProperties(object));

const findPropertiesPlan = createKnownPlans((keys) => planObject(keys, () => false));
const planProperties = (object: JsonObject) => findPropertiesPlan(Object.keys(object)).rest;

export function warnAboutSize(properties: Uint8Array, context: Uint8Array, warnings: Warnings): void {
  const bytes = properties.length + context.length;
  if (bytes > segmentLimits.eventBytes) warn(warnings, 'event_over_32_kb', `${bytes} bytes`);
}
