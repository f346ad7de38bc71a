import { planObject, writeMembers, writtenKeys } from '../json/canonical-json.ts';
import { createKnownPlans, fitsPlan } from '../json/known-plans.ts';
import { type MergePlan, planMerge, writeMerged } from '../json/merged-members.ts';
import type { JsonObject } from '../json/parse-json.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { type Warnings, warn } from '../json/value-rules.ts';
import { segmentLimits, segmentValueRules } from './limits.ts';
import { isGiven, isObject } from './message.ts';

/** What of a message became columns, and so stays out of its context. */
export interface Consumed {
  readonly columns: ReadonlySet<string>;
  readonly timeField: string | undefined;
  /** Whether each of these is none that has to be kept, or became a column. */
  readonly anonymousId: boolean;
  readonly userId: boolean;
  readonly writeKey: boolean;
}

/**
 * The context of a message as JSON with sorted keys: its `context`, and beside that every member of the message that
 * became no column, such as `integrations`, `channel`, `type` and `messageId`. Where both have a key, that of the message
 * gets a `$` before it. Throws TooDeep.
 */
export function writeContext(
  text: TextBuffer,
  message: JsonObject,
  consumed: Consumed,
  warnings: Warnings,
): Uint8Array {
  const { context } = message;
  const given = isObject(context) ? context : noMembers;
  const isBad = given === noMembers && isGiven(context);
  if (isBad) warn(warnings, 'bad_context', 'context');
  const plan = findContextPlan(message, given, consumed, isBad);
  return writeMerged(text, given, message, plan, segmentValueRules, warnings);
}

const noMembers: JsonObject = {};

interface KnownContext {
  readonly message: { readonly keys: readonly string[] };
  readonly context: { readonly keys: readonly string[] };
  readonly consumed: Consumed;
  readonly isBad: boolean;
  readonly plan: MergePlan;
}

/** The libraries of a project send few kinds of messages, each with the same keys; the latest in place of the oldest. */
const known: KnownContext[] = [];
const mostKnown = 16;
let oldest = 0;
/** A sender that makes its keys up must not fill the memory. */
const mostKeys = 200;

function findContextPlan(
  message: JsonObject,
  context: JsonObject,
  consumed: Consumed,
  isBad: boolean,
): MergePlan {
  for (const one of known) {
    if (
      isSame(one.consumed, consumed) &&
      one.isBad === isBad &&
      fitsPlan(one.message, message) &&
      fitsPlan(one.context, context)
    ) {
      return one.plan;
    }
  }
  const keys = Object.keys(message);
  const left = keys.filter((key) => (key === 'context' ? isBad : !isConsumed(key, consumed)));
  const contextKeys = Object.keys(context);
  const plan = planMerge(contextKeys, left);
  if (keys.length + contextKeys.length <= mostKeys) {
    known[oldest] = { message: { keys }, context: { keys: contextKeys }, consumed, isBad, plan };
    oldest = (oldest + 1) % mostKnown;
  }
  return plan;
}

const isSame = (one: Consumed, other: Consumed): boolean =>
  one.columns === other.columns &&
  one.timeField === other.timeField &&
  one.anonymousId === other.anonymousId &&
  one.userId === other.userId &&
  one.writeKey === other.writeKey;

function isConsumed(key: string, { columns, timeField, ...ids }: Consumed): boolean {
  if (key === 'anonymousId' || key === 'userId') return ids[key];
  return columns.has(key) || key === timeField || key === 'sentAt' || (key === 'writeKey' && ids.writeKey);
}

/** What the caller gave as JSON with sorted keys. Throws TooDeep. */
export const writeProperties = (text: TextBuffer, object: JsonObject, warnings: Warnings): Uint8Array =>
  writeMembers(text, object, planProperties(object), segmentValueRules, warnings);

/** The keys of what `writeProperties` writes. */
export const keysOfProperties = (object: JsonObject): readonly string[] =>
  writtenKeys(planProperties(object));

const findPropertiesPlan = createKnownPlans((keys) => planObject(keys, () => false));
const planProperties = (object: JsonObject) => findPropertiesPlan(object).rest;

export function warnAboutSize(properties: Uint8Array, context: Uint8Array, warnings: Warnings): void {
  const bytes = properties.length + context.length;
  if (bytes > segmentLimits.eventBytes) warn(warnings, 'event_over_32_kb', `${bytes} bytes`);
}
