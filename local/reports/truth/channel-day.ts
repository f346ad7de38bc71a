import type { ChannelSeed, OwnerSeed } from '../seed.ts';
import { countries, countryPlaces } from './catalogue.ts';
import { createDraws, drawCount, drawNormal, hash, hashText, share, weigh } from './hash.ts';
import { addDays, dayAt, startOfDay, utcMidnight, zoneOf } from './zones.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** YouTube's days begin and end at midnight there. */
export const YOUTUBE_ZONE = 'America/Los_Angeles';

/** What viewers came by; the last ones are younger than most lists of them (youtube/analytics/dimensions). */
const TRAFFIC_SOURCES: readonly [weight: number, type: string][] = [
  [260, 'YT_SEARCH'],
  [230, 'RELATED_VIDEO'],
  [200, 'SUBSCRIBER'],
  [70, 'EXT_URL'],
  [50, 'YT_CHANNEL'],
  [40, 'NO_LINK_OTHER'],
  [30, 'YT_OTHER_PAGE'],
  [25, 'PLAYLIST'],
  [20, 'NOTIFICATION'],
  [12, 'NO_LINK_EMBEDDED'],
  [10, 'ADVERTISING'],
  [9, 'END_SCREEN'],
  [60, 'SHORTS'],
  [6, 'HASHTAGS'],
  [5, 'SOUND_PAGE'],
  [3, 'VIDEO_REMIXES'],
  [2, 'LIVE_REDIRECT'],
];
export const trafficSources: readonly string[] = TRAFFIC_SOURCES.map(([, type]) => type);
const trafficPlaces = weigh(TRAFFIC_SOURCES.map(([weight]) => weight));
const DEVICES: readonly [weight: number, type: string][] = [
  [620, 'MOBILE'],
  [210, 'DESKTOP'],
  [110, 'TV'],
  [50, 'TABLET'],
  [8, 'GAME_CONSOLE'],
  [2, 'UNKNOWN_PLATFORM'],
];
export const viewerDevices: readonly string[] = DEVICES.map(([, type]) => type);
const devicePlaces = weigh(DEVICES.map(([weight]) => weight));
/** YouTube writes ZZ where the country is not known. */
export const viewerCountries: readonly string[] = countries.map(({ id }) => (id === '(not set)' ? 'ZZ' : id));

/** Some views alike of one channel on one Pacific day. */
export interface Viewing {
  /** The video's number; the channel's videos are counted from 0. */
  video: number;
  country: number;
  source: number;
  device: number;
  views: number;
  engagedViews: number;
  watchedSeconds: number;
  likes: number;
  dislikes: number;
  comments: number;
  shares: number;
  subscribersGained: number;
  subscribersLost: number;
  revenueMicros: number;
  /** Shown only from here on, or until then, for what is restated; else the whole time. */
  from: number;
  until: number;
}

/** The groups of metrics that become known together. */
export type MetricGroup = 'views' | 'subscribers' | 'revenue';

/** Since this day `views` counts each start; before, it was what `engagedViews` is (revision history, 2025-03-26). */
const SHORTS_COUNTED_FROM = '2025-03-31';

/** Makes a channel's day out of the seed alone: the same each time. */
export function makeChannelDay(
  channel: ChannelSeed,
  root: number,
  restatedRate: number,
  day: string,
): Viewing[] {
  const dayNumber = Math.round(utcMidnight(day) / DAY_MS);
  const zone = zoneOf(YOUTUBE_ZONE);
  const end = startOfDay(zone, addDays(day, 1));
  if (channel.zeroDays.includes(day)) return [];
  if (channel.createdAt !== undefined && end <= Date.parse(channel.createdAt)) return [];
  const draw = createDraws(hash(root, dayNumber, 1));
  const weekday = (dayNumber + 4) % 7;
  const mean =
    channel.viewsPerDay * (weekday === 0 || weekday === 6 ? 1.2 : 0.92) * Math.exp(0.2 * drawNormal(draw));
  const weight = Math.max(1, channel.viewsPerDay / 140);
  const restated = share(root, dayNumber, 2) < restatedRate;
  const restatedAt = end + (3 + share(root, dayNumber, 3) * 32) * DAY_MS;
  const isAdding = share(root, dayNumber, 4) < 0.5;
  const published = videosAt(channel, dayNumber);
  const counts = drawCount(mean / weight, draw);
  const viewings: Viewing[] = [];
  for (let index = 0; index < counts; index++) {
    const views = 1 + Math.floor(draw() * (2 * weight - 1));
    const age = Math.floor(Math.exp(draw() * Math.log(published + 1))) - 1;
    const some = (rate: number) => Math.floor(views * rate * draw() * 2 + draw());
    const changes = restated && (index === 0 || draw() < 0.05);
    viewings.push({
      video: Math.max(0, published - 1 - age),
      country: countryPlaces[Math.floor(draw() * 1024)] ?? 0,
      source: trafficPlaces[Math.floor(draw() * 1024)] ?? 0,
      device: devicePlaces[Math.floor(draw() * 1024)] ?? 0,
      views,
      engagedViews: day < SHORTS_COUNTED_FROM ? views : Math.floor(views * (0.6 + draw() * 0.4)),
      watchedSeconds: Math.floor(views * draw() * 420),
      likes: some(0.04),
      dislikes: some(0.004),
      comments: some(0.006),
      shares: some(0.008),
      subscribersGained: some(0.006),
      subscribersLost: some(0.002),
      revenueMicros: channel.monetized ? Math.floor(views * draw() * 3000) : 0,
      from: changes && isAdding ? restatedAt : Number.NEGATIVE_INFINITY,
      until: changes && !isAdding ? restatedAt : Number.POSITIVE_INFINITY,
    });
  }
  return viewings;
}

