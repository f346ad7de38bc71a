import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { metricsEntry } from './log-metrics.ts';
import type { ProcessEvent } from './processes/supervise.ts';

export interface MetricsForwarder {
  /** Takes what a process reports, and keeps the lines of metrics. */
  observe(event: ProcessEvent): void;
  /** Lets it rest for good. */
  stop(): void;
}

/** The id is that of Cloud Logging, where an entry that is sent again under its id counts once. */
type Line = { service: string; insertId: string; entry: z.infer<typeof metricsEntry> };

const tryAgainMs = 500;
const mostWaiting = 10_000;

/**
 * Hands the lines of metrics that functions write to `send`, as the collector of Cloud Run's logs would: in order, and
 * again when it fails, since the process that takes them may just be restarting. What was taken though its answer was
 * lost comes twice, under one `insertId`.
 */
export function createMetricsForwarder(send: (line: Line) => Promise<unknown>): MetricsForwarder {
  const waiting: Line[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isSending = false;
  let isStopped = false;

  async function flush(): Promise<void> {
    if (isSending || isStopped) return;
    isSending = true;
    try {
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        await send(next);
        waiting.shift();
      }
    } catch {
      timer = setTimeout(() => void flush(), tryAgainMs);
      timer.unref();
    } finally {
      isSending = false;
    }
  }

  return {
    observe(event) {
      if (event.kind !== 'line' || !event.line.includes('"message":"metrics"')) return;
      const parsed = metricsEntry.safeParse(parseJson(event.line));
      if (!parsed.success || waiting.length >= mostWaiting) return;
      waiting.push({ service: event.name, insertId: randomUUID(), entry: parsed.data });
      void flush();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
