import type { ReportsApis } from '../../../local/reports/index.ts';
import type { PropertySeed, Seed } from '../../../local/reports/seed.ts';
import { addDays, startOfDay, zoneOf } from '../../../local/reports/truth/zones.ts';
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

export interface RulesCompared {
  /** Takes the first attempt of a property's day. */
  take(first: FirstPull): void;
  figures(): RuleFigures[];
  /** Days of quiet sites that waited for longer than R2 and R3 say, in words; and how many were looked at. */
  quiet: { days: number; overdue: string[]; medianHours: () => number };
}

const HOUR_MS = 3_600_000;
/** Statsdash sends a daily report after two days whatever is missing, with a warning. */
const OVERRIDE_HOURS = 48;
/** As many views an hour at most as the quiet sites of the issue have. */
const QUIET_VIEWS = 8;
/**
 * R3 takes a quiet day once it is 24 hours old and nothing has changed for four. It looks every four hours, so that a change
 * may be seen four hours after it came and its rest four later; a probe that fails costs four again, and the schedule one.
 */
const R3_HOURS = 24;
const AFTER_CHANGE_HOURS = 8;
const SLACK_HOURS = 5;
/** A day whose last hours are empty is R3's once two later ones show something: until then its end may not have come. */
const LATER_HOURS = 2;
const LOOK_HOURS = 4;

/**
 * What other ways to decide would have taken for complete in the same world: Statsdash's 24 rows by hour, from one o'clock on
 * and after two days anyway; and a fixed lookback, after which a day is never read again. And whether quiet sites waited for
 * longer than the rules say.
 */
export function compareRules(apis: ReportsApis, seed: Seed): RulesCompared {
  const properties = new Map(seed.properties.map((property) => [property.id, property]));
  const taken: Record<string, { right: number; delays: number[] }> = {};
  const take = (rule: string, at: number, end: number, last: number) => {
    taken[rule] ??= { right: 0, delays: [] };
    taken[rule].delays.push((at - end) / HOUR_MS);
    if (last <= at) taken[rule].right++;
  };
  const overdue: string[] = [];
  const waited: number[] = [];
  const watch = (property: PropertySeed, first: FirstPull, end: number, changes: readonly number[]) => {
    if (property.viewsPerHour > QUIET_VIEWS || first.flags.length > 0) return;
    const lastSeen = changes.findLast((at) => at <= first.at) ?? end;
    const unchangedHours = Math.max(R3_HOURS, (lastSeen - end) / HOUR_MS + AFTER_CHANGE_HOURS) + SLACK_HOURS;
    // A day without one event is R4's, which waits for two days.
    if (changes.length === 0) return;
    waited.push(first.delayHours);
    if (first.delayHours <= unchangedHours) return;
    const followedHours = (whenFollowed(apis, property.id, first.date, end) - end) / HOUR_MS;
    const mayTakeHours = Math.max(unchangedHours, followedHours + LOOK_HOURS + SLACK_HOURS);
    if (first.delayHours <= mayTakeHours) return;
    const may = `${mayTakeHours.toFixed(1)} h`;
    overdue.push(
      `${first.entityId} ${first.date} ${first.rule} after ${first.delayHours.toFixed(1)} of ${may}`,
    );
  };
  return {
    quiet: {
      get days() {
        return waited.length;
      },
      overdue,
      medianHours: () => percentile(waited, 0.5),
    },
    take(first) {
      const property = properties.get(first.entityId);
      // Days of a change of zone have two lengths; they are left to the comparison of slices.
      if (first.report !== 'site_summary' || property === undefined || property.zoneChanges.length > 0)
        return;
      const end = startOfDay(zoneOf(property.timeZone), addDays(first.date, 1));
      const changes = apis.changesOf(property.id, first.date);
      const last = changes.at(-1) ?? 0;
      take('ours, first pull', first.at, end, last);
      take('24 rows by hour', whenFull(apis, property.id, first.date, end), end, last);
      take('two days, once', end + OVERRIDE_HOURS * HOUR_MS, end, last);
      watch(property, first, end, changes);
    },
    figures: () =>
      Object.entries(taken).map(([rule, { right, delays }]) => ({
        rule,
        propertyDays: delays.length,
        rightPercent: Math.round((right / delays.length) * 10_000) / 100,
        medianDelayHours: Math.round(percentile(delays, 0.5) * 10) / 10,
        worstDelayHours: Math.round(Math.max(...delays) * 10) / 10,
      })),
  };
}

/** The first full hour at which 24 rows show. */
function whenFull(apis: ReportsApis, propertyId: string, day: string, end: number): number {
  const isFull = (at: number) => showHours(apis, propertyId, day, day, at).length === 24;
  // Most sites never have 24 rows of a day.
  return firstHour(end, OVERRIDE_HOURS, isFull) ?? end + OVERRIDE_HOURS * HOUR_MS;
}

/** The first full hour at which the day's last hour shows something, or enough later ones do; at most three days. */
function whenFollowed(apis: ReportsApis, propertyId: string, day: string, end: number): number {
  const lastHour = `${day.replaceAll('-', '')}23`;
  const isFollowed = (at: number) => {
    const later = showHours(apis, propertyId, day, addDays(day, 2), at).filter((hour) => hour >= lastHour);
    return later.includes(lastHour) || later.length >= LATER_HOURS;
  };
  return firstHour(end, 3 * 24, isFollowed) ?? end + 3 * 24 * HOUR_MS;
}

/** Hours with events as YYYYMMDDHH. */
function showHours(apis: ReportsApis, propertyId: string, from: string, to: string, at: number): string[] {
  const body = apis.answerAt(
    propertyId,
    {
      dateRanges: [{ startDate: from, endDate: to }],
      dimensions: [{ name: 'dateHour' }],
      metrics: [{ name: 'screenPageViews' }],
    },
    new Date(at),
  ) as { rows?: { dimensionValues: { value: string }[] }[] };
  return (body.rows ?? []).flatMap(({ dimensionValues }) => dimensionValues[0]?.value ?? []);
}

/** Rows only come, so that the hours can be halved; undefined where it does not hold at the last of them. */
function firstHour(end: number, most: number, holds: (at: number) => boolean): number | undefined {
  let [low, high] = [1, most];
  if (!holds(end + high * HOUR_MS)) return undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(end + middle * HOUR_MS)) high = middle;
    else low = middle + 1;
  }
  return end + low * HOUR_MS;
}
