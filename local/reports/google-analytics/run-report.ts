import type { Answer } from '../answer.ts';
import { metrics as knownMetrics } from '../truth/metrics.ts';
import type { HitFilter, PropertyTruth, Slice } from '../truth/property-slice.ts';
import { type CheckedReport, checkReport } from './check-report.ts';
import { ITEM_DIMENSIONS, ITEM_METRICS, THRESHOLDED_DIMENSIONS } from './fields.ts';
import { compileFilter, fieldsOf } from './filter.ts';
import type { ReportRequest } from './request.ts';

/** A report made: everything of Google's answer but `propertyQuota`, and what it cost. */
export interface MadeReport {
  body: Record<string, unknown>;
  tokens: number;
}

/** Rows with the values as text; `range` is the index of the date range. */
interface Row {
  dimensions: string[];
  metrics: number[];
}

/** Where sampling, thresholds and the row `(other)` bend a report. */
interface Bent {
  rows: Row[];
  totals: number[][];
  thresholded: boolean;
  other: boolean;
  samples: { read: number; space: number }[];
  hits: number;
}

const OTHER = '(other)';

/** Runs one report as of `now`. */
export function runReport(
  truth: PropertyTruth,
  request: ReportRequest,
  now: number,
): { value: MadeReport } | { refused: Answer } {
  const zone = truth.zoneAt(now);
  const checked = checkReport(request, zone, now);
  if ('refused' in checked) return checked;
  const bent = gather(truth, request, checked.value, now);
  const { seed } = truth;
  const names = [...request.dimensions.map(({ name }) => name)];
  if (checked.value.ranges.length > 1 && !names.includes('dateRange')) names.push('dateRange');
  const visible = request.metrics.filter(({ invisible }) => invisible !== true);
  const shown = visible.map(({ name }) => request.metrics.findIndex((it) => it.name === name));
  const types = request.metrics.map(({ name }) => typeOf(name));
  const write = (values: readonly number[]) =>
    shown.map((index) => ({
      value: writeNumber(values[index] ?? 0, types[index] ?? '', seed.floatIntegers),
    }));

  let rows = bent.rows;
  if (request.metricFilter !== undefined) {
    const wanted = request.metrics.map(({ name }) => name);
    const keeps = compileFilter(request.metricFilter, wanted);
    rows = rows.filter((row) => keeps(row.metrics.map(String)));
  }
  if (!request.keepEmptyRows && request.metrics.length > 0) {
    rows = rows.filter((row) => row.metrics.some((value) => value !== 0));
  }
  sortRows(rows, request, names);
  const { limit, offset } = checked.value;
  const page = rows.slice(offset, offset + limit);
  const restricted = seed.restrictedMetrics.filter(({ metric }) =>
    request.metrics.some(({ name }) => name === metric),
  );
  const body: Record<string, unknown> = {};
  if (names.length > 0) body.dimensionHeaders = names.map((name) => ({ name }));
  if (shown.length > 0) {
    body.metricHeaders = visible.map(({ name }) => ({ name, type: typeOf(name) }));
  }
  if (page.length > 0) {
    body.rows = page.map((row) => ({
      ...(names.length > 0 ? { dimensionValues: row.dimensions.map((value) => ({ value })) } : {}),
      metricValues: write(row.metrics),
    }));
  }
  Object.assign(body, aggregate(request, checked.value, names, rows, bent.totals, write));
  // A count of zero is left out, as protobuf's JSON leaves out every zero.
  if (rows.length > 0) body.rowCount = rows.length;
  body.metadata = {
    ...(bent.other ? { dataLossFromOtherRow: true } : {}),
    ...(restricted.length > 0
      ? {
          schemaRestrictionResponse: {
            activeMetricRestrictions: restricted.map(({ metric, type }) => ({
              metricName: metric,
              restrictedMetricTypes: [type],
            })),
          },
        }
      : {}),
    currencyCode: request.currencyCode ?? seed.currencyCode,
    timeZone: zone.name,
    ...(bent.thresholded ? { subjectToThresholding: true } : {}),
    ...(bent.samples.length > 0
      ? {
          samplingMetadatas: bent.samples.map(({ read, space }) => ({
            samplesReadCount: String(read),
            samplingSpaceSize: String(space),
          })),
        }
      : {}),
  };
  body.kind = 'analyticsData#runReport';
  return { value: { body, tokens: costOf(request, bent.hits, page.length) } };
}

