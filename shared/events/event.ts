/** What happened: a tracked event, or an operation on a profile, an identity or an item. */
export type EventKind = (typeof eventKinds)[number];

export const eventKinds = [
  'track',
  'alias',
  'profile_set',
  'profile_set_once',
  'profile_increment',
  'profile_append',
  'profile_unset',
  'profile_delete',
  'item_set',
] as const;

export const dialects = ['analysys', 'growingio', 'segment', 'tributary'] as const;
export type Dialect = (typeof dialects)[number];

/** Of an event whose properties have none, and of every track. */
export const noKeys: readonly string[] = [];

/** 0 counted, 1 shown but not counted, 2 shown and counted. */
export type Debug = 0 | 1 | 2;

/**
 * The one shape that every dialect decodes to.
 *
 * JSON travels as UTF-8 text, serialised once with sorted keys: the same bytes are hashed into the id,
 * published and stored. Instants are microseconds since 1970.
 */
export interface Event {
  readonly project: string;
  readonly dialect: Dialect;
  readonly kind: EventKind;
  /** Event name of a track, key of an item_set. */
  readonly name: string | undefined;
  readonly itemId: string | undefined;
  readonly anonymousId: string | undefined;
  readonly userId: string | undefined;
  readonly userKey: string | undefined;
  readonly occurredAt: number;
  readonly timeSource: 'sender' | 'received';
  readonly sentAt: number | undefined;
  readonly platform: string | undefined;
  readonly sdk: string | undefined;
  readonly sdkVersion: string | undefined;
  readonly sessionId: string | undefined;
  readonly debug: Debug;
  /** A JSON object as UTF-8 text: what the caller gave. */
  readonly properties: Uint8Array;
  /** The top-level keys of `properties`, each once, in the order in which they stand there; of a track none. */
  readonly keys: readonly string[];
  /** A JSON object as UTF-8 text: the SDK's own fields. */
  readonly context: Uint8Array;
  /** Rules of the dialect that the event bends, each `rule: where`. */
  readonly warnings: readonly string[];
  /** The sender's own id, where the dialect has one. */
  readonly messageId: string | undefined;
}

/** Why an event cannot be accepted, and in which field. */
export interface Refusal {
  /** One word to group by. */
  readonly reason: string;
  readonly field: string | undefined;
  /** What is wrong and what it should be, in words. */
  readonly detail: string;
}

/** What is true of every event whatever its dialect; each dialect's own limits lie in its folder. */
export const eventLimits = {
  /** UTF-16 units of an id, name or other short field. */
  shortField: 8193,
  /** Bytes of an encoded row: below what one append (10 MB) and one message (10 MB) carry. */
  rowBytes: 8_000_000,
} as const;

const microsPerDay = 86_400_000_000;

/** The days around receiving that occurred_at may lie in: a margin inside BigQuery's ten years of partitions. */
export interface TimeWindow {
  readonly pastDays: number;
  readonly futureDays: number;
}

export const defaultTimeWindow: TimeWindow = { pastDays: 3640, futureDays: 1 };

/** Judged against the time of receiving, so that waiting changes no verdict. */
export function isInsideWindow(occurredAt: number, receivedAt: number, window: TimeWindow): boolean {
  return (
    occurredAt >= receivedAt - window.pastDays * microsPerDay &&
    occurredAt <= receivedAt + window.futureDays * microsPerDay
  );
}

/**
 * Why a time that is not inside the window is refused, and what is to be done. `given` as the sender wrote it; the times
 * in microseconds since 1970.
 */
export function tellOutsideWindow(
  field: string,
  given: string | number | bigint,
  occurredAt: number,
  receivedAt: number,
  window: TimeWindow,
): string {
  const { pastDays, futureDays } = window;
  const unit = isInsideWindow(occurredAt * 1000, receivedAt, window)
    ? 'seconds'
    : isInsideWindow(occurredAt / 1000, receivedAt, window)
      ? 'microseconds'
      : undefined;
  const fix =
    unit === undefined
      ? 'timeWindow of the settings says how far it may be, up to 3650 days before, which is what BigQuery takes'
      : `it seems to be made of ${unit}, and should be of milliseconds since 1970`;
  return `${field} is ${given}, which is not within ${pastDays} days before and ${futureDays} after receiving; ${fix}`;
}

/** Kinds that identity, profiles and items are folded from. */
export const isStateKind = (kind: EventKind): boolean => kind !== 'track';

/**
 * The hand-written check of a canonical event, for the hot path; equal to `eventSchema` in event-schema.ts.
 * Returns the first rule that the event breaks.
 */
export function checkEvent(event: Event): Refusal | undefined {
  return (
    checkShort('project', event.project, 1) ??
    checkOptional('name', event.name) ??
    checkOptional('item_id', event.itemId) ??
    checkOptional('anonymous_id', event.anonymousId) ??
    checkOptional('user_id', event.userId) ??
    checkOptional('user_key', event.userKey) ??
    checkOptional('platform', event.platform) ??
    checkOptional('sdk', event.sdk) ??
    checkOptional('sdk_version', event.sdkVersion) ??
    checkOptional('session_id', event.sessionId) ??
    checkOptional('message_id', event.messageId) ??
    checkInstant('occurred_at', event.occurredAt) ??
    (event.sentAt === undefined ? undefined : checkInstant('sent_at', event.sentAt)) ??
    checkNeeds(event)
  );
}

function checkNeeds(event: Event): Refusal | undefined {
  if (event.kind === 'track' && (event.name === undefined || event.name === '')) {
    return { reason: 'missing_name', field: 'name', detail: 'a track needs a name that is not empty' };
  }
  if (event.kind === 'item_set' && (event.name === undefined || event.itemId === undefined)) {
    return {
      reason: 'missing_item',
      field: 'item_id',
      detail: 'an item_set needs the key and the id of the item',
    };
  }
  return undefined;
}

const checkOptional = (field: string, value: string | undefined): Refusal | undefined =>
  value === undefined ? undefined : checkShort(field, value, 0);

function checkShort(field: string, value: string, atLeast: number): Refusal | undefined {
  if (value.length >= atLeast && value.length <= eventLimits.shortField) return undefined;
  return {
    reason: 'bad_length',
    field,
    detail: `${field} has ${value.length} characters; it may have ${atLeast} to ${eventLimits.shortField}`,
  };
}

function checkInstant(field: string, value: number): Refusal | undefined {
  if (Number.isSafeInteger(value)) return undefined;
  return { reason: 'bad_time', field, detail: `${field} is not a whole number of microseconds` };
}
