import type { ReportsApis } from '../../../local/reports/index.ts';
import type { Seed } from '../../../local/reports/seed.ts';
import { addDays, daysBetween, startOfDay, zoneOf } from '../../../local/reports/truth/zones.ts';
import { percentile } from '../percentile.ts';
import type { FirstPull } from './judge.ts';

export interface RuleFigures {
  rule: string;
  propertyDays: number;
  /** Percent of property-days of which nothing changed after the day was taken. */
  rightPercent: number;
  medianDelayHours: number;
  worstDelayHours: number;
}

const HOUR_MS = 3_600_000;
/** Statsdash sends a daily report after two days whatever is missing, with a warning. */
const OVERRIDE_HOURS = 48;

/**
 * What other ways to decide would have taken for complete in the same world: Statsdash's 24 rows by hour, from one o'clock on
 * and after two days anyway; and a fixed lookback, after which a day is never read again.
 */
export function compareRules(
  apis: ReportsApis,
  seed: Seed,
  firsts: Iterable<FirstPull>,
  range: { from: string; to: string },
): RuleFigures[] {
  const ours = new Map<string, number>();
  for (const first of firsts) {
    if (first.report === 'site_summary') ours.set(`${first.entityId}|${first.date}`, first.at);
  }
  const taken: Record<string, { right: number; delays: number[] }> = {};
  const take = (rule: string, at: number, end: number, last: number) => {
    taken[rule] ??= { right: 0, delays: [] };
    taken[rule].delays.push((at - end) / HOUR_MS);
    if (last <= at) taken[rule].right++;
  };
  for (const property of seed.properties) {
    // Days of a change of zone have two lengths; they are left to the comparison of slices.
    if (property.zoneChanges.length > 0) continue;
    const zone = zoneOf(property.timeZone);
    for (const day of daysBetween(range.from, range.to)) {
      const first = ours.get(`${property.id}|${day}`);
      if (first === undefined) continue;
      const end = startOfDay(zone, addDays(day, 1));
      const last = apis.changesOf(property.id, day).at(-1) ?? 0;
      take('ours, first pull', first, end, last);
      take('24 rows by hour', whenFull(apis, property.id, day, end), end, last);
      take('two days, once', end + OVERRIDE_HOURS * HOUR_MS, end, last);
    }
  }
  return Object.entries(taken).map(([rule, { right, delays }]) => ({
    rule,
    propertyDays: delays.length,
    rightPercent: Math.round((right / delays.length) * 10_000) / 100,
    medianDelayHours: Math.round(percentile(delays, 0.5) * 10) / 10,
    worstDelayHours: Math.round(Math.max(...delays) * 10) / 10,
  }));
}

/** The first full hour at which 24 rows show. Rows only come, so the hours can be halved. */
function whenFull(apis: ReportsApis, propertyId: string, day: string, end: number): number {
  const isFull = (hours: number) => {
    const body = apis.answerAt(
      propertyId,
      {
        dateRanges: [{ startDate: day, endDate: day }],
        dimensions: [{ name: 'dateHour' }],
        metrics: [{ name: 'screenPageViews' }],
      },
      new Date(end + hours * HOUR_MS),
    ) as { rowCount?: number };
    return body.rowCount === 24;
  };
  let [low, high] = [1, OVERRIDE_HOURS];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isFull(middle)) high = middle;
    else low = middle + 1;
  }
  return end + low * HOUR_MS;
}
