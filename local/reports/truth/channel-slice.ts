import type { ChannelSeed, OwnerSeed } from '../seed.ts';
import {
  channelReadyAt,
  deletedOn,
  lastKnownDay,
  type MetricGroup,
  makeChannelDay,
  trafficSources,
  type Viewing,
  videoId,
  videosAt,
  viewerCountries,
  viewerDevices,
  YOUTUBE_ZONE,
} from './channel-day.ts';
import { hash, hashText } from './hash.ts';
import { keepRecent } from './keep-recent.ts';
import { dayAt, daysBetween, isoDay, startOfDay, utcMidnight, zoneOf } from './zones.ts';

/** A question about some channels' views. Days are Pacific. */
export interface ChannelQuery {
  from: string;
  to: string;
  dimensions: readonly string[];
  metrics: readonly string[];
  /** Values of dimensions that are kept. */
  filters?: ReadonlyMap<string, readonly string[]>;
  /** What was shown at this instant in epoch milliseconds; `Infinity` is what will be shown in the end. */
  at: number;
  /** With what was before the owner took the channel in. Default false. */
  includeHistorical?: boolean;
}

export interface ChannelSlice {
  rows: { dimensions: string[]; metrics: number[] }[];
  /** The last day that all the metrics have; what is later is not in the rows. */
  lastDay: string | undefined;
}

type Sums = Pick<
  Viewing,
  | 'views'
  | 'engagedViews'
  | 'watchedSeconds'
  | 'likes'
  | 'dislikes'
  | 'comments'
  | 'shares'
  | 'subscribersGained'
  | 'subscribersLost'
  | 'revenueMicros'
>;

export interface ChannelMetric {
  group: MetricGroup;
  dataType: 'INTEGER' | 'FLOAT';
  value(sums: Sums): number;
}

function whole(group: MetricGroup, value: (sums: Sums) => number): ChannelMetric {
  return { group, dataType: 'INTEGER', value };
}

const secondsAView = (sums: Sums) => (sums.views === 0 ? 0 : sums.watchedSeconds / sums.views);

/** The metrics that the fake knows, by YouTube's names (youtube/analytics/metrics). */
export const channelMetrics: ReadonlyMap<string, ChannelMetric> = new Map<string, ChannelMetric>([
  ['views', whole('views', (sums) => sums.views)],
  ['engagedViews', whole('views', (sums) => sums.engagedViews)],
  ['estimatedMinutesWatched', whole('views', (sums) => Math.floor(sums.watchedSeconds / 60))],
  ['averageViewDuration', whole('views', (sums) => Math.floor(secondsAView(sums)))],
  [
    'averageViewPercentage',
    { group: 'views', dataType: 'FLOAT', value: (sums) => Math.min(100, (secondsAView(sums) / 480) * 100) },
  ],
  ['likes', whole('views', (sums) => sums.likes)],
  ['dislikes', whole('views', (sums) => sums.dislikes)],
  ['comments', whole('views', (sums) => sums.comments)],
  ['shares', whole('views', (sums) => sums.shares)],
  ['subscribersGained', whole('subscribers', (sums) => sums.subscribersGained)],
  ['subscribersLost', whole('subscribers', (sums) => sums.subscribersLost)],
  [
    'estimatedRevenue',
    { group: 'revenue', dataType: 'FLOAT', value: (sums) => Math.round(sums.revenueMicros / 1000) / 1000 },
  ],
]);

/** The dimensions, each with how it is read of a viewing. */
export const channelDimensions: ReadonlyMap<
  string,
  (viewing: Viewing, day: string, channel: ChannelSeed) => string
> = new Map<string, (viewing: Viewing, day: string, channel: ChannelSeed) => string>([
  ['day', (_, day) => day],
  ['month', (_, day) => day.slice(0, 7)],
  ['channel', (_, __, channel) => channel.id],
  ['country', (viewing) => viewerCountries[viewing.country] ?? 'ZZ'],
  ['video', (viewing, _, channel) => videoId(channel, viewing.video)],
  ['insightTrafficSourceType', (viewing) => trafficSources[viewing.source] ?? ''],
  ['deviceType', (viewing) => viewerDevices[viewing.device] ?? ''],
]);

export interface ChannelTruth {
  seed: ChannelSeed;
  owner: OwnerSeed;
  day(day: string): Viewing[];
  /** What all of a day is together; undefined where some of it is restated, and so not shown all the time. */
  total(day: string): Viewing | undefined;
  /** The instants at which what is shown of a day changes, ascending. */
  changesOf(day: string): readonly number[];
  /** The numbers of the videos by their ids, of all that are published on a day's number. */
  videos(dayNumber: number): ReadonlyMap<string, number>;
}

/** Of so many days it is remembered when they change. */
const KEPT_CHANGES = 100;

/** The owner of a channel that is nobody's: its days come as those of owners do. */
export function createChannelTruth(
  worldSeed: number,
  seed: ChannelSeed,
  owner: OwnerSeed,
  keptDays: number,
): ChannelTruth {
  const root = hash(worldSeed, hashText(`channel ${seed.id}`));
  const numbers = new Map<string, number>();
  const dayOf = keepRecent(keptDays, (day: string) => makeChannelDay(seed, root, owner.restatedRate, day));
  return {
    seed,
    owner,
    day: dayOf,
    changesOf: keepRecent(KEPT_CHANGES, (day: string) => changesOf(seed, owner, day, dayOf(day))),
    total: keepRecent(keptDays, (day: string) => addUp(dayOf(day))),
    videos(dayNumber) {
      for (const count = videosAt(seed, dayNumber); numbers.size < count; ) {
        numbers.set(videoId(seed, numbers.size), numbers.size);
      }
      return numbers;
    },
  };
}