/** How many of the reports ask for dimensions by which rows may be withheld. */
export function countThresholded(requests: readonly ReportRequest[], truth: PropertyTruth): number {
  return requests.filter(
    ({ dimensions }) =>
      truth.seed.thresholdUsers !== undefined && dimensions.some(({ name }) => isFine(name)),
  ).length;
}

/** By more than time and place: the rows of such a report may be so few people that they are withheld. */
function isFine(name: string): boolean {
  return (
    THRESHOLDED_DIMENSIONS.has(name) ||
    !/^(date|dateHour|hour|year|month|day|yearMonth|dayOfWeek|isoYearIsoWeek|hostName|platform|dateRange)$/.test(
      name,
    )
  );
}

function gather(truth: PropertyTruth, request: ReportRequest, { ranges }: CheckedReport, now: number): Bent {
  const { seed } = truth;
  const names = request.dimensions.map(({ name }) => name);
  const isOfItems = names.some((name) => ITEM_DIMENSIONS.has(name));
  const known = names.filter((name) => name !== 'dateRange' && !ITEM_DIMENSIONS.has(name));
  const metrics = request.metrics.map(({ name }) => name).filter((name) => !ITEM_METRICS.has(name));
  const places = request.metrics.map(({ name }) => metrics.indexOf(name));
  const hidden = new Set(seed.restrictedMetrics.map(({ metric }) => metric));
  const where = filterOf(request);
  const bent: Bent = { rows: [], totals: [], thresholded: false, other: false, samples: [], hits: 0 };
  const withRange = ranges.length > 1;
  const rangePlace = names.indexOf('dateRange');
  for (const range of ranges) {
    const query = {
      from: range.from,
      to: range.to,
      dimensions: known,
      metrics: [...metrics, 'totalUsers'],
      at: now,
    };
    let slice: Slice = truth.slice(where === undefined ? query : { ...query, where });
    let scale = 1;
    if (seed.sampledOverEvents !== undefined && slice.events > seed.sampledOverEvents) {
      const sampleShare = seed.sampledOverEvents / slice.events;
      const space = slice.events;
      slice = truth.slice(where === undefined ? { ...query, sampleShare } : { ...query, where, sampleShare });
      scale = slice.events === 0 ? 1 : space / slice.events;
      bent.samples.push({ read: slice.events, space });
    }
    bent.hits += slice.hits;
    const pick = (values: readonly number[]) =>
      places.map((place, index) => {
        const name = request.metrics[index]?.name ?? '';
        if (place < 0 || hidden.has(name)) return 0;
        const value = values[place] ?? 0;
        return scale === 1 || !isCounted(name) ? value : Math.round(value * scale);
      });
    let rows = slice.rows.map((row) => ({
      users: row.metrics.at(-1) ?? 0,
      dimensions: row.dimensions,
      metrics: pick(row.metrics),
    }));
    if (seed.thresholdUsers !== undefined && known.some(isFine)) {
      const least = seed.thresholdUsers;
      bent.thresholded = true;
      rows = rows.filter(({ users }) => users >= least);
    }
    if (seed.otherOverRows !== undefined && rows.length > seed.otherOverRows) {
      bent.other = true;
      rows = rollUp(rows, seed.otherOverRows, known, request);
    }
    for (const row of isOfItems ? [] : rows) {
      const dimensions = [...row.dimensions];
      if (withRange) dimensions.splice(rangePlace < 0 ? dimensions.length : rangePlace, 0, range.name);
      bent.rows.push({ dimensions, metrics: row.metrics });
    }
    bent.totals.push(pick(slice.totals));
  }
  return bent;
}

/** The rows past the largest become one, `(other)` in each dimension but those of time. */
function rollUp(
  rows: { users: number; dimensions: string[]; metrics: number[] }[],
  most: number,
  names: readonly string[],
  request: ReportRequest,
) {
  const counted = request.metrics.map(({ name }) => isCounted(name));
  const sorted = [...rows].sort(
    (a, b) => b.users - a.users || a.dimensions.join('\u0001').localeCompare(b.dimensions.join('\u0001')),
  );
  const kept = sorted.slice(0, most - 1);
  const others = new Map<string, (typeof rows)[number]>();
  for (const row of sorted.slice(most - 1)) {
    const dimensions = names.map((name, index) => (isFine(name) ? OTHER : (row.dimensions[index] ?? '')));
    const key = dimensions.join('\u0001');
    const other = others.get(key);
    if (other === undefined) others.set(key, { ...row, dimensions });
    else {
      other.users += row.users;
      other.metrics = other.metrics.map((value, index) =>
        counted[index] === true ? value + (row.metrics[index] ?? 0) : value,
      );
    }
  }
  return [...kept, ...others.values()];
}

