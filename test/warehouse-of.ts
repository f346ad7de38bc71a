import type { BigQuery } from '@google-cloud/bigquery';
import type { LocalCloud } from '../local/index.ts';
import { createBigQuery } from '../shared/google/bigquery.ts';

export type Cell = string | number | bigint | boolean | null | { value: string } | Cell[];
export type Row = Record<string, Cell>;

/** Reads from the warehouse of a local cloud, the way that the README shows to analysts. */
export interface Warehouse {
  query(sql: string): Promise<Row[]>;
  /** The one value that the query answers, as a number. */
  number(sql: string): Promise<number>;
}

export function warehouseOf(cloud: LocalCloud): Warehouse {
  const bigquery: BigQuery = createBigQuery('local', { ...cloud.environment });
  const query = async (sql: string): Promise<Row[]> => {
    const [rows] = await bigquery.query({ query: sql, defaultDataset: { datasetId: 'tributary' } });
    return rows;
  };
  return {
    query,
    async number(sql) {
      const [row] = await query(sql);
      return Number(Object.values(row ?? {})[0]);
    },
  };
}

/** Waits until everything that was published has been delivered and acknowledged. */
export async function untilDelivered(cloud: LocalCloud, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const backlog = await cloud.backlog().catch(() => Number.NaN);
    if (backlog === 0) return;
    if (Date.now() > deadline)
      throw new Error(`${backlog} messages are still not delivered after ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
