import type { CountDescription, Counts } from '../../shared/host/metrics.ts';
import type { StoreOutcome } from './store-batch.ts';

/**
 * What load counts. It holds that
 *   messages delivered = stored + returned,
 *   events delivered = appended + refused + returned,
 * where returned is what Pub/Sub delivers again, and so counts as delivered again.
 */
export const loadCounts = {
  pushesRefused: {
    name: 'tributary.load.pushes.refused',
    unit: '{request}',
    description:
      'requests that are no push of Pub/Sub to this function: no token or a wrong one, or no envelope',
  },
  messagesDelivered: {
    name: 'tributary.load.messages.delivered',
    unit: '{message}',
    description: 'messages that Pub/Sub pushed, as often as it did',
  },
  messagesStored: {
    name: 'tributary.load.messages.stored',
    unit: '{message}',
    description: 'messages every row of which is stored or quarantined: acknowledged',
  },
  messagesReturned: {
    name: 'tributary.load.messages.returned',
    unit: '{message}',
    description: 'messages that could not be stored: Pub/Sub delivers them again',
  },
  eventsDelivered: {
    name: 'tributary.load.events.delivered',
    unit: '{event}',
    description: 'events in the messages that were pushed',
  },
  eventsAppended: {
    name: 'tributary.load.events.appended',
    unit: '{event}',
    description: 'events that event_log has acknowledged',
  },
  eventsRefused: {
    name: 'tributary.load.events.refused',
    unit: '{event}',
    description: 'events that event_log refused: in quarantine',
  },
  eventsReturned: {
    name: 'tributary.load.events.returned',
    unit: '{event}',
    description: 'events in messages that were returned',
  },
  stateAppended: {
    name: 'tributary.load.state_operations.appended',
    unit: '{operation}',
    description: 'aliases and profile operations that state_log has acknowledged',
  },
  quarantineAppended: {
    name: 'tributary.load.quarantine.appended',
    unit: '{row}',
    description:
      "rows that quarantine has acknowledged: ingest's, refused rows, and messages that are not ours",
  },
} satisfies Record<string, CountDescription>;

export type LoadCounts = Counts<keyof typeof loadCounts>;

/** Counts one message that was pushed, and what became of its `events`; `failed` is any outcome that returns it. */
export function countMessage(
  counts: LoadCounts,
  events: number,
  outcome: Extract<StoreOutcome, { kind: 'stored' }> | 'failed',
): void {
  counts.messagesDelivered++;
  counts.eventsDelivered += events;
  if (outcome === 'failed') {
    counts.messagesReturned++;
    counts.eventsReturned += events;
    return;
  }
  const { appended, refused } = outcome;
  counts.messagesStored++;
  counts.eventsAppended += appended.event_log;
  counts.eventsRefused += refused.event_log;
  counts.stateAppended += appended.state_log;
  counts.quarantineAppended += appended.quarantine;
}
