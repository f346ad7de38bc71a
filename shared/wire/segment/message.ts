import { isInsideWindow, type Refusal, tellOutsideWindow } from '../../events/event.ts';
import type { DecodeOptions } from '../dialect.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { mendString, type Warnings, warn } from '../json/value-rules.ts';
import { segmentValueRules } from './limits.ts';
import { readTime } from './read-time.ts';

/** What the messages of one request share. */
export interface MessageFacts {
  readonly project: string | undefined;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
  readonly options: DecodeOptions;
  readonly text: TextBuffer;
}

export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusal: Refusal };

export const refuse = (
  reason: string,
  field: string | undefined,
  detail: string,
): { readonly ok: false; readonly refusal: Refusal } => ({ ok: false, refusal: { reason, field, detail } });

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Absent, null and empty say the same: nothing. */
export const isGiven = (value: JsonValue | undefined): boolean =>
  value !== undefined && value !== null && value !== '';

/** An id: text, or a number as older libraries send it, written as text. Anything else is none. */
export function readId(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value.toWellFormed();
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  // A number with more digits than 64 bits hold.
  return typeof value === 'symbol' ? value.description : undefined;
}

/** Text of the SDK's own; anything else stays where it is. */
export const readText = (
  value: JsonValue | undefined,
  warnings: Warnings,
  where: string,
): string | undefined =>
  typeof value === 'string' && value !== ''
    ? mendString(value, segmentValueRules, warnings, where)
    : undefined;

export interface OccurredAt {
  /** Microseconds since 1970. */
  readonly occurredAt: number;
  readonly timeSource: 'sender' | 'received';
  /** The member it was read from. */
  readonly field: 'timestamp' | 'originalTimestamp' | undefined;
}

/**
 * When the sender says that it happened: `timestamp`, or `originalTimestamp` as RudderStack's libraries have it. Segment
 * corrects it by how far `sentAt` is from receiving; here it stays what was claimed, so that a resend does not move it.
 */
export function readOccurredAt(
  message: JsonObject,
  { receivedAt, options }: MessageFacts,
  warnings: Warnings,
): Read<OccurredAt> {
  const field = isGiven(message.timestamp)
    ? 'timestamp'
    : isGiven(message.originalTimestamp)
      ? 'originalTimestamp'
      : undefined;
  if (field === undefined) {
    return { ok: true, value: { occurredAt: receivedAt, timeSource: 'received', field } };
  }
  const value = message[field];
  const occurredAt = readTime(value) ?? readMilliseconds(value);
  if (occurredAt === undefined)
    return refuse('bad_timestamp', field, `${field} should be a time in ISO 8601`);
  if (typeof value === 'number') warn(warnings, 'timestamp_not_iso', field);
  if (!isInsideWindow(occurredAt, receivedAt, options.window)) {
    const given = new Date(occurredAt / 1000).toISOString();
    return refuse(
      'timestamp_outside_window',
      field,
      tellOutsideWindow(field, given, occurredAt, receivedAt, options.window),
    );
  }
  return { ok: true, value: { occurredAt, timeSource: 'sender', field } };
}

/** No library of today does; within what a Date holds. */
const readMilliseconds = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && Math.abs(value) <= 8.64e15 ? Math.round(value * 1000) : undefined;

export function readSentAt(value: JsonValue | undefined, warnings: Warnings): number | undefined {
  const sentAt = readTime(value);
  if (sentAt === undefined && isGiven(value)) warn(warnings, 'bad_sent_at', 'sentAt');
  return sentAt;
}
