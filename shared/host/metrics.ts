import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createDurations, type DurationPoint } from './durations.ts';
import { log as writeLog } from './log.ts';
import type { Handler } from './registry.ts';

/** What is counted, as OpenTelemetry names it: https://opentelemetry.io/docs/specs/semconv/general/metrics/ */
export interface CountDescription {
  /** Lower case, its parts divided by dots. */
  readonly name: string;
  /** In the notation of UCUM: what is counted stands in braces, as `{event}`. */
  readonly unit: `{${string}}`;
  readonly description: string;
}

/** Counts since the last line; the hot path adds to them and does nothing else. */
export type Counts<Key extends string> = Record<Key, number>;

export interface Metrics<Key extends string> {
  readonly counts: Counts<Key>;
  /** The same handler, every request of it in `http.server.request.duration`. */
  timed(handler: Handler): Handler;
  /** Writes what was counted since the last time as one line, or nothing where that is nothing. */
  write(): void;
}

/** The line, as Cloud Logging's jsonPayload has it. Every number is what came since the line before it. */
export interface MetricsLine {
  readonly message: 'metrics';
  readonly function: string;
  /** One process: a restart has another. */
  readonly instance: string;
  /** How long it took for the counts to come together. */
  readonly interval_seconds: number;
  /** By metric name; what is 0 is left out. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly durations: readonly DurationPoint[];
}

export interface MetricsOptions<Key extends string> {
  /** The name of the function. */
  readonly name: string;
  readonly counted: Readonly<Record<Key, CountDescription>>;
  readonly log?: typeof writeLog;
}

/**
 * Counts for one function, which end as structured lines: on Cloud Run log-based metrics are made of them, so that no
 * exporter runs beside the function.
 */
export function createMetrics<Key extends string>({
  name,
  counted,
  log = writeLog,
}: MetricsOptions<Key>): Metrics<Key> {
  const counts = startCounts(counted);
  const described = Object.entries<CountDescription>(counted) as [Key, CountDescription][];
  const durations = createDurations();
  const instance = randomUUID();
  let writtenAt = performance.now();

  return {
    counts,
    timed: (handler) => async (request: IncomingMessage, response: ServerResponse) => {
      const began = performance.now();
      let status: number | undefined = 500;
      try {
        await handler(request, response);
        status = response.headersSent ? response.statusCode : undefined;
      } finally {
        durations.add(request.method, status, (performance.now() - began) / 1000);
      }
    },
    write() {
      const metrics: Record<string, number> = {};
      for (const [key, description] of described) {
        if (counts[key] === 0) continue;
        metrics[description.name] = counts[key];
        counts[key] = 0;
      }
      const points = durations.take();
      const now = performance.now();
      const seconds = Math.round(now - writtenAt) / 1000;
      writtenAt = now;
      if (Object.keys(metrics).length === 0 && points.length === 0) return;
      const line: MetricsLine = {
        message: 'metrics',
        function: name,
        instance,
        interval_seconds: seconds,
        metrics,
        durations: points,
      };
      const { message, ...fields } = line;
      log('INFO', message, fields);
    },
  };
}

/** All counts at 0. */
export function startCounts<Key extends string>(
  counted: Readonly<Record<Key, CountDescription>>,
): Counts<Key> {
  return Object.fromEntries(Object.keys(counted).map((key) => [key, 0])) as Counts<Key>;
}

/**
 * Writes a line every so many seconds, and the last one when the process exits, whatever it exits of but SIGKILL.
 *
 * On Cloud Run a process without a request may be given no CPU: a line is late then, and `interval_seconds` says by
 * how much.
 */
export function writeEvery(metrics: Pick<Metrics<string>, 'write'>, seconds: number): void {
  setInterval(metrics.write, seconds * 1000).unref();
  // After the requests are drained; and standard output is written synchronously where it is a pipe:
  // https://nodejs.org/api/process.html#a-note-on-process-io
  process.once('exit', metrics.write);
}
