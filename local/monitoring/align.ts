import { invalid } from './refuse.ts';
import { addValues, type Point, type Series } from './series.ts';

/** google.monitoring.v3.Aggregation as it comes over the wire. */
export interface Aggregation {
  readonly alignmentPeriod?: { readonly seconds?: string } | null;
  readonly perSeriesAligner?: string;
  readonly crossSeriesReducer?: string;
  readonly groupByFields?: readonly string[];
}

/** Milliseconds since 1970; a point belongs to it when it ends after the start and not after the end. */
export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Aligns each series to periods that end with the interval, then adds up those of one group.
 * Of Google's aligners ALIGN_DELTA, ALIGN_SUM and ALIGN_MAX, of its reducers REDUCE_SUM and REDUCE_MAX are supported.
 */
export function aggregate(series: readonly Series[], interval: Interval, given: Aggregation): Series[] {
  const { perSeriesAligner: aligner = 'ALIGN_NONE', crossSeriesReducer: reducer = 'REDUCE_NONE' } = given;
  if (aligner === 'ALIGN_NONE') {
    if (reducer === 'REDUCE_NONE') return [...series];
    throw invalid(`The aggregation.crossSeriesReducer ${reducer} needs an aggregation.perSeriesAligner.`);
  }
  const periodSeconds = Number(given.alignmentPeriod?.seconds ?? 0);
  if (!(periodSeconds >= 60)) throw invalid('The aggregation.alignmentPeriod must be at least 60 seconds.');
  const aligned = series.map((one) => align(one, interval, aligner, periodSeconds * 1000));
  if (reducer === 'REDUCE_NONE') return aligned;
  const combine = reducers[reducer];
  if (combine === undefined) throw invalid(`The aggregation.crossSeriesReducer ${reducer} is not supported.`);
  const keep = readGroupBy(given.groupByFields ?? []);
  const groups = new Map<string, Series>();
  for (const one of aligned) {
    const reduced: Series = { ...one, ...keep(one) };
    const key = JSON.stringify([reduced.metric, reduced.resource]);
    const group = groups.get(key);
    groups.set(
      key,
      group === undefined ? reduced : { ...group, points: joinPoints(group, reduced, combine) },
    );
  }
  return [...groups.values()];
}

type Combine = (one: Point['value'], other: Point['value']) => Point['value'];

const highest: Combine = (one, other) => Math.max(Number(one), Number(other));
const reducers: Readonly<Record<string, Combine>> = { REDUCE_SUM: addValues, REDUCE_MAX: highest };
const aligners: Readonly<Record<string, { kinds: readonly string[]; combine: Combine }>> = {
  ALIGN_DELTA: { kinds: ['DELTA'], combine: addValues },
  ALIGN_SUM: { kinds: ['DELTA', 'GAUGE'], combine: addValues },
  ALIGN_MAX: { kinds: ['GAUGE'], combine: highest },
};

function align(series: Series, interval: Interval, aligner: string, periodMs: number): Series {
  const found = aligners[aligner];
  if (found === undefined) throw invalid(`The aggregation.perSeriesAligner ${aligner} is not supported.`);
  const { metricKind, valueType, type } = series.descriptor;
  if (!found.kinds.includes(metricKind)) {
    throw invalid(`The aligner ${aligner} cannot be applied to ${type} of the kind ${metricKind}.`);
  }
  const periods = new Map<number, Point['value']>();
  for (const { endMs, value } of series.points) {
    const fromEnd = Math.floor((interval.endMs - endMs) / periodMs);
    const before = periods.get(fromEnd);
    periods.set(fromEnd, before === undefined ? value : found.combine(before, value));
  }
  const points = [...periods]
    .sort(([a], [b]) => b - a)
    .map(([fromEnd, value]) => {
      const endMs = interval.endMs - fromEnd * periodMs;
      return { startMs: endMs - periodMs, endMs, value };
    });
  return { ...series, descriptor: { ...series.descriptor, valueType }, points };
}

function joinPoints(one: Series, other: Series, combine: Combine): Point[] {
  const joined = new Map(one.points.map((point) => [point.endMs, point]));
  for (const point of other.points) {
    const same = joined.get(point.endMs);
    joined.set(
      point.endMs,
      same === undefined ? point : { ...same, value: combine(same.value, point.value) },
    );
  }
  return [...joined.values()].sort((a, b) => a.endMs - b.endMs);
}

/** Leaves of a series what tells its group from others: the labels that are named. */
function readGroupBy(fields: readonly string[]): (series: Series) => Pick<Series, 'metric' | 'resource'> {
  const parsed = fields.map((field) => {
    const [, kind, label] = /^(metric|resource)\.labels?\.(\w+)$/.exec(field) ?? [];
    if (kind === undefined || label === undefined) {
      throw invalid(
        `The aggregation.groupByFields "${field}" is not supported; labels of metric and resource are.`,
      );
    }
    return { kind, label };
  });
  const pick = (kind: string, labels: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      parsed
        .filter((it) => it.kind === kind && labels[it.label] !== undefined)
        .map(({ label }) => [label, labels[label] ?? '']),
    );
  return ({ metric, resource }) => ({
    metric: { type: metric.type, labels: pick('metric', metric.labels) },
    resource: {
      type: resource.type,
      labels: { project_id: resource.labels.project_id ?? '', ...pick('resource', resource.labels) },
    },
  });
}
