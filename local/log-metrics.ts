import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { LoggedValue } from './monitoring/index.ts';

const fileSchema = z.object({
  metrics: z.array(z.object({ name: z.string(), count: z.string(), unit: z.string() })),
});

/** A log-based metric of infra/log-metrics.json; `count` is what the lines of the functions call it. */
export type LogMetricDefinition = z.infer<typeof fileSchema>['metrics'][number];

export function readLogMetrics(): LogMetricDefinition[] {
  const file = new URL('../infra/log-metrics.json', import.meta.url);
  return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).metrics;
}

/** A line of metrics as a function writes it. */
export const metricsEntry = z.looseObject({
  message: z.literal('metrics'),
  function: z.string(),
  interval_seconds: z.number(),
  metrics: z.record(z.string(), z.number()),
});

/** The values that the metrics take from an entry, as Cloud Logging would by their filters and extractors. */
export function extractValues(
  definitions: readonly LogMetricDefinition[],
  service: string,
  entry: z.infer<typeof metricsEntry>,
): LoggedValue[] {
  return definitions.flatMap(({ name, count }) => {
    const value = entry.metrics[count];
    if (value === undefined || value <= 0) return [];
    return [{ name, service, labels: { function: entry.function }, value, seconds: entry.interval_seconds }];
  });
}
