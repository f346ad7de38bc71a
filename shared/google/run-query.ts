import { setTimeout as wait } from 'node:timers/promises';
import type { BigQuery, Job, Query } from '@google-cloud/bigquery';
import { z } from 'zod';

export interface QueryCall {
  readonly query: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** GoogleSQL types of parameters by name: needed for arrays that may be empty and values that may be null. */
  readonly types?: Readonly<Record<string, unknown>>;
  /** Where tables are that the query names without a dataset. */
  readonly defaultDataset?: string;
  /** When the query is cancelled and the call rejects, in milliseconds from now. */
  readonly timeoutMs: number;
  /** An existing table whose rows are all replaced by the result, in one step; no rows are answered then. */
  readonly destination?: { readonly dataset: string; readonly table: string };
  /** Takes the rows page by page as they are read, each page before the next; none are answered then. */
  readonly onRows?: (rows: QueryAnswer['rows']) => Promise<void>;
}

export interface QueryAnswer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Of the answer, or of the destination. */
  readonly totalRows: number;
  /** That BigQuery processed. */
  readonly bytes: number;
  /** That a DML statement inserted, updated or deleted. */
  readonly affectedRows: number;
}

export type RunQuery = (call: QueryCall) => Promise<QueryAnswer>;

/** The query was asked to stop; whether it did, or had an effect before, is not known. */
export class QueryTimedOut extends Error {}

/**
 * Runs one GoogleSQL statement as a job and reads all rows of its answer. Rejects with what BigQuery says against it,
 * and with QueryTimedOut after `timeoutMs`.
 *
 * The client tries again what may pass. That repeats nothing: a job has an id of its own from the start.
 */
export async function runQuery(bigquery: BigQuery, call: QueryCall): Promise<QueryAnswer> {
  const over = new AbortController();
  let job: Job | undefined;
  const run = async () => {
    [job] = await bigquery.createQueryJob(jobOf(bigquery, call));
    // It was created too late for the one who waited.
    if (over.signal.aborted) await cancel(job);
    return readAnswer(job, call, over.signal);
  };
  const expire = wait(call.timeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new QueryTimedOut(`A query did not end within ${call.timeoutMs} ms.`);
  });
  const running = run();
  // One of the two loses the race, and nobody awaits it any more.
  running.catch(() => undefined);
  expire.catch(() => undefined);
  try {
    return await Promise.race([running, expire]);
  } catch (error) {
    if (error instanceof QueryTimedOut && job !== undefined) void cancel(job);
    throw error;
  } finally {
    over.abort();
  }
}

function jobOf(
  bigquery: BigQuery,
  { query, params, types, defaultDataset, timeoutMs, destination }: QueryCall,
): Query {
  return {
    query,
    useLegacySql: false,
    jobTimeoutMs: timeoutMs,
    ...(defaultDataset === undefined ? {} : { defaultDataset: { datasetId: defaultDataset } }),
    ...(params === undefined ? {} : { params: { ...params } }),
    ...(types === undefined ? {} : { types: { ...types } as NonNullable<Query['types']> }),
    ...(destination === undefined
      ? {}
      : {
          destination: bigquery.dataset(destination.dataset).table(destination.table),
          createDisposition: 'CREATE_NEVER',
          // WRITE_TRUNCATE takes the result's schema, so that columns lose their modes and descriptions:
          // cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationQuery
          writeDisposition: 'WRITE_TRUNCATE_DATA',
        }),
  };
}

async function readAnswer(
  job: Job,
  { destination, onRows }: QueryCall,
  over: AbortSignal,
): Promise<QueryAnswer> {
  const wantsRows = destination === undefined;
  const rows: Record<string, unknown>[] = [];
  let pageToken: string | undefined;
  for (;;) {
    // A job with a destination would answer the whole table.
    const options = {
      autoPaginate: false,
      ...(pageToken === undefined ? {} : { pageToken }),
      ...(wantsRows ? {} : { maxResults: 0 }),
    };
    const [page, , answer] = await job.getQueryResults(options);
    over.throwIfAborted();
    const told = z.safeParse(pageOfAnswer, answer);
    if (!told.success)
      throw new Error('BigQuery answered a query in an unknown shape.', { cause: told.error });
    // Each call waits ten seconds for the job.
    if (!told.data.jobComplete) continue;
    if (onRows !== undefined) await onRows(page);
    else rows.push(...page);
    over.throwIfAborted();
    pageToken = told.data.pageToken;
    if (pageToken === undefined || !wantsRows) {
      return {
        rows,
        totalRows: told.data.totalRows,
        bytes: told.data.totalBytesProcessed,
        affectedRows: told.data.numDmlAffectedRows,
      };
    }
  }
}

const pageOfAnswer = z.object({
  jobComplete: z.boolean(),
  pageToken: z.string().optional(),
  totalRows: z.coerce.number().default(0),
  totalBytesProcessed: z.coerce.number().default(0),
  numDmlAffectedRows: z.coerce.number().default(0),
});

async function cancel(job: Job): Promise<void> {
  // It ends by itself after its jobTimeoutMs otherwise.
  await job.cancel().catch(() => undefined);
}
