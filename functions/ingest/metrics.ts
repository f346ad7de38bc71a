import type { CountDescription, Counts } from '../../shared/host/metrics.ts';

/**
 * What ingest counts. It holds that
 *   requests received = stored + limited + unstored + aborted,
 *   events received = accepted + duplicate + quarantined + dropped + limited,
 *   messages made = published + spilled + unstored.
 */
export const ingestCounts = {
  requestsReceived: {
    name: 'tributary.ingest.requests.received',
    unit: '{request}',
    description: 'requests that an SDK may have sent',
  },
  requestsStored: {
    name: 'tributary.ingest.requests.stored',
    unit: '{request}',
    description: 'requests all of which is stored: answered with success, or 413 where they were too large',
  },
  requestsLimited: {
    name: 'tributary.ingest.requests.limited',
    unit: '{request}',
    description: 'requests of projects over their rate limit: answered 429, so the sender keeps them',
  },
  requestsUnstored: {
    name: 'tributary.ingest.requests.unstored',
    unit: '{request}',
    description: 'requests that could not be stored: answered 503, so the sender keeps them',
  },
  requestsAborted: {
    name: 'tributary.ingest.requests.aborted',
    unit: '{request}',
    description: 'requests whose sender went away before their body was whole',
  },
  requestsTurnedAway: {
    name: 'tributary.ingest.requests.turned_away',
    unit: '{request}',
    description: 'requests without credentials in a dialect that has some: answered 401, and not received',
  },
  requestsVerified: {
    name: 'tributary.ingest.requests.verified',
    unit: '{request}',
    description: 'requests with verify=1: judged, nothing of them kept, and not received',
  },
  eventsReceived: {
    name: 'tributary.ingest.events.received',
    unit: '{event}',
    description: 'events in those requests; a body that cannot be decoded counts as one',
  },
  eventsAccepted: {
    name: 'tributary.ingest.events.accepted',
    unit: '{event}',
    description: 'events that became a row of event_log',
  },
  eventsDuplicate: {
    name: 'tributary.ingest.events.duplicate',
    unit: '{event}',
    description: "events whose sender's id came earlier in their request: that one is stored",
  },
  eventsQuarantined: {
    name: 'tributary.ingest.events.quarantined',
    unit: '{event}',
    description: 'events that were refused, and kept with the reason',
  },
  eventsDropped: {
    name: 'tributary.ingest.events.dropped',
    unit: '{event}',
    description: 'events of unknown projects over the number that is kept per day',
  },
  eventsLimited: {
    name: 'tributary.ingest.events.limited',
    unit: '{event}',
    description: 'events in the requests that were answered 429',
  },
  messagesMade: {
    name: 'tributary.ingest.messages.made',
    unit: '{message}',
    description: 'messages that the requests became',
  },
  messagesPublished: {
    name: 'tributary.ingest.messages.published',
    unit: '{message}',
    description: 'messages that Pub/Sub has acknowledged',
  },
  messagesSpilled: {
    name: 'tributary.ingest.messages.spilled',
    unit: '{message}',
    description: 'messages that went to the spill bucket instead',
  },
  messagesUnstored: {
    name: 'tributary.ingest.messages.unstored',
    unit: '{message}',
    description: 'messages that neither would take',
  },
} satisfies Record<string, CountDescription>;

export type IngestCounts = Counts<keyof typeof ingestCounts>;
