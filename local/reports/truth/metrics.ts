import { share } from './hash.ts';
import { ENGAGED, NEW_USER, type PropertyDay } from './property-day.ts';

/** What is gathered for one row. */
export interface MetricSums {
  views: number;
  events: number;
  engagementSeconds: number;
  keyEvents: number;
  revenueCents: number;
  visits: number;
  engagedVisits: number;
  users: number;
  activeUsers: number;
  newUsers: number;
  lastVisit: number;
  /** Made with the first user. */
  groups: Set<number> | undefined;
}

export function createSums(): MetricSums {
  return {
    views: 0,
    events: 0,
    engagementSeconds: 0,
    keyEvents: 0,
    revenueCents: 0,
    visits: 0,
    engagedVisits: 0,
    users: 0,
    activeUsers: 0,
    newUsers: 0,
    lastVisit: -1,
    groups: undefined,
  };
}

/** Adds one hit, of which some metrics may not show yet. */
export function addMetrics(
  sums: MetricSums,
  day: PropertyDay,
  hit: number,
  showsViews: boolean,
  showsUsers: boolean,
  showsEngagement: boolean,
  needsUsers: boolean,
): void {
  if (showsViews) {
    sums.views += day.views[hit] ?? 0;
    sums.events += day.events[hit] ?? 0;
  }
  if (showsEngagement) {
    sums.engagementSeconds += day.engagementSeconds[hit] ?? 0;
    sums.keyEvents += day.keyEvents[hit] ?? 0;
    sums.revenueCents += day.revenueCents[hit] ?? 0;
  }
  if (!showsUsers || !needsUsers) return;
  const weight = day.weight[hit] ?? 0;
  const flags = day.flags[hit] ?? 0;
  const visit = day.dayNumber * 1_000_000 + (day.visit[hit] ?? 0);
  if (visit !== sums.lastVisit) {
    sums.lastVisit = visit;
    sums.visits += weight;
    if ((flags & ENGAGED) !== 0) sums.engagedVisits += weight;
  }
  const group = day.group[hit] ?? 0;
  sums.groups ??= new Set();
  if (sums.groups.has(group)) return;
  sums.groups.add(group);
  sums.users += weight;
  if (group % 20 !== 0) sums.activeUsers += weight;
  if ((flags & NEW_USER) !== 0) sums.newUsers += weight;
}

export interface Metric {
  type: 'TYPE_INTEGER' | 'TYPE_FLOAT' | 'TYPE_SECONDS' | 'TYPE_CURRENCY';
  /** It counts people or visits, which takes longer. */
  needsUsers: boolean;
  /** `noise` is the row's own number, from which the error of estimates is drawn. */
  value(sums: MetricSums, noise: number): number;
}

/** The metrics that the fake knows, by Google's names (data/v1/api-schema). Users and visits are estimates. */
export const metrics: ReadonlyMap<string, Metric> = new Map<string, Metric>([
  ['screenPageViews', count((sums) => sums.views)],
  ['eventCount', count((sums) => sums.events)],
  ['userEngagementDuration', { ...count((sums) => sums.engagementSeconds), type: 'TYPE_SECONDS' }],
  ['keyEvents', { ...count((sums) => sums.keyEvents / 100), type: 'TYPE_FLOAT' }],
  ['conversions', { ...count((sums) => sums.keyEvents / 100), type: 'TYPE_FLOAT' }],
  ['purchaseRevenue', { ...count((sums) => sums.revenueCents / 100), type: 'TYPE_CURRENCY' }],
  ['totalRevenue', { ...count((sums) => sums.revenueCents / 100), type: 'TYPE_CURRENCY' }],
  ['sessions', estimate('visits', 1)],
  ['engagedSessions', estimate('engagedVisits', 2)],
  ['totalUsers', estimate('users', 3)],
  ['activeUsers', estimate('activeUsers', 4)],
  ['newUsers', estimate('newUsers', 5)],
  ['screenPageViewsPerSession', ratio((sums) => sums.views, 'visits', 1)],
  ['screenPageViewsPerUser', ratio((sums) => sums.views, 'activeUsers', 4)],
  ['eventsPerSession', ratio((sums) => sums.events, 'visits', 1)],
  ['eventCountPerUser', ratio((sums) => sums.events, 'users', 3)],
  ['sessionsPerUser', ratio((sums, noise) => estimated(sums.visits, noise, 1), 'activeUsers', 4)],
  [
    'averageSessionDuration',
    { ...ratio((sums) => sums.engagementSeconds, 'visits', 1), type: 'TYPE_SECONDS' },
  ],
  ['engagementRate', ratio((sums, noise) => estimated(sums.engagedVisits, noise, 2), 'visits', 1)],
  [
    'bounceRate',
    ratio(
      (sums, noise) =>
        Math.max(0, estimated(sums.visits, noise, 1) - estimated(sums.engagedVisits, noise, 2)),
      'visits',
      1,
    ),
  ],
]);

type Counted = 'visits' | 'engagedVisits' | 'users' | 'activeUsers' | 'newUsers';

function count(value: (sums: MetricSums) => number): Metric {
  return { type: 'TYPE_INTEGER', needsUsers: false, value };
}

function estimate(of: Counted, salt: number): Metric {
  return {
    type: 'TYPE_INTEGER',
    needsUsers: true,
    value: (sums, noise) => estimated(sums[of], noise, salt),
  };
}

function ratio(part: (sums: MetricSums, noise: number) => number, whole: Counted, salt: number): Metric {
  return {
    type: 'TYPE_FLOAT',
    needsUsers: true,
    value(sums, noise) {
      const base = estimated(sums[whole], noise, salt);
      return base === 0 ? 0 : part(sums, noise) / base;
    },
  };
}

/** Within one percent, as HyperLogLog++ counts; exact while it is few. A row's error is its own and stays. */
function estimated(counted: number, noise: number, salt: number): number {
  if (counted < 60) return counted;
  return counted + Math.round(counted * 0.01 * (2 * share(noise, salt) - 1));
}
