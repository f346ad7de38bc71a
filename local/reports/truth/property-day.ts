import type { PropertySeed } from '../seed.ts';
import { type Arrival, arrivalOf, type Restatement, restatementsOf } from './arrival.ts';
import {
  countryPlaces,
  devicePlaces,
  FIXED_PAGES,
  NOT_SET_SOURCE,
  PAGE_VARIANTS,
  sourcePlaces,
} from './catalogue.ts';
import { createDraws, drawCount, drawNormal, hash, share } from './hash.ts';
import { utcMidnight, type Zone, zoneOf } from './zones.ts';

const HOUR_MS = 3_600_000;

/** Bits of a hit's `flags`. */
export const REST_OF_HOUR = 1;
export const LATE = 2;
export const MOVED = 4;
export const REMOVED = 8;
export const NEW_USER = 16;
export const ENGAGED = 32;

/** An hour of the clock of a property: two of them have one label when the clocks go back. */
export interface Cell {
  start: number;
  hour: number;
  arrival: Arrival;
}

/**
 * The traffic of a property on one of its days, in columns. A hit is one page of one visit of a group of `weight` people;
 * the hits of a visit stand side by side.
 */
export interface PropertyDay {
  day: string;
  dayNumber: number;
  cells: Cell[];
  restatements: Restatement[];
  length: number;
  cell: Uint8Array;
  flags: Uint8Array;
  visit: Int32Array;
  group: Int32Array;
  weight: Int32Array;
  page: Int32Array;
  landing: Int32Array;
  source: Uint8Array;
  country: Uint8Array;
  device: Uint8Array;
  views: Int32Array;
  events: Int32Array;
  engagementSeconds: Int32Array;
  /** In hundredths: attribution gives parts of one to several. */
  keyEvents: Int32Array;
  revenueCents: Int32Array;
}

/** The zones of a property, from when each is in force. */
export interface ZoneSpan {
  from: number;
  to: number;
  zone: Zone;
}

export function zoneSpans(property: PropertySeed): ZoneSpan[] {
  const changes = [
    { at: Number.NEGATIVE_INFINITY, timeZone: property.timeZone },
    ...property.zoneChanges.map(({ at, timeZone }) => ({ at: Date.parse(at), timeZone })),
  ];
  return changes.map(({ at, timeZone }, index) => ({
    from: at,
    to: changes[index + 1]?.at ?? Number.POSITIVE_INFINITY,
    zone: zoneOf(timeZone),
  }));
}

/** The zone that the property has at an instant. */
export function zoneAt(spans: readonly ZoneSpan[], instant: number): Zone {
  const span = spans.find(({ from, to }) => instant >= from && instant < to);
  if (span === undefined) throw new Error('A property always has a zone.');
  return span.zone;
}

/** Makes the traffic of a day out of the seed alone: the same each time. */
export function makePropertyDay(
  property: PropertySeed,
  root: number,
  spans: readonly ZoneSpan[],
  day: string,
): PropertyDay {
  const cells = cellsOf(property, root, spans, day);
  const lastCell = cells.at(-1);
  const restatements = lastCell === undefined ? [] : restatementsOf(property, root, lastCell.start + HOUR_MS);
  const columns = {
    cell: [] as number[],
    flags: [] as number[],
    visit: [] as number[],
    group: [] as number[],
    weight: [] as number[],
    page: [] as number[],
    landing: [] as number[],
    source: [] as number[],
    country: [] as number[],
    device: [] as number[],
    views: [] as number[],
    events: [] as number[],
    engagementSeconds: [] as number[],
    keyEvents: [] as number[],
    revenueCents: [] as number[],
  };
  const dayNumber = Math.round(utcMidnight(day) / (24 * HOUR_MS));
  const meanWeight = Math.max(1, property.viewsPerHour / 70);
  const visitsPerHour = property.viewsPerHour / (VIEWS_PER_VISIT * meanWeight);
  const groups = Math.max(30, Math.round(visitsPerHour * 48));
  const dayFactor = property.shape === 'flat' ? 1 : dayShare(root, dayNumber);
  const isRestated = (kind: Restatement['kind']) => restatements.some((it) => it.kind === kind);
  const [isLate, isMoved, isRemoved] = [isRestated('late'), isRestated('moved'), isRestated('removed')];
  let visit = 0;
  for (const [index, { start, hour, arrival }] of cells.entries()) {
    const minute = Math.floor(start / 60_000);
    const draw = createDraws(hash(root, minute, 1));
    const mean = visitsPerHour * dayFactor * (property.shape === 'flat' ? 1 : hourShare(hour));
    const visits = isSilent(property, day, start) ? 0 : drawCount(mean, draw);
    const isSplit = arrival.rest > arrival.views;
    for (let made = 0; made < visits; made++, visit++) {
      const group = Math.floor(draw() ** 2 * groups);
      const weight = 1 + Math.floor(share(root, group, 11) * (2 * meanWeight - 1));
      const source = sourcePlaces[Math.floor(draw() * 1024)] ?? 0;
      const country = countryPlaces[(hash(root, group, 12) + (draw() < 0.05 ? 511 : 0)) % 1024] ?? 0;
      const device = devicePlaces[hash(root, group, 13) % 1024] ?? 0;
      const pages = pagesOf(draw());
      const engaged = draw() < 0.65;
      let flags = engaged ? ENGAGED : 0;
      if (hash(root, group, dayNumber) % 10 < 3) flags |= NEW_USER;
      if (isSplit && draw() < 0.4) flags |= REST_OF_HOUR;
      // The first visit of the day is always among those that change, so that a restatement changes something.
      if (isLate && (visit === 0 || draw() < 0.02)) flags |= LATE;
      if (isMoved && source === NOT_SET_SOURCE) flags |= MOVED;
      if (isRemoved && (visit === 0 || draw() < 0.01)) flags |= REMOVED;
      const landing = drawPage(draw, dayNumber);
      for (let page = 0; page < pages; page++) {
        const views = weight * (draw() < 0.1 ? 2 : 1);
        const converts = draw() < 0.03;
        columns.cell.push(index);
        columns.flags.push(flags);
        columns.visit.push(visit);
        columns.group.push(group);
        columns.weight.push(weight);
        columns.page.push(page === 0 ? landing : drawPage(draw, dayNumber));
        columns.landing.push(landing);
        columns.source.push(source);
        columns.country.push(country);
        columns.device.push(device);
        columns.views.push(views);
        columns.events.push(views * 3 + (page === 0 ? weight * 2 : 0));
        columns.engagementSeconds.push(engaged ? weight * Math.floor(draw() * 90) : 0);
        columns.keyEvents.push(converts ? weight * (draw() < 0.5 ? 100 : 33) : 0);
        columns.revenueCents.push(converts ? weight * Math.floor(draw() * 5000) : 0);
      }
    }
  }
  return {
    day,
    dayNumber,
    cells,
    restatements,
    length: columns.cell.length,
    cell: Uint8Array.from(columns.cell),
    flags: Uint8Array.from(columns.flags),
    visit: Int32Array.from(columns.visit),
    group: Int32Array.from(columns.group),
    weight: Int32Array.from(columns.weight),
    page: Int32Array.from(columns.page),
    landing: Int32Array.from(columns.landing),
    source: Uint8Array.from(columns.source),
    country: Uint8Array.from(columns.country),
    device: Uint8Array.from(columns.device),
    views: Int32Array.from(columns.views),
    events: Int32Array.from(columns.events),
    engagementSeconds: Int32Array.from(columns.engagementSeconds),
    keyEvents: Int32Array.from(columns.keyEvents),
    revenueCents: Int32Array.from(columns.revenueCents),
  };
}

