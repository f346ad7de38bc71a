import type { PropertySeed } from '../seed.ts';
import { createDraws, drawNormal, share } from './hash.ts';

const HOUR_MS = 3_600_000;
/** Hours are processed in batches, which share a lag. */
const BATCH_MS = 6 * HOUR_MS;

/** When the figures of one hour of traffic show, in epoch milliseconds. */
export interface Arrival {
  views: number;
  /** Users and visits. */
  users: number;
  engagement: number;
  /** The rest of an hour of which a part came first; else that of `views`. */
  rest: number;
}

/** Draws when the hour that begins at `start` is shown: each metric group at its own time, hours out of order. */
export function arrivalOf(property: PropertySeed, root: number, start: number): Arrival {
  const { lag, processingOutages } = property;
  const minute = Math.floor(start / 60_000);
  const batch = Math.floor(start / BATCH_MS);
  const batchHours = lag.medianHours * Math.exp(lag.spread * drawNormal(createDraws(root + batch * 7919)));
  const straggles = share(root, minute, 3) < lag.stragglerRate;
  const hours =
    batchHours +
    share(root, minute, 2) * lag.jitterHours +
    (straggles ? -Math.log(1 - share(root, minute, 4)) * lag.stragglerHours : 0);
  const after = (moreHours: number): number => {
    const at = start + HOUR_MS + Math.round(Math.min(hours + moreHours, 71) * HOUR_MS);
    const outage = processingOutages.find((it) => at >= Date.parse(it.from) && at < Date.parse(it.to));
    return outage === undefined ? at : Date.parse(outage.to) + Math.round(share(root, minute, 5) * HOUR_MS);
  };
  const splits = share(root, minute, 6) < lag.splitRate;
  return {
    views: after(0),
    users: after(share(root, minute, 7) * lag.metricHours),
    engagement: after(share(root, minute, 8) * 2 * lag.metricHours),
    rest: after(splits ? -Math.log(1 - share(root, minute, 9)) * 4 : 0),
  };
}

/** What changes of a day after it was shown. `at` is an instant. */
export interface Restatement {
  kind: 'late' | 'moved' | 'removed';
  at: number;
}

/** Draws the restatements of a day that ends at `end`; most days have none. */
export function restatementsOf(property: PropertySeed, root: number, end: number): Restatement[] {
  const { lateRate, movedRate, removedRate, afterDay28Rate } = property.restatements;
  const rates: [Restatement['kind'], number][] = [
    ['late', lateRate],
    ['moved', movedRate],
    ['removed', removedRate],
  ];
  const key = Math.floor(end / 60_000);
  return rates.flatMap(([kind, rate], index) => {
    if (share(root, key, 20 + index) >= rate) return [];
    const isAfterDay28 = share(root, key, 30 + index) < afterDay28Rate;
    const ageDays = share(root, key, 40 + index) * (isAfterDay28 ? 12 : 26) + (isAfterDay28 ? 28.5 : 1);
    return [{ kind, at: end + Math.round(ageDays * 24 * HOUR_MS) }];
  });
}