function filterOf({ dimensionFilter }: ReportRequest): HitFilter | undefined {
  if (dimensionFilter === undefined) return undefined;
  const names = fieldsOf(dimensionFilter).filter((name) => !ITEM_DIMENSIONS.has(name));
  return { names, keeps: compileFilter(dimensionFilter, names) };
}

function sortRows(rows: Row[], { orderBys, metrics }: ReportRequest, names: readonly string[]): void {
  const orders = orderBys.map(({ desc, dimension, metric }) => {
    const sign = desc ? -1 : 1;
    if (metric !== undefined) {
      const place = metrics.findIndex(({ name }) => name === metric.metricName);
      return (a: Row, b: Row) => sign * ((a.metrics[place] ?? 0) - (b.metrics[place] ?? 0));
    }
    const place = names.indexOf(dimension?.dimensionName ?? '');
    const type = dimension?.orderType;
    const fold = (text: string) => (type === 'CASE_INSENSITIVE_ALPHANUMERIC' ? text.toLowerCase() : text);
    return (a: Row, b: Row) => {
      const [one, other] = [a.dimensions[place] ?? '', b.dimensions[place] ?? ''];
      if (type === 'NUMERIC') return sign * (Number(one) - Number(other));
      return sign * compare(fold(one), fold(other));
    };
  });
  // Without an order by Google's rows come by the first metric, the largest first.
  if (orders.length === 0) orders.push((a, b) => (b.metrics[0] ?? 0) - (a.metrics[0] ?? 0));
  rows.sort((a, b) => {
    for (const order of orders) {
      const sign = order(a, b);
      if (sign !== 0) return sign;
    }
    return 0;
  });
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function aggregate(
  request: ReportRequest,
  { ranges }: CheckedReport,
  names: readonly string[],
  rows: readonly Row[],
  totals: readonly number[][],
  write: (values: readonly number[]) => object[],
): Record<string, unknown> {
  const rangePlace = names.indexOf('dateRange');
  const made: Record<string, unknown> = {};
  const add = (
    field: string,
    reserved: string,
    valuesOf: (index: number, own: readonly Row[]) => number[],
  ) => {
    made[field] = ranges.map((range, index) => {
      const own = ranges.length > 1 ? rows.filter((row) => row.dimensions[rangePlace] === range.name) : rows;
      if (own.length === 0) return {};
      const dimensionValues = names.map((_, place) => ({
        value: place === rangePlace && ranges.length > 1 ? range.name : reserved,
      }));
      return {
        ...(names.length > 0 ? { dimensionValues } : {}),
        metricValues: write(valuesOf(index, own)),
      };
    });
  };
  const over = (pick: (...values: number[]) => number) => (_: number, own: readonly Row[]) =>
    request.metrics.map((__, place) =>
      own.map((row) => row.metrics[place] ?? 0).reduce((a, b) => pick(a, b)),
    );
  if (request.metricAggregations.includes('TOTAL')) {
    add('totals', 'RESERVED_TOTAL', (index) => totals[index] ?? []);
  }
  if (request.metricAggregations.includes('MAXIMUM')) add('maximums', 'RESERVED_MAX', over(Math.max));
  if (request.metricAggregations.includes('MINIMUM')) add('minimums', 'RESERVED_MIN', over(Math.min));
  return made;
}

function typeOf(name: string): string {
  if (name === 'itemRevenue') return 'TYPE_CURRENCY';
  return knownMetrics.get(name)?.type ?? 'TYPE_INTEGER';
}

/** A metric that grows with what it counts; a ratio does not. */
function isCounted(name: string): boolean {
  return !/(Rate|PerSession|PerUser|averageSessionDuration)$/.test(name);
}

function writeNumber(value: number, type: string, floatIntegers: boolean): string {
  if (Number.isInteger(value))
    return floatIntegers && type === 'TYPE_INTEGER' ? value.toFixed(1) : String(value);
  return String(value);
}

/** Google tells no formula: more for more columns, for more rows read and for more rows answered. Most cost below ten. */
function costOf(request: ReportRequest, hits: number, rows: number): number {
  const columns = request.dimensions.length + request.metrics.length;
  return 1 + Math.floor(columns / 4) + Math.ceil(hits / 4000) + Math.ceil(rows / 2000);
}