/** 1.6 pages a visit, 1.1 views a page. */
const VIEWS_PER_VISIT = 1.76;

function pagesOf(drawn: number): number {
  if (drawn < 0.6) return 1;
  if (drawn < 0.85) return 2;
  return drawn < 0.95 ? 3 : 4;
}

/** A fixed page at times, else an article: the newest are read most, and each day has two new ones. */
function drawPage(draw: () => number, dayNumber: number): number {
  if (draw() < 0.2) return Math.floor(draw() ** 2 * FIXED_PAGES.length);
  const age = Math.floor(Math.exp(draw() * Math.log(400))) - 1;
  const number = Math.max(0, (dayNumber - 16_000) * 2 - age);
  const drawn = draw();
  const variant = drawn < 0.7 ? 0 : drawn < 0.85 ? 1 : drawn < 0.95 ? 2 : 3;
  return FIXED_PAGES.length + number * PAGE_VARIANTS + variant;
}

/** The hours of which the label is the day: those of a change of zone too, each under the zone that was in force. */
function cellsOf(property: PropertySeed, root: number, spans: readonly ZoneSpan[], day: string): Cell[] {
  const midnight = utcMidnight(day);
  const cells: Cell[] = [];
  for (let at = midnight - 16 * HOUR_MS; at < midnight + 40 * HOUR_MS; at += HOUR_MS) {
    const zone = zoneAt(spans, at);
    // The hours of a zone begin where its clock does: at half past in India.
    const start = at + (((-zone.offsetAt(at) % HOUR_MS) + HOUR_MS) % HOUR_MS);
    if (zoneAt(spans, start) !== zone) continue;
    const sinceMidnight = start + zone.offsetAt(start) - midnight;
    if (sinceMidnight < 0 || sinceMidnight >= 24 * HOUR_MS) continue;
    const hour = Math.floor(sinceMidnight / HOUR_MS);
    cells.push({ start, hour, arrival: arrivalOf(property, root, start) });
  }
  return cells;
}

function isSilent(property: PropertySeed, day: string, start: number): boolean {
  const { createdAt, deletedAt, silences, zeroDays } = property;
  return (
    (createdAt !== undefined && start < Date.parse(createdAt)) ||
    (deletedAt !== undefined && start >= Date.parse(deletedAt)) ||
    zeroDays.includes(day) ||
    silences.some(({ from, to }) => start >= Date.parse(from) && start < Date.parse(to))
  );
}

function hourShare(hour: number): number {
  return 1 + 0.75 * Math.cos(((hour - 15) / 24) * 2 * Math.PI);
}

function dayShare(root: number, dayNumber: number): number {
  // Day 0 was a Thursday.
  const weekday = (dayNumber + 4) % 7;
  const noise = Math.exp(0.12 * drawNormal(createDraws(hash(root, dayNumber, 14))));
  return (weekday === 0 || weekday === 6 ? 0.8 : 1.08) * noise;
}
