const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A time zone's clock from 2014 to 2040, found once: asking Intl for every hour of a year takes minutes. */
export interface Zone {
  name: string;
  /** How far the zone's clock is ahead of UTC at an instant, in milliseconds. */
  offsetAt(instantMs: number): number;
}

const zones = new Map<string, Zone>();

/** Throws a RangeError for a name that the tz database does not have. */
export function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = readZone(name);
  zones.set(name, zone);
  return zone;
}

/** The ISO day that the zone's calendar shows at an instant. */
export function dayAt(zone: Zone, instantMs: number): string {
  return isoDay(instantMs + zone.offsetAt(instantMs));
}

/** The instant at which an ISO day begins in the zone; where midnight is left out, the first instant after it. */
export function startOfDay(zone: Zone, day: string): number {
  const midnight = utcMidnight(day);
  let start = midnight - zone.offsetAt(midnight);
  start = midnight - zone.offsetAt(start);
  while (dayAt(zone, start) < day) start += HOUR_MS / 2;
  while (dayAt(zone, start - HOUR_MS / 2) === day) start -= HOUR_MS / 2;
  return start;
}

export function utcMidnight(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

export function isoDay(utcMs: number): string {
  const number = Math.floor(utcMs / DAY_MS);
  const known = isoDays.get(number);
  if (known !== undefined) return known;
  const day = new Date(utcMs).toISOString().slice(0, 10);
  isoDays.set(number, day);
  return day;
}

/** A few thousand at the most: the days of the truth. */
const isoDays = new Map<number, string>();

export function addDays(day: string, days: number): string {
  return isoDay(utcMidnight(day) + days * DAY_MS);
}

/** The days from one to another, both included. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let at = utcMidnight(from); at <= utcMidnight(to); at += DAY_MS) days.push(isoDay(at));
  return days;
}

function readZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const read = (instantMs: number): number => {
    const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return (
      Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute')) -
      Math.floor(instantMs / 60_000) * 60_000
    );
  };
  const starts: number[] = [Number.NEGATIVE_INFINITY];
  const offsets: number[] = [];
  const readAll = (): void => {
    const first = Date.UTC(2014, 0, 1);
    offsets.push(read(first));
    for (let at = first; at < Date.UTC(2040, 0, 1); at += 7 * DAY_MS) {
      const before = offsets.at(-1) ?? 0;
      if (read(at + 7 * DAY_MS) === before) continue;
      let [low, high] = [at, at + 7 * DAY_MS];
      while (high - low > 60_000) {
        const middle = Math.floor((low + high) / 120_000) * 60_000;
        if (read(middle) === before) low = middle;
        else high = middle;
      }
      starts.push(high);
      offsets.push(read(high));
    }
  };
  let last = 0;
  return {
    name,
    offsetAt(instantMs) {
      if (offsets.length === 0) readAll();
      while (last > 0 && instantMs < (starts[last] ?? 0)) last--;
      while (last + 1 < starts.length && instantMs >= (starts[last + 1] ?? 0)) last++;
      return offsets[last] ?? 0;
    },
  };
}
