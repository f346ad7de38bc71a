import type { PropertySeed } from '../seed.ts';
import { type Page, pageOf } from './catalogue.ts';
import { type Dimension, dimensions as knownDimensions } from './dimensions.ts';
import { hash, hashText, share } from './hash.ts';
import { keepRecent } from './keep-recent.ts';
import { addMetrics, createSums, metrics as knownMetrics, type MetricSums } from './metrics.ts';
import {
  LATE,
  makePropertyDay,
  type PropertyDay,
  REMOVED,
  REST_OF_HOUR,
  zoneAt,
  zoneSpans,
} from './property-day.ts';
import { daysBetween, type Zone } from './zones.ts';

/** A question about a property's traffic. Days are the property's own. */
export interface PropertyQuery {
  /** ISO days, both included. */
  from: string;
  to: string;
  dimensions: readonly string[];
  metrics: readonly string[];
  /** Keeps a hit by the value of one of any dimensions; given a function that tells the values of a hit. */
  where?: HitFilter;
  /** What was shown at this instant in epoch milliseconds; `Infinity` is what will be shown in the end. */
  at: number;
  /** Keeps the visits of this share only, for sampled answers. Default all. */
  sampleShare?: number;
}

/** `names` are the dimensions it asks for; `keeps` is given their values, in that order. */
export interface HitFilter {
  names: readonly string[];
  keeps(values: readonly string[]): boolean;
}

export interface SliceRow {
  dimensions: string[];
  metrics: number[];
}

export interface Slice {
  rows: SliceRow[];
  /** Over every hit, as Google's TOTAL: users and visits are counted anew, never added up. */
  totals: number[];
  /** Hits that were looked at, shown or not: what a report costs. */
  hits: number;
  /** Events that were shown in the range. */
  events: number;
}

/** One property's traffic. */
export interface PropertyTruth {
  seed: PropertySeed;
  zoneAt(instant: number): Zone;
  day(day: string): PropertyDay;
  slice(query: PropertyQuery): Slice;
  /** The instants at which what is shown of a day changes, ascending. */
  changesOf(day: string): readonly number[];
}

/** Of so many days it is remembered when they change, a kilobyte each. */
const KEPT_CHANGES = 100;

export function createPropertyTruth(worldSeed: number, seed: PropertySeed, keptDays: number): PropertyTruth {
  const root = hash(worldSeed, hashText(`property ${seed.id}`));
  const spans = zoneSpans(seed);
  const day = keepRecent(keptDays, (it: string) => makePropertyDay(seed, root, spans, it));
  const changes = keepRecent(KEPT_CHANGES, (it: string) => changesOf(day(it)));
  const pages = new Map<number, Page>();
  const page = (code: number): Page => {
    const known = pages.get(code);
    if (known !== undefined) return known;
    const made = pageOf(root, code);
    pages.set(code, made);
    return made;
  };
  return {
    seed,
    zoneAt: (instant) => zoneAt(spans, instant),
    day,
    slice: (query) => sliceOf(query, { host: seed.host, page }, root, day),
    changesOf: changes,
  };
}

/** What of a day is shown at an instant. */
interface Shown {
  views: boolean[];
  users: boolean[];
  engagement: boolean[];
  rest: boolean[];
  late: boolean;
  moved: boolean;
  removed: boolean;
}

function shownAt(day: PropertyDay, at: number): Shown {
  const has = (kind: string) => day.restatements.some((it) => it.kind === kind && it.at <= at);
  const cells = day.cells.map(({ arrival }) => arrival);
  return {
    views: cells.map(({ views }) => views <= at),
    users: cells.map(({ users }) => users <= at),
    engagement: cells.map(({ engagement }) => engagement <= at),
    rest: cells.map(({ rest }) => rest <= at),
    late: has('late'),
    moved: has('moved'),
    removed: has('removed'),
  };
}

