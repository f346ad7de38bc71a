import {
  type EventKind,
  eventKinds,
  isInsideWindow,
  type Refusal,
  type TimeWindow,
  tellOutsideWindow,
} from '../../events/event.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { tributaryLimits } from './limits.ts';
import { readTime } from './read-time.ts';
import type { TributaryEvent } from './wire-event.ts';

export interface CheckedEvent {
  readonly event: TributaryEvent<JsonValue>;
  readonly kind: EventKind;
  /** Microseconds since 1970; undefined where the sender gives none. */
  readonly occurredAt: number | undefined;
  readonly sentAt: number | undefined;
}

export type Checked =
  | { readonly ok: true; readonly value: CheckedEvent }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Refuses what breaks the first rule of our own dialect, naming the field and what it should be; written by hand for
 * the hot path and equal to the schema in schema.ts. `receivedAt` in microseconds since 1970; without a `window` any time
 * that can be read will do.
 */
export function checkTributaryEvent(
  element: JsonValue,
  receivedAt: number,
  window: TimeWindow | undefined,
): Checked {
  if (!isObject(element)) {
    return refuse('not_an_object', undefined, `an event is a JSON object; this is ${nameOf(element)}`);
  }
  for (const field in element) {
    const rule = rules.get(field);
    if (rule === undefined) {
      const detail = `there is no such field: what the caller gives goes into properties, what an SDK adds into context`;
      return refuse('unknown_field', field.slice(0, 255).toWellFormed(), detail);
    }
    const value = element[field] as JsonValue;
    if (!rule.fits(value)) {
      return refuse('bad_field', field, `${field} should be ${rule.is}; it is ${nameOf(value)}`);
    }
  }
  // Every field was looked at above.
  const event = element as TributaryEvent<JsonValue>;
  const kind = event.kind ?? 'track';
  const missing = findMissing(event, kind);
  if (missing !== undefined) return { ok: false, refusal: missing };

  const occurredAt = event.occurred_at === undefined ? undefined : readTime(event.occurred_at);
  if (occurredAt !== undefined && window !== undefined && !isInsideWindow(occurredAt, receivedAt, window)) {
    const given = event.occurred_at ?? '';
    const detail = tellOutsideWindow('occurred_at', given, occurredAt, receivedAt, window);
    return refuse('occurred_at_outside_window', 'occurred_at', detail);
  }
  const sentAt = event.sent_at === undefined ? undefined : readTime(event.sent_at);
  return { ok: true, value: { event, kind, occurredAt, sentAt } };
}

interface Rule {
  fits(value: JsonValue): boolean;
  /** What the field should be, in words. */
  readonly is: string;
}

const isShort = (value: JsonValue): boolean =>
  typeof value === 'string' && value.length >= 1 && value.length <= tributaryLimits.short;

export const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kinds: ReadonlySet<JsonValue> = new Set(eventKinds);
const short: Rule = { fits: isShort, is: `a string of 1 to ${tributaryLimits.short} characters` };
const object: Rule = { fits: isObject, is: 'a JSON object' };
const time = 'a time of RFC 3339, as 2026-11-22T10:30:00Z, or a whole number of milliseconds since 1970';

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['id', short],
  ['kind', { fits: (value) => kinds.has(value), is: `one of ${eventKinds.join(', ')}` }],
  ['name', short],
  ['item_id', short],
  ['anonymous_id', short],
  ['user_id', short],
  ['user_key', short],
  ['occurred_at', { fits: (value) => readTime(value) !== undefined, is: time }],
  ['sent_at', { fits: isSendingTime, is: `${time}, between 1970 and 2200` }],
  ['platform', short],
  ['sdk', short],
  ['sdk_version', short],
  ['session_id', short],
  ['debug', { fits: (value) => value === 0 || value === 1 || value === 2, is: '0, 1 or 2' }],
  ['properties', object],
  ['context', object],
]);

/** No window holds for it, so it is bounded by what BigQuery can store. */
function isSendingTime(value: JsonValue): boolean {
  const micros = readTime(value);
  return micros !== undefined && micros >= 0 && micros <= tributaryLimits.lastMilliseconds * 1000;
}

/** What the kind needs and is not there, or cannot have and is. */
function findMissing(event: TributaryEvent, kind: EventKind): Refusal | undefined {
  const { name, item_id: itemId, anonymous_id: anonymousId, user_id: userId, user_key: userKey } = event;
  const isNamed = kind === 'track' || kind === 'item_set';
  if (isNamed && name === undefined) return missing('name', kind, 'needs a name');
  if (!isNamed && name !== undefined) return missing('name', kind, 'has no name; only track and item_set do');
  if (kind === 'item_set' && itemId === undefined) return missing('item_id', kind, 'needs an item_id');
  if (kind !== 'item_set' && itemId !== undefined) {
    return missing('item_id', kind, 'has no item_id; only item_set does');
  }
  if (userKey !== undefined && userId === undefined) {
    return missing('user_key', kind, 'has a user_key, the kind of its user_id, and no user_id');
  }
  if (kind === 'alias') {
    if (anonymousId === undefined)
      return missing('anonymous_id', kind, 'needs the anonymous_id that it binds');
    if (userId === undefined) return missing('user_id', kind, 'needs the user_id that it binds to');
  } else if (kind !== 'item_set' && anonymousId === undefined && userId === undefined) {
    return missing('anonymous_id', kind, 'needs an anonymous_id, a user_id or both');
  }
  return undefined;
}

const missing = (field: string, kind: EventKind, needs: string): Refusal => ({
  reason: 'field_for_kind',
  field,
  detail: `an event of kind ${kind} ${needs}`,
});

function nameOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') {
    if (value === '') return 'an empty string';
    return value.length <= 40
      ? JSON.stringify(value.toWellFormed())
      : `a string of ${value.length} characters`;
  }
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (typeof value === 'boolean') return `${value}`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'symbol' ? `the number ${value.description?.slice(0, 40)}` : 'an object';
}

const refuse = (reason: string, field: string | undefined, detail: string): Checked => ({
  ok: false,
  refusal: { reason, field, detail },
});
