import type { BigQuery, Query } from '@google-cloud/bigquery';
import { z } from 'zod';
import type { Cursor } from './cursor.ts';
import { type PickedRow, pickedRow, type QuarantinedRow, quarantinedRow } from './quarantined-row.ts';
import { countRows, pickRows, readRows } from './queries.ts';

/** What the views say of a condition. */
export interface Found {
  readonly rows: number;
  /** Of which only the beginning was kept. */
  readonly notReplayable: number;
  /** The same by reason, the most first. */
  readonly reasons: readonly {
    readonly reason: string;
    readonly rows: number;
    readonly notReplayable: number;
  }[];
}

/** Reads quarantine. A condition must be known to stay between its parentheses. */
export interface QuarantineReader {
  /** What BigQuery says against a condition, or undefined. */
  refuseCondition(condition: string): Promise<string | undefined>;
  /** `until`: microseconds since 1970; what came later is left alone. */
  count(condition: string, until: number): Promise<Found>;
  /** At most `limit` rows after the cursor, in its order. */
  pick(condition: string, after: Cursor, limit: number): Promise<PickedRow[]>;
  /** Picked rows with the other events of their requests, by request. */
  read(picked: readonly PickedRow[]): AsyncIterable<QuarantinedRow[]>;
}

/** Makes the reader of the dataset. Its methods reject where BigQuery cannot be asked. */
export function createQuarantineReader(bigquery: BigQuery, dataset: string): QuarantineReader {
  const ask = (sql: string, condition: string, params: Query['params'] = {}): Query => ({
    // As a function: a $ in the condition is no pattern.
    query: sql.replace(placeholder, () => condition),
    params,
    useLegacySql: false,
    defaultDataset: { datasetId: dataset },
  });

  return {
    async refuseCondition(condition) {
      const query = ask(pickRows, condition, cursorParameters(firstCursor, 1));
      try {
        const [job] = await bigquery.createQueryJob({ ...query, dryRun: true });
        const { statementType } = dryRunAnswer.parse(job.metadata).statistics.query;
        return statementType === 'SELECT' ? undefined : `it makes the query a ${statementType}`;
      } catch (error) {
        const message = messageOfBadQuery(error);
        if (message === undefined) throw error;
        return message;
      }
    },
    async count(condition, until) {
      const [rows] = await bigquery.query(ask(countRows, condition, { until }));
      const reasons = z.array(countedRow).parse(rows);
      return {
        rows: reasons.reduce((sum, one) => sum + one.rows, 0),
        notReplayable: reasons.reduce((sum, one) => sum + one.notReplayable, 0),
        reasons,
      };
    },
    async pick(condition, after, limit) {
      const [rows] = await bigquery.query(ask(pickRows, condition, cursorParameters(after, limit)));
      return z.array(pickedRow).parse(rows);
    },
    async *read(picked) {
      const times = picked.map(({ receivedAt }) => receivedAt);
      const params = {
        first: Math.min(...times),
        last: Math.max(...times),
        quarantine_ids: picked.map(({ id }) => id),
        batch_ids: [...new Set(picked.map(({ batchId }) => batchId))],
      };
      let batch: QuarantinedRow[] = [];
      for await (const row of bigquery.createQueryStream(ask(readRows, '', params))) {
        const next = quarantinedRow.parse(row);
        const [first] = batch;
        const isSame = first?.batchId === next.batchId && first.receivedAt === next.receivedAt;
        if (batch.length > 0 && !isSame) {
          yield batch;
          batch = [];
        }
        batch.push(next);
      }
      if (batch.length > 0) yield batch;
    },
  };
}

/** Where a condition is put, as lines of its own. */
const placeholder = /^.*-- CONDITION$/m;

const firstCursor: Cursor = { until: 0, receivedAt: 0, batchId: '', quarantineId: '' };

const cursorParameters = ({ until, receivedAt, batchId, quarantineId }: Cursor, limit: number) => ({
  until,
  received_at: receivedAt,
  batch_id: batchId,
  quarantine_id: quarantineId,
  limit,
});

const countedRow = z
  .object({ reason: z.string(), found: z.number(), not_replayable: z.number() })
  .transform(({ reason, found, not_replayable }) => ({ reason, rows: found, notReplayable: not_replayable }));
const dryRunAnswer = z.object({ statistics: z.object({ query: z.object({ statementType: z.string() }) }) });

/**
 * BigQuery answers 400 to what is wrong with a query, and anything else where it is not the query. A place in the query
 * is told as one in the condition.
 */
function messageOfBadQuery(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 400)) return undefined;
  const linesBefore = pickRows.split('\n').findIndex((line) => placeholder.test(line));
  return error.message.replace(/\[(\d+):(\d+)\]/g, (place, line: string, column: string) =>
    Number(line) > linesBefore ? `[${Number(line) - linesBefore}:${column}]` : place,
  );
}