/** What the channels, all of one owner, show together. Days that not all metrics have are left out without a word. */
export function sliceChannels(channels: readonly ChannelTruth[], query: ChannelQuery): ChannelSlice {
  const metrics = query.metrics.map((name) => {
    const metric = channelMetrics.get(name);
    if (metric === undefined) throw new RangeError(`There is no metric ${name}.`);
    return metric;
  });
  const read = query.dimensions.map((name) => {
    const dimension = channelDimensions.get(name);
    if (dimension === undefined) throw new RangeError(`There is no dimension ${name}.`);
    return dimension;
  });
  const groups = [...new Set(metrics.map(({ group }) => group))];
  const owner = channels[0]?.owner;
  const lastDay = owner === undefined ? undefined : lastKnownDay(owner, groups, query.at);
  if (lastDay === undefined || lastDay < query.from) return { rows: [], lastDay };
  // ISO days sort as text.
  const [to = query.to] = [lastDay, query.to].sort();
  const rows = new Map<string, { dimensions: string[]; sums: Sums; least: number }>();
  const byVideo = query.dimensions.includes('video') || query.filters?.has('video') === true;
  // Whatever is asked of a channel's day as a whole need not be added up each time.
  const isOf = (name: string) => name === 'day' || name === 'month' || name === 'channel';
  const isWhole = [...query.dimensions, ...(query.filters?.keys() ?? [])].every(isOf);
  const today = Number.isFinite(query.at)
    ? Math.round(utcMidnight(dayAt(zoneOf(YOUTUBE_ZONE), query.at)) / 86_400_000)
    : Number.POSITIVE_INFINITY;
  for (const channel of channels) {
    const linked = channel.seed.linkedAt === undefined ? 0 : Date.parse(channel.seed.linkedAt);
    for (const day of daysBetween(query.from, to)) {
      if (
        query.at !== Number.POSITIVE_INFINITY &&
        !groups.every((group) => channelReadyAt(channel.owner, channel.seed, day, group) <= query.at)
      ) {
        continue;
      }
      if (query.includeHistorical !== true && startOfDay(zoneOf(YOUTUBE_ZONE), day) < linked) continue;
      const total = isWhole ? channel.total(day) : undefined;
      for (const viewing of total === undefined ? channel.day(day) : [total]) {
        if (query.at < viewing.from || hasCome(viewing.until, query.at)) continue;
        // What was deleted still counts for its channel, but no longer as a video.
        if (byVideo && hasCome(deletedOn(channel.seed, viewing.video), today)) continue;
        if (!isKept(viewing, day, channel.seed, query.filters)) continue;
        const dimensions = read.map((dimension) => dimension(viewing, day, channel.seed));
        const key = dimensions.join('\u0001');
        let row = rows.get(key);
        if (row === undefined) {
          row = { dimensions, sums: noSums(), least: channel.seed.anonymizedBelowViews };
          rows.set(key, row);
        }
        add(row.sums, viewing);
      }
    }
  }
  const byCountry = query.dimensions.includes('country');
  return {
    lastDay,
    rows: [...rows.values()]
      .filter(({ sums, least }) => !byCountry || sums.views >= least)
      .map(({ dimensions, sums }) => ({ dimensions, metrics: metrics.map((metric) => metric.value(sums)) })),
  };
}

/** What never comes has not come in the end either. */
const hasCome = (at: number, now: number): boolean => at <= now && at !== Number.POSITIVE_INFINITY;

function isKept(
  viewing: Viewing,
  day: string,
  channel: ChannelSeed,
  filters: ReadonlyMap<string, readonly string[]> | undefined,
): boolean {
  for (const [name, values] of filters ?? []) {
    const read = channelDimensions.get(name);
    if (name !== 'channel' && read !== undefined && !values.includes(read(viewing, day, channel)))
      return false;
  }
  return true;
}

function changesOf(
  channel: ChannelSeed,
  owner: OwnerSeed,
  day: string,
  viewings: readonly Viewing[],
): number[] {
  const instants = new Set<number>();
  for (const group of ['views', 'subscribers', 'revenue'] as const)
    instants.add(channelReadyAt(owner, channel, day, group));
  for (const { from, until, video } of viewings) {
    const deleted = deletedOn(channel, video);
    const deletedAt = Number.isFinite(deleted)
      ? startOfDay(zoneOf(YOUTUBE_ZONE), isoDay(deleted * 86_400_000))
      : deleted;
    for (const at of [from, until, deletedAt]) if (Number.isFinite(at)) instants.add(at);
  }
  return [...instants].sort((a, b) => a - b);
}

function addUp(viewings: readonly Viewing[]): Viewing | undefined {
  const [first] = viewings;
  if (first === undefined) return undefined;
  if (viewings.some(({ from, until }) => Number.isFinite(from) || Number.isFinite(until))) return undefined;
  const sums = noSums();
  for (const viewing of viewings) add(sums, viewing);
  return { ...first, ...sums };
}

function noSums(): Sums {
  return {
    views: 0,
    engagedViews: 0,
    watchedSeconds: 0,
    likes: 0,
    dislikes: 0,
    comments: 0,
    shares: 0,
    subscribersGained: 0,
    subscribersLost: 0,
    revenueMicros: 0,
  };
}

function add(sums: Sums, viewing: Viewing): void {
  sums.views += viewing.views;
  sums.engagedViews += viewing.engagedViews;
  sums.watchedSeconds += viewing.watchedSeconds;
  sums.likes += viewing.likes;
  sums.dislikes += viewing.dislikes;
  sums.comments += viewing.comments;
  sums.shares += viewing.shares;
  sums.subscribersGained += viewing.subscribersGained;
  sums.subscribersLost += viewing.subscribersLost;
  sums.revenueMicros += viewing.revenueMicros;
}
