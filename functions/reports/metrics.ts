import type { CountDescription, Counts } from '../../shared/host/metrics.ts';
import type { PollResult } from './run-poll.ts';
import type { PullResult } from './run-pull.ts';

/**
 * What reports-poll and reports-pull count. It holds that
 *   ticks = polled + yielded + failed,
 *   orders delivered = done + returned.
 */
export const reportsCounts = {
  ticks: { name: 'tributary.reports.ticks', unit: '{tick}', description: 'calls of the schedule' },
  ticksPolled: {
    name: 'tributary.reports.ticks.polled',
    unit: '{tick}',
    description: 'ticks that judged days and ordered what was due',
  },
  ticksYielded: {
    name: 'tributary.reports.ticks.yielded',
    unit: '{tick}',
    description: 'ticks that left the work to another one',
  },
  ticksFailed: {
    name: 'tributary.reports.ticks.failed',
    unit: '{tick}',
    description: 'ticks that a service of Google ended: the next one goes on',
  },
  groupsFailed: {
    name: 'tributary.reports.groups.failed',
    unit: '{group}',
    description: 'properties and content owners that a tick could not judge',
  },
  daysJudged: {
    name: 'tributary.reports.days.judged',
    unit: '{day}',
    description: 'verdicts that were stored',
  },
  daysSettled: {
    name: 'tributary.reports.days.settled',
    unit: '{day}',
    description: 'verdicts that let a day be pulled',
  },
  slicesOrdered: {
    name: 'tributary.reports.slices.ordered',
    unit: '{slice}',
    description: 'slices that were put on the topic',
  },
  pushesRefused: {
    name: 'tributary.reports.pushes.refused',
    unit: '{request}',
    description: 'requests that are no push of Pub/Sub to this function, and messages that are no order',
  },
  ordersDelivered: {
    name: 'tributary.reports.orders.delivered',
    unit: '{message}',
    description: 'orders that Pub/Sub pushed, as often as it did',
  },
  ordersDone: {
    name: 'tributary.reports.orders.done',
    unit: '{message}',
    description: 'orders that were acknowledged',
  },
  ordersReturned: {
    name: 'tributary.reports.orders.returned',
    unit: '{message}',
    description: 'orders that Pub/Sub delivers again',
  },
  slicesPulled: {
    name: 'tributary.reports.slices.pulled',
    unit: '{slice}',
    description: 'slices that were published',
  },
  slicesRestated: {
    name: 'tributary.reports.slices.restated',
    unit: '{slice}',
    description: 'slices in which something had changed',
  },
  slicesDeferred: {
    name: 'tributary.reports.slices.deferred',
    unit: '{slice}',
    description: 'slices that were given back: quotas, and what is held back',
  },
  slicesFailed: {
    name: 'tributary.reports.slices.failed',
    unit: '{slice}',
    description: 'slices that an API refused',
  },
  rowsStored: {
    name: 'tributary.reports.rows.stored',
    unit: '{row}',
    description: 'rows of slices that were published',
  },
} satisfies Record<string, CountDescription>;

export type ReportsCounts = Counts<keyof typeof reportsCounts>;

/** Counts a tick, or `failed`. */
export function countTick(counts: ReportsCounts, tick: PollResult | 'failed'): void {
  counts.ticks++;
  if (tick === 'failed') {
    counts.ticksFailed++;
    return;
  }
  if (tick.kind === 'busy' || tick.kind === 'overtaken') counts.ticksYielded++;
  else counts.ticksPolled++;
  counts.groupsFailed += tick.failed;
  counts.daysJudged += tick.judged;
  counts.daysSettled += tick.settled;
  counts.slicesOrdered += tick.ordered;
}

/** Counts an order, or `failed`. */
export function countOrder(counts: ReportsCounts, result: PullResult | 'failed'): void {
  counts.ordersDelivered++;
  if (result === 'failed' || result.kind !== 'done') counts.ordersReturned++;
  else counts.ordersDone++;
  if (result === 'failed') return;
  counts.slicesPulled += result.pulled;
  counts.slicesRestated += result.restated;
  counts.slicesDeferred += result.deferred;
  counts.slicesFailed += result.failed;
  counts.rowsStored += result.rows;
}
