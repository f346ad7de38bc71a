import { setTimeout as wait } from 'node:timers/promises';
import type { BigQuery, Job, Query, TableField } from '@google-cloud/bigquery';

export interface QueryResult {
  fields: TableField[];
  rows: Readonly<Record<string, unknown>>[];
}

/** A named parameter of a scalar type. */
export interface QueryParameter {
  name: string;
  /** GoogleSQL's name of the type. */
  type: string;
  /** As text, whatever the type: REST takes it so, and no digit is lost. */
  value: string;
}

/** Of these types the client reads the `value` of an object, and sends NULL in silence for a text. */
const wrapped = new Set(['DATE', 'DATETIME', 'TIME', 'TIMESTAMP']);

/** The members of a query that carry its parameters. */
export function queryParameters(parameters: readonly QueryParameter[]): Pick<Query, 'params' | 'types'> {
  if (parameters.length === 0) return {};
  return {
    params: Object.fromEntries(
      parameters.map(({ name, type, value }) => [name, wrapped.has(type) ? { value } : value]),
    ),
    types: Object.fromEntries(parameters.map(({ name, type }) => [name, type])),
  };
}

/**
 * Runs a query to its end, with its schema, integers wrapped so that none loses digits. Rejects with BigQuery's error,
 * and when it takes more than `withinMs`: the query is cancelled then.
 */
export async function runQuery(bigquery: BigQuery, query: Query, withinMs = 60_000): Promise<QueryResult> {
  const overdue = new AbortController();
  let started: Job | undefined;
  const work = (async () => {
    const [job] = await bigquery.createQueryJob(query);
    started = job;
    return readResult(job, overdue.signal);
  })();
  const limit = wait(withinMs, undefined, { signal: overdue.signal }).then(() => {
    started?.cancel().catch(() => undefined);
    throw new Error(`The query was not answered within ${withinMs / 1000} s and has been cancelled.`);
  });
  // Whichever comes second has nobody left to tell.
  work.catch(() => undefined);
  limit.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    overdue.abort();
  }
}

async function readResult(job: Job, overdue: AbortSignal): Promise<QueryResult> {
  const rows: QueryResult['rows'] = [];
  let fields: TableField[] = [];
  let pageToken: string | undefined;
  let isComplete = false;
  do {
    const [page, , response] = await job.getQueryResults({
      autoPaginate: false,
      wrapIntegers: true,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    // A query that takes longer than an answer may is answered incomplete, without rows, and is to be asked again.
    isComplete = response?.jobComplete !== false;
    for (const row of page) rows.push(row);
    fields = response?.schema?.fields ?? fields;
    pageToken = response?.pageToken ?? undefined;
  } while (!overdue.aborted && (pageToken || !isComplete));
  return { fields, rows };
}
