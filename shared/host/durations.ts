/** One series of `http.server.request.duration`, of the requests that came since the last line. */
export interface DurationPoint {
  readonly name: typeof requestDuration.name;
  readonly 'http.request.method': string;
  /** Absent where the sender went away before it was answered. */
  readonly 'http.response.status_code'?: number;
  readonly count: number;
  /** Seconds, as is the longest. */
  readonly sum: number;
  readonly max: number;
  /** How many lasted at most as long as each of `durationBounds`, and last how many lasted longer. */
  readonly bucket_counts: readonly number[];
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration */
export const requestDuration = {
  name: 'http.server.request.duration',
  unit: 's',
  description: 'how long requests took, by method and status',
} as const;

/** Upper bounds in seconds, as that convention advises. */
export const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export interface Durations {
  add(method: string | undefined, status: number | undefined, seconds: number): void;
  /** What was added since the last time. */
  take(): DurationPoint[];
}

interface Series {
  readonly method: string;
  readonly status: number | undefined;
  count: number;
  sum: number;
  max: number;
  buckets: number[];
}

export function createDurations(): Durations {
  const all = new Map<string, Series>();

  const find = (given: string | undefined, status: number | undefined): Series => {
    // The convention's word for what a sender made up: every other method would be a series of its own.
    const method = given !== undefined && known.has(given) ? given : '_OTHER';
    const key = `${method} ${status}`;
    const found = all.get(key);
    if (found !== undefined) return found;
    const made: Series = {
      method,
      status,
      count: 0,
      sum: 0,
      max: 0,
      buckets: new Array<number>(durationBounds.length + 1).fill(0),
    };
    all.set(key, made);
    return made;
  };

  return {
    add(method, status, seconds) {
      const series = find(method, status);
      series.count++;
      series.sum += seconds;
      if (seconds > series.max) series.max = seconds;
      let bucket = 0;
      while (bucket < durationBounds.length && seconds > durationBounds[bucket]!) bucket++;
      series.buckets[bucket]!++;
    },
    take() {
      const points = [...all.values()].map(
        ({ method, status, count, sum, max, buckets }): DurationPoint => ({
          name: requestDuration.name,
          'http.request.method': method,
          ...(status === undefined ? {} : { 'http.response.status_code': status }),
          count,
          sum: toMicroseconds(sum),
          max: toMicroseconds(max),
          bucket_counts: buckets,
        }),
      );
      all.clear();
      return points;
    },
  };
}

const toMicroseconds = (seconds: number) => Math.round(seconds * 1e6) / 1e6;

const known = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);