function sliceOf(
  query: PropertyQuery,
  property: { host: string; page(code: number): Page },
  root: number,
  dayOf: (day: string) => PropertyDay,
): Slice {
  const columns = query.dimensions.map((name) => readColumn(name, property));
  const filtered = (query.where?.names ?? []).map((name) => readColumn(name, property));
  const keptBefore = new Map<string, boolean>();
  const metrics = query.metrics.map((name) => {
    const metric = knownMetrics.get(name);
    if (metric === undefined) throw new RangeError(`There is no metric ${name}.`);
    return metric;
  });
  const needsUsers = metrics.some((metric) => metric.needsUsers);
  const rows = new Map<string | number, { texts: string[]; sums: MetricSums }>();
  const total = createSums();
  let hits = 0;
  for (const date of daysBetween(query.from, query.to)) {
    const day = dayOf(date);
    const shown = shownAt(day, query.at);
    hits += day.length;
    for (let hit = 0; hit < day.length; hit++) {
      const flags = day.flags[hit] ?? 0;
      const cell = day.cell[hit] ?? 0;
      if ((flags & REMOVED) !== 0 && shown.removed) continue;
      if ((flags & LATE) !== 0 && !shown.late) continue;
      if ((flags & REST_OF_HOUR) !== 0 && !shown.rest[cell]) continue;
      const showsViews = shown.views[cell] === true;
      const showsUsers = shown.users[cell] === true;
      const showsEngagement = shown.engagement[cell] === true;
      if (!showsViews && !showsUsers && !showsEngagement) continue;
      if (query.sampleShare !== undefined && isLeftOut(root, day, hit, query.sampleShare)) continue;
      if (query.where !== undefined) {
        const ids = filtered.map((column) => column.idOf(day, hit, shown.moved));
        const key = ids.join();
        let keeps = keptBefore.get(key);
        if (keeps === undefined) {
          keeps = query.where.keeps(filtered.map((column, index) => column.textOf(ids[index] ?? 0)));
          keptBefore.set(key, keeps);
        }
        if (!keeps) continue;
      }
      let key: string | number = 0;
      for (const [index, column] of columns.entries()) {
        const id = column.idOf(day, hit, shown.moved);
        // Numbers are faster than texts, and two ids fit into one.
        key = index === 0 ? id : index === 1 && typeof key === 'number' ? key * 1e7 + id : `${key},${id}`;
      }
      let row = rows.get(key);
      if (row === undefined) {
        const texts = columns.map((column) => column.textOf(column.idOf(day, hit, shown.moved)));
        row = { texts, sums: createSums() };
        rows.set(key, row);
      }
      addMetrics(row.sums, day, hit, showsViews, showsUsers, showsEngagement, needsUsers);
      addMetrics(total, day, hit, showsViews, showsUsers, showsEngagement, needsUsers);
    }
  }
  const noiseOf = (texts: readonly string[]) => hash(root, hashText(texts.join('\u0001')));
  return {
    rows: [...rows.values()].map(({ texts, sums }) => {
      const noise = needsUsers ? noiseOf(texts) : 0;
      return { dimensions: texts, metrics: metrics.map((metric) => metric.value(sums, noise)) };
    }),
    totals: metrics.map((metric) => metric.value(total, needsUsers ? noiseOf(['RESERVED_TOTAL']) : 0)),
    hits,
    events: total.events,
  };
}

interface Column {
  idOf(day: PropertyDay, hit: number, isMoved: boolean): number;
  textOf(id: number): string;
}

/** Two raws of one text are one id: the AMP page has the title of the plain one. */
function readColumn(name: string, property: { host: string; page(code: number): Page }): Column {
  const dimension: Dimension | undefined = knownDimensions.get(name);
  if (dimension === undefined) throw new RangeError(`There is no dimension ${name}.`);
  const ids = new Map<number, number>();
  const idsOfTexts = new Map<string, number>();
  const texts: string[] = [];
  return {
    idOf(day, hit, isMoved) {
      const raw = dimension.raw(day, hit, isMoved);
      const known = ids.get(raw);
      if (known !== undefined) return known;
      const text = dimension.text(raw, property);
      let id = idsOfTexts.get(text);
      if (id === undefined) {
        id = texts.length;
        texts.push(text);
        idsOfTexts.set(text, id);
      }
      ids.set(raw, id);
      return id;
    },
    textOf: (id) => texts[id] ?? '',
  };
}

function isLeftOut(root: number, day: PropertyDay, hit: number, sampleShare: number): boolean {
  return share(root, day.dayNumber, day.visit[hit] ?? 0, 15) >= sampleShare;
}

function changesOf(day: PropertyDay): number[] {
  const instants = new Set<number>();
  const hitsOf = new Set(day.cell);
  for (const [index, { arrival }] of day.cells.entries()) {
    if (!hitsOf.has(index)) continue;
    for (const at of [arrival.views, arrival.users, arrival.engagement, arrival.rest]) instants.add(at);
  }
  if (day.length > 0) for (const { at } of day.restatements) instants.add(at);
  return [...instants].sort((a, b) => a - b);
}
