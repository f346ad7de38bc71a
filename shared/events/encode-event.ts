import { hash } from 'node:crypto';
import { rowFields } from '../warehouse/generated/row-descriptors.ts';
import { createRowBuffer, type RowBuffer } from '../warehouse/row-buffer.ts';
import type { Debug, Event } from './event.ts';

const field = rowFields.event_log;

/** What is the same for all events of a request. Instants in microseconds since 1970. */
export interface RequestFacts {
  readonly batchId: string;
  readonly requestHash: string;
  readonly receivedAt: number;
  /** The three as the fields of a row, the same in every row of the request. */
  readonly encoded: Uint8Array;
}

const factsBuffer = createRowBuffer(256);

export function describeRequest(batchId: string, requestHash: string, receivedAt: number): RequestFacts {
  factsBuffer.reset();
  factsBuffer.string(field.batch_id, batchId);
  factsBuffer.string(field.request_hash, requestHash);
  factsBuffer.integer(field.received_at, receivedAt);
  return {
    batchId,
    requestHash,
    receivedAt,
    encoded: Uint8Array.from(factsBuffer.bytes(0, factsBuffer.length)),
  };
}

/** Counts identical events of one request, so that true twins stay two: a base id and how often it came before. */
export interface Ordinals {
  next(identity: string): number;
}

export function createOrdinals(): Ordinals {
  const seen = new Map<string, number>();
  return {
    next(identity) {
      const ordinal = seen.get(identity) ?? 0;
      seen.set(identity, ordinal + 1);
      return ordinal;
    },
  };
}

/** What is decided for the project of an event. */
export interface RowRules {
  /** In place of what the sender said. */
  readonly debug?: Debug | undefined;
  /** off: an event that its sender sends again is another one. */
  readonly dedup: 'on' | 'off';
}

const byDefault: RowRules = { dedup: 'on' };

/**
 * Appends the event to `buffer` as a row of event_log and returns its id.
 *
 * The fields that identify it stand first, and the id is the SHA-256 of exactly those bytes: one
 * serialisation serves id and row. A sender's own message id, where there is one, decides instead. Without dedup the
 * batch id is part of it too, which a resend does not share and all that we deliver twice does. What is decided for the
 * project changes nothing else of the id, so that it may be decided anew.
 */
export function encodeEvent(
  buffer: RowBuffer,
  event: Event,
  place: number,
  facts: RequestFacts,
  ordinals: Ordinals,
  rules: RowRules = byDefault,
): string {
  const start = buffer.length;
  buffer.string(field.project, event.project);
  buffer.string(field.dialect, event.dialect);
  buffer.string(field.kind, event.kind);
  optional(buffer, field.name, event.name);
  optional(buffer, field.item_id, event.itemId);
  optional(buffer, field.anonymous_id, event.anonymousId);
  optional(buffer, field.user_id, event.userId);
  optional(buffer, field.user_key, event.userKey);
  // A time that we gave is no part of what the sender said.
  if (event.timeSource === 'sender') buffer.integer(field.occurred_at, event.occurredAt);
  buffer.string(field.time_source, event.timeSource);
  optional(buffer, field.platform, event.platform);
  optional(buffer, field.sdk, event.sdk);
  optional(buffer, field.sdk_version, event.sdkVersion);
  optional(buffer, field.session_id, event.sessionId);
  buffer.integer(field.debug, event.debug);
  const debugAt = buffer.length - 1;
  buffer.blob(field.properties, event.properties);
  buffer.blob(field.context, event.context);

  const said =
    event.messageId === undefined
      ? hash('sha256', buffer.bytes(start, buffer.length), 'hex').slice(0, 32)
      : messageIdentity(event, event.messageId);
  const identity =
    rules.dedup === 'on' ? said : hash('sha256', `${said}@${facts.batchId}`, 'hex').slice(0, 32);
  const ordinal = ordinals.next(identity);
  // Copies under one message id are copies; identical events without one are twins.
  const eventId =
    ordinal === 0 || event.messageId !== undefined
      ? identity
      : hash('sha256', `${identity}:${ordinal}`, 'hex').slice(0, 32);

  // It takes one byte.
  if (rules.debug !== undefined) buffer.bytes(debugAt, debugAt + 1)[0] = rules.debug;
  buffer.string(field.event_id, eventId);
  buffer.raw(facts.encoded);
  if (event.timeSource === 'received') buffer.integer(field.occurred_at, event.occurredAt);
  if (event.sentAt !== undefined) buffer.integer(field.sent_at, event.sentAt);
  for (const warning of event.warnings) buffer.string(field.warnings, warning);
  for (const key of event.keys) buffer.string(field.keys, key);
  buffer.integer(field.batch_index, place);
  return eventId;
}

/** SHA-256 of the JSON of the list of project, dialect, kind, item id or name, and the sender's own id. */
function messageIdentity(event: Event, messageId: string): string {
  const { project, dialect, kind } = event;
  const named = event.itemId ?? event.name ?? '';
  if (
    project !== beginnings.project ||
    dialect !== beginnings.dialect ||
    kind !== beginnings.kind ||
    beginnings.byName.size >= mostBeginnings
  ) {
    beginnings = { project, dialect, kind, byName: new Map() };
  }
  let beginning = beginnings.byName.get(named);
  if (beginning === undefined) {
    beginning = JSON.stringify([project, dialect, kind, named]).slice(0, -1);
    beginnings.byName.set(named, beginning);
  }
  return hash('sha256', `${beginning},${JSON.stringify(messageId)}]`, 'hex').slice(0, 32);
}

/** Of the lists of the events just before, which nearly always differ in the sender's own id alone. */
let beginnings: Pick<Event, 'project' | 'dialect' | 'kind'> & { readonly byName: Map<string, string> } = {
  project: '',
  dialect: 'tributary',
  kind: 'track',
  byName: new Map(),
};
const mostBeginnings = 200;

function optional(buffer: RowBuffer, number: number, value: string | undefined): void {
  if (value !== undefined) buffer.string(number, value);
}
