import { z } from 'zod';
import { readSql } from './read-sql.ts';
import { type Counts, windowStart } from './slices.ts';
import type { Steps } from './steps.ts';

export interface RowCounts {
  /** In the recent window. */
  readonly minutes: Counts;
  /** Before it; undefined where they were not asked for. */
  readonly days: Counts | undefined;
  /** The greatest received_at, in microseconds since 1970; null where there is none. */
  readonly watermark: number | null;
}

/**
 * Counts the rows of state_log by when they were received: one query over received_at of the recent window, and, with
 * days, another one over all of it before.
 */
export async function countRows(
  steps: Pick<Steps, 'query'>,
  dataset: string,
  now: number,
  withDays: boolean,
): Promise<RowCounts> {
  const start = new Date(windowStart(now));
  const recent = await steps.query({
    query: readSql('count-minutes.sql', dataset),
    params: { from_time: start },
  });
  const minutes = z.array(countedSpan).parse(recent.rows);
  if (!withDays) return { minutes: toCounts(minutes, 16), days: undefined, watermark: lastOf(minutes) };
  const older = await steps.query({ query: readSql('count-days.sql', dataset), params: { to_time: start } });
  const days = z.array(countedSpan).parse(older.rows);
  return {
    minutes: toCounts(minutes, 16),
    days: toCounts(days, 10),
    watermark: lastOf([...minutes, ...days]),
  };
}

const countedSpan = z.object({ from_millis: z.number(), found: z.number(), last_micros: z.number() });
type CountedSpan = z.output<typeof countedSpan>;

/** Keyed by as much of the ISO time as says the span. */
const toCounts = (spans: readonly CountedSpan[], keyLength: number): Counts =>
  Object.fromEntries(
    spans.map(({ from_millis, found }) => [new Date(from_millis).toISOString().slice(0, keyLength), found]),
  );

const lastOf = (spans: readonly CountedSpan[]): number | null =>
  spans.reduce<number | null>((last, { last_micros }) => Math.max(last ?? last_micros, last_micros), null);
