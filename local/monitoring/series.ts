/** Google's descriptor of a metric, as far as it is served. */
export interface MetricDescriptor {
  readonly type: string;
  readonly metricKind: 'GAUGE' | 'DELTA';
  readonly valueType: 'INT64' | 'DISTRIBUTION';
  readonly unit: string;
}

/** What many values had in common; a whole number is one of a count of 1 whose mean it is. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly sumOfSquaredDeviation: number;
}

export interface Point {
  /** Milliseconds since 1970; of a gauge both are the same. */
  readonly startMs: number;
  readonly endMs: number;
  /** A number where the metric is INT64. */
  readonly value: number | Distribution;
}

export interface Series {
  readonly metric: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
  readonly descriptor: MetricDescriptor;
  /** Oldest first. */
  readonly points: readonly Point[];
}

export interface SeriesStore {
  /** Makes the metric known, so that asking for it is no mistake while it has no points yet. */
  define(descriptor: MetricDescriptor): void;
  descriptorOf(type: string): MetricDescriptor | undefined;
  /** Adds a point. What a DELTA has within one minute becomes one, as Cloud Monitoring keeps them. */
  add(identity: Pick<Series, 'metric' | 'resource'>, point: Point): void;
  all(): Iterable<Series>;
}

const keptMs = 24 * 3_600_000;
const minuteMs = 60_000;

/** Keeps the points of a day in memory. */
export function createSeriesStore(): SeriesStore {
  const descriptors = new Map<string, MetricDescriptor>();
  const series = new Map<string, Series & { points: Point[] }>();
  return {
    define(descriptor) {
      descriptors.set(descriptor.type, descriptor);
    },
    descriptorOf: (type) => descriptors.get(type),
    add({ metric, resource }, point) {
      const descriptor = descriptors.get(metric.type);
      if (descriptor === undefined) throw new Error(`The metric ${metric.type} is not defined.`);
      const key = JSON.stringify([metric, resource]);
      const found = series.get(key) ?? { metric, resource, descriptor, points: [] };
      series.set(key, found);
      const { points } = found;
      const last = points.at(-1);
      const minuteOf = (ms: number) => Math.floor(ms / minuteMs);
      if (
        descriptor.metricKind === 'DELTA' &&
        last !== undefined &&
        minuteOf(last.endMs) === minuteOf(point.endMs)
      ) {
        points[points.length - 1] = {
          startMs: last.startMs,
          endMs: point.endMs,
          value: addValues(last.value, point.value),
        };
      } else points.push(point);
      while (points[0] !== undefined && points[0].endMs < point.endMs - keptMs) points.shift();
    },
    all: () => series.values(),
  };
}

/** Both together: numbers are added, distributions merged. */
export function addValues(one: Point['value'], other: Point['value']): Point['value'] {
  if (typeof one === 'number' && typeof other === 'number') return one + other;
  const [a, b] = [toDistribution(one), toDistribution(other)];
  const count = a.count + b.count;
  if (count === 0) return a;
  const apart = b.mean - a.mean;
  return {
    count,
    mean: a.mean + (apart * b.count) / count,
    sumOfSquaredDeviation:
      a.sumOfSquaredDeviation + b.sumOfSquaredDeviation + (apart * apart * a.count * b.count) / count,
  };
}

const toDistribution = (value: Point['value']): Distribution =>
  typeof value === 'number' ? { count: 1, mean: value, sumOfSquaredDeviation: 0 } : value;
