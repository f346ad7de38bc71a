import { status } from '@grpc/grpc-js';
import { type Aggregation, aggregate, type Interval } from './align.ts';
import { matches, parseFilter } from './filter.ts';
import { invalid, refuse } from './refuse.ts';
import type { Point, Series, SeriesStore } from './series.ts';

interface Timestamp {
  readonly seconds?: string;
  readonly nanos?: number;
}

/** google.monitoring.v3.ListTimeSeriesRequest as it comes over the wire. */
export interface ListTimeSeriesRequest {
  readonly name?: string;
  readonly filter?: string;
  readonly interval?: { readonly startTime?: Timestamp | null; readonly endTime?: Timestamp | null } | null;
  readonly aggregation?: Aggregation | null;
  readonly secondaryAggregation?: Aggregation | null;
  readonly orderBy?: string;
  readonly view?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** Google shows a sample minutes after it was taken; here an interval that ends so near to now reaches until now. */
const nowMs = 60_000;
/** https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list: the largest page. */
const largestPage = 100_000;

/** Answers MetricService.ListTimeSeries. Throws a Refusal for what Google or this server does not take. */
export function listTimeSeries(
  store: SeriesStore,
  project: string,
  request: ListTimeSeriesRequest,
  now: number,
): { timeSeries: object[]; nextPageToken: string; unit: string } {
  const { name = '', view = 'FULL', orderBy = '', pageToken = '' } = request;
  if (name !== `projects/${project}`) {
    throw refuse(status.NOT_FOUND, `Field name had an invalid value of "${name}": there is no such project.`);
  }
  if (orderBy !== '') throw invalid('Field orderBy is unsupported: must be left blank.');
  if (pageToken !== '') throw invalid('Field pageToken is not supported by the local Monitoring.');
  if (request.secondaryAggregation) {
    throw invalid('Field secondaryAggregation is not supported by the local Monitoring.');
  }
  const filter = parseFilter(request.filter ?? '');
  const interval = readInterval(request.interval, now);
  const descriptor = store.descriptorOf(filter.metricType);
  if (descriptor === undefined) {
    throw refuse(
      status.NOT_FOUND,
      `Cannot find metric(s) that match type = "${filter.metricType}". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon.`,
    );
  }
  const inside = (point: Point) => point.endMs > interval.startMs && point.endMs <= interval.endMs;
  const found = [...store.all()]
    .filter((series) => matches(filter, series))
    .map((series) => ({ ...series, points: series.points.filter(inside) }))
    .filter(({ points }) => points.length > 0);
  const series = aggregate(found, interval, request.aggregation ?? {});
  const most = Number(request.pageSize) > 0 ? Math.min(Number(request.pageSize), largestPage) : largestPage;
  const size =
    view === 'HEADERS' ? series.length : series.reduce((sum, { points }) => sum + points.length, 0);
  if (size > most) {
    throw invalid(
      `The answer has ${size} entries, more than a page of ${most}, and the local Monitoring has no pages.`,
    );
  }
  return {
    timeSeries: series.map((one) => toTimeSeries(one, view === 'HEADERS')),
    nextPageToken: '',
    unit: descriptor.unit,
  };
}

function readInterval(given: ListTimeSeriesRequest['interval'], now: number): Interval {
  if (!given?.endTime) throw invalid('Field interval.endTime is required.');
  const toMs = ({ seconds = '0', nanos = 0 }: Timestamp) => Number(seconds) * 1000 + nanos / 1e6;
  const endMs = toMs(given.endTime);
  const startMs = given.startTime ? toMs(given.startTime) : endMs;
  if (startMs > endMs) throw invalid('Field interval.startTime must not be later than interval.endTime.');
  return { startMs, endMs: Math.abs(now - endMs) < nowMs ? Math.max(now, endMs) : endMs };
}

function toTimeSeries({ metric, resource, descriptor, points }: Series, headersOnly: boolean): object {
  return {
    metric,
    resource,
    metricKind: descriptor.metricKind,
    valueType: descriptor.valueType,
    unit: descriptor.unit,
    // Newest first.
    points: headersOnly ? [] : points.toReversed().map(toPoint),
  };
}

function toPoint({ startMs, endMs, value }: Point): object {
  return {
    interval: { startTime: toTimestamp(startMs), endTime: toTimestamp(endMs) },
    value: typeof value === 'number' ? { int64Value: String(value) } : { distributionValue: value },
  };
}

const toTimestamp = (ms: number): Timestamp => ({
  seconds: String(Math.floor(ms / 1000)),
  nanos: Math.round((ms % 1000) * 1e6),
});