/** How many videos a channel has published by a day: its first ones before 2024, then one every five days. */
export function videosAt(channel: ChannelSeed, dayNumber: number): number {
  const since = dayNumber - Math.round(Date.UTC(2024, 0, 1) / DAY_MS);
  return Math.max(1, channel.videos + Math.floor(since / 5));
}

/** When the video of that number was published, as a day's number. */
export function publishedOn(channel: ChannelSeed, video: number): number {
  const first = Math.round(Date.UTC(2024, 0, 1) / DAY_MS);
  return first + (video + 1 - channel.videos) * 5;
}

/** The day's number on which a video was deleted; one in some hundred is, sooner or later. */
export function deletedOn(channel: ChannelSeed, video: number): number {
  const root = hash(hashText(channel.id), video);
  if (share(root, 1) >= channel.deletedVideosRate) return Number.POSITIVE_INFINITY;
  return publishedOn(channel, video) + 10 + Math.floor(share(root, 2) * 200);
}

export function videoId(channel: ChannelSeed, video: number): string {
  const root = hashText(channel.id);
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(hash(root, video, 1), 0);
  bytes.writeUInt32BE(hash(root, video, 2), 4);
  return bytes.toString('base64url').slice(0, 11);
}

/** When an owner's day is known, for a group of metrics: in epoch milliseconds, not before the days before it. */
export function readyAt(owner: OwnerSeed, day: string, group: MetricGroup): number {
  return remember(readyTimes, owner, day, group, () => {
    let latest = Number.NEGATIVE_INFINITY;
    for (let back = 0; back < 6; back++)
      latest = Math.max(latest, ownReadyAt(owner, addDays(day, -back), group));
    return latest;
  });
}

/** When one channel's rows of a day are there: with its owner's, or some hours after. */
export function channelReadyAt(
  owner: OwnerSeed,
  channel: ChannelSeed,
  day: string,
  group: MetricGroup,
): number {
  const key = Math.round(utcMidnight(day) / DAY_MS);
  const root = hashText(`straggler ${channel.id}`);
  const late = share(root, key, 1) < owner.stragglerRate ? share(root, key, 2) * 20 * HOUR_MS : 0;
  return readyAt(owner, day, group) + late;
}

/** The last day that is known at an instant; undefined when none of the last 60 is. */
export function lastKnownDay(
  owner: OwnerSeed,
  groups: readonly MetricGroup[],
  at: number,
): string | undefined {
  if (at === Number.POSITIVE_INFINITY) return '9999-12-31';
  let day = dayAt(zoneOf(YOUTUBE_ZONE), at);
  for (let back = 0; back < 60; back++) {
    const known = day;
    if (groups.every((group) => readyAt(owner, known, group) <= at)) return known;
    day = addDays(day, -1);
  }
  return undefined;
}

type Times = WeakMap<OwnerSeed, Map<string, number>>;
const readyTimes: Times = new WeakMap();
const ownReadyTimes: Times = new WeakMap();

function ownReadyAt(owner: OwnerSeed, day: string, group: MetricGroup): number {
  return remember(ownReadyTimes, owner, day, group, () => drawReadyAt(owner, day, group));
}

/** Kept, since every question asks it of several days. */
function remember(times: Times, owner: OwnerSeed, day: string, group: MetricGroup, find: () => number) {
  let own = times.get(owner);
  if (own === undefined) {
    own = new Map();
    times.set(owner, own);
  }
  const name = `${day} ${group}`;
  let found = own.get(name);
  if (found === undefined) {
    found = find();
    own.set(name, found);
  }
  return found;
}

function drawReadyAt(owner: OwnerSeed, day: string, group: MetricGroup): number {
  const key = Math.round(utcMidnight(day) / DAY_MS);
  const root = hashText(`owner ${owner.id}`);
  const lag = owner.medianLagHours * Math.exp(owner.spread * drawNormal(createDraws(hash(root, key))));
  const more =
    group === 'revenue' ? owner.revenueLagHours : group === 'subscribers' ? owner.subscribersLagHours : 0;
  const end = startOfDay(zoneOf(YOUTUBE_ZONE), addDays(day, 1));
  const at = end + (lag + more * (0.8 + 0.4 * share(root, key, 1))) * HOUR_MS;
  const outage = owner.processingOutages.find((it) => at >= Date.parse(it.from) && at < Date.parse(it.to));
  return outage === undefined ? at : Date.parse(outage.to) + share(root, key, 2) * HOUR_MS;
}
