import { type Event, isInsideWindow, noKeys, type Refusal, tellOutsideWindow } from '../../events/event.ts';
import type { DecodeOptions } from '../dialect.ts';
import { writeMembers, writtenKeys } from '../json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { mendString, type Warnings, warn } from '../json/value-rules.ts';
import type { Endpoint } from './endpoint.ts';
import { attributeRules, fieldRules } from './limits.ts';
import { type ContextPlans, findAttributesPlan, planContext } from './plans.ts';

/** What an element is decoded with, besides itself. */
export interface ElementFacts {
  readonly endpoint: Endpoint;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
  readonly options: DecodeOptions;
  /** Where its JSON is written to. */
  readonly text: TextBuffer;
}

export type ReadElement =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly refusal: Refusal };

/** An element while its members become columns. */
export interface Draft {
  readonly element: JsonObject;
  readonly warnings: Warnings;
  /** Members that should have become a column and could not: they stay in context. */
  readonly left: string[];
}

export const createDraft = (element: JsonObject): Draft => ({
  element,
  warnings: { list: undefined },
  left: [],
});

export const refuse = (
  reason: string,
  field: string | undefined,
  detail: string,
): ReadElement & { ok: false } => ({
  ok: false,
  refusal: { reason, field, detail },
});

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Neither null nor empty: the SDKs leave such members out, and protobuf cannot tell them from absent ones. */
export const isGiven = (value: JsonValue | undefined): boolean =>
  value !== undefined && value !== null && value !== '';

/**
 * A member as the text of a column. A whole number becomes its digits, since callers give ids as numbers and most SDKs
 * let them; what is anything else, or longer than `most` characters, stays in context. Each with a warning.
 */
export function takeText(draft: Draft, key: string, most = Number.POSITIVE_INFINITY): string | undefined {
  const value = draft.element[key];
  if (!isGiven(value)) return undefined;
  if (typeof value === 'string' && value.length <= most) {
    return mendString(value, fieldRules, draft.warnings, key);
  }
  if (Number.isSafeInteger(value) || typeof value === 'bigint') {
    warn(draft.warnings, 'not_a_string', key);
    return String(value);
  }
  warn(draft.warnings, typeof value === 'string' ? 'too_long' : 'not_a_string', key);
  draft.left.push(key);
  return undefined;
}

/** Of the body, and else of the path. */
export function takeProject(draft: Draft, endpoint: Endpoint, key = 'projectKey'): string | undefined {
  return takeText(draft, key) ?? endpoint.project;
}

export interface Times {
  readonly ok: true;
  /** Microseconds since 1970. */
  readonly occurredAt: number;
  readonly timeSource: Event['timeSource'];
  readonly sentAt: number | undefined;
}

/**
 * The time that the sender claims, in milliseconds, or that of receiving where it claims none or the project ignores
 * it: by default the vendor's own servers do so with events that carry sendTime.
 */
export function takeTimes(
  draft: Draft,
  facts: ElementFacts,
  project: string,
  keys: { readonly occurred: string; readonly sent: string },
  toMillis: (time: number) => number = (time) => time,
): Times | (ReadElement & { ok: false }) {
  const { element, warnings, left } = draft;
  const { receivedAt, options } = facts;
  const sent = readMillis(element[keys.sent]);
  if (sent === 'bad') {
    warn(warnings, 'bad_send_time', keys.sent);
    left.push(keys.sent);
  }
  const sentAt = typeof sent === 'number' ? sent * 1000 : undefined;
  const received = { ok: true, occurredAt: receivedAt, timeSource: 'received', sentAt } as const;

  if (isGiven(element[keys.sent]) && options.ignoresEventTime?.(project) === true) {
    left.push(keys.occurred);
    return received;
  }
  const time = readMillis(element[keys.occurred]);
  if (time === 'bad') {
    const detail = `${keys.occurred} should be a whole number of milliseconds since 1970`;
    return refuse('bad_timestamp', keys.occurred, detail);
  }
  if (time === undefined) return received;
  if (typeof element[keys.occurred] === 'string') warn(warnings, 'not_a_number', keys.occurred);
  const occurredAt = toMillis(time) * 1000;
  if (!isInsideWindow(occurredAt, receivedAt, options.window)) {
    const detail = tellOutsideWindow(keys.occurred, time, occurredAt, receivedAt, options.window);
    return refuse('timestamp_outside_window', keys.occurred, detail);
  }
  return { ok: true, occurredAt, timeSource: 'sender', sentAt };
}

/** Protobuf cannot tell 0 from absent, and its JSON form writes 64 bits as a string. */
function readMillis(value: JsonValue | undefined): number | undefined | 'bad' {
  if (!isGiven(value) || value === 0) return undefined;
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && Number.isSafeInteger(number * 1000)
    ? number
    : 'bad';
}

/** What the caller gave. PHP writes an empty array for no attributes. Throws TooDeep. */
export function writeAttributes(
  draft: Draft,
  attributes: JsonValue | undefined,
  text: TextBuffer,
): Uint8Array | undefined {
  if (!isGiven(attributes) || (Array.isArray(attributes) && attributes.length === 0)) return noMembers;
  if (!isObject(attributes)) return undefined;
  const plan = findAttributesPlan(attributes);
  for (const key of plan.badKeys) warn(draft.warnings, 'bad_key', key);
  return writeMembers(text, attributes, plan.picked, attributeRules, draft.warnings);
}

/** The keys of what `writeAttributes` writes. */
export const keysOfAttributes = (attributes: JsonValue | undefined): readonly string[] =>
  isObject(attributes) ? writtenKeys(findAttributesPlan(attributes).picked) : noKeys;

const noMembers: Uint8Array = Buffer.from('{}');

/** The SDK's own fields: every member that became no column. Throws TooDeep. */
export function writeContext(draft: Draft, plans: ContextPlans, text: TextBuffer): Uint8Array {
  const plan = planContext(plans, draft.element, draft.left);
  return writeMembers(text, draft.element, plan.picked, fieldRules, draft.warnings);
}

/** The Python SDKs name the language as their platform, and so does Go's; no SDK names itself. */
export function sdkOf(platform: string | undefined): string | undefined {
  return platform === undefined ? undefined : (sdks.get(platform) ?? platform);
}

const sdks: ReadonlyMap<string, string> = new Map([
  ['python', 'growingio-python'],
  ['go', 'growingio-go'],
  ['web', 'growingio-web'],
]);

export const noWarnings: readonly string[] = [];
