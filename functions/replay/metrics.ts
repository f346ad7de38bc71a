import type { CountDescription, Counts } from '../../shared/host/metrics.ts';

/**
 * What replay counts. It holds that
 *   rows decided = accepted + refused,
 * in the slices that were answered.
 */
export const replayCounts = {
  batchesDrained: {
    name: 'tributary.replay.batches.drained',
    unit: '{batch}',
    description: 'spilled batches that Pub/Sub has acknowledged',
  },
  batchesFailed: {
    name: 'tributary.replay.batches.failed',
    unit: '{batch}',
    description: 'spilled batches that a drain left for the next one',
  },
  rowsDecided: {
    name: 'tributary.replay.rows.decided',
    unit: '{row}',
    description: 'rows of quarantine that were decided',
  },
  rowsAccepted: {
    name: 'tributary.replay.rows.accepted',
    unit: '{row}',
    description: 'rows of quarantine that came onto the path again',
  },
  rowsRefused: {
    name: 'tributary.replay.rows.refused',
    unit: '{row}',
    description: 'rows of quarantine that were refused again',
  },
  eventsAccepted: {
    name: 'tributary.replay.events.accepted',
    unit: '{event}',
    description: 'events in the rows that came onto the path again',
  },
} satisfies Record<string, CountDescription>;

export type ReplayCounts = Counts<keyof typeof replayCounts>;
