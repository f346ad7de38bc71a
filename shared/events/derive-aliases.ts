import { hash } from 'node:crypto';
import { rowFields } from '../warehouse/generated/row-descriptors.ts';
import type { RowBuffer } from '../warehouse/row-buffer.ts';
import type { RequestFacts } from './encode-event.ts';
import type { Event } from './event.ts';

// state_log takes the rows of event_log.
const field = rowFields.event_log;

/** The aliases that the events of one request imply. */
export interface DerivedAliases {
  /** `place`: of the event in the request. */
  add(event: Event, eventId: string, place: number): void;
  /** Appends the aliases to `buffer` and returns their rows, which are for state_log alone. */
  encode(buffer: RowBuffer, facts: RequestFacts): Uint8Array[];
}

/**
 * In a dialect where an event with an anonymous id and a user id binds the two, each distinct pair of a request is one
 * alias, with the time of the first of its events. Its id is the hash of that event's and `alias`, so a request that is
 * sent again derives the same ones.
 */
export function createDerivedAliases(): DerivedAliases {
  const firsts = new Map<string, { event: Event; eventId: string; place: number }>();
  return {
    add(event, eventId, place) {
      const { project, anonymousId, userKey, userId } = event;
      // An alias says it itself, and what is not counted binds nobody.
      if (anonymousId === undefined || userId === undefined || event.kind === 'alias' || event.debug === 1)
        return;
      const pair = JSON.stringify([project, anonymousId, userKey, userId]);
      const first = firsts.get(pair);
      if (first === undefined || event.occurredAt < first.event.occurredAt) {
        firsts.set(pair, { event, eventId, place });
      }
    },
    encode: (buffer, facts) =>
      [...firsts.values()].map(({ event, eventId, place }) => {
        const start = buffer.length;
        encodeAlias(buffer, event, eventId, place, facts);
        return buffer.bytes(start, buffer.length);
      }),
  };
}

function encodeAlias(
  buffer: RowBuffer,
  event: Event,
  eventId: string,
  place: number,
  facts: RequestFacts,
): void {
  buffer.string(field.event_id, hash('sha256', `${eventId}:alias`, 'hex').slice(0, 32));
  buffer.string(field.project, event.project);
  buffer.string(field.dialect, event.dialect);
  buffer.string(field.kind, 'alias');
  if (event.anonymousId !== undefined) buffer.string(field.anonymous_id, event.anonymousId);
  if (event.userId !== undefined) buffer.string(field.user_id, event.userId);
  if (event.userKey !== undefined) buffer.string(field.user_key, event.userKey);
  buffer.integer(field.occurred_at, event.occurredAt);
  buffer.string(field.time_source, event.timeSource);
  if (event.sentAt !== undefined) buffer.integer(field.sent_at, event.sentAt);
  buffer.integer(field.debug, event.debug);
  buffer.raw(facts.encoded);
  buffer.integer(field.batch_index, place);
}
