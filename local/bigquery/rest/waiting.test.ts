import { BigQuery, type Query } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../start-for-test.ts';

let local: LocalClients;
const NUMBERS = `\`${PROJECT}.${DATASET}.numbers\``;
const endless = `SELECT COUNT(*) AS n FROM ${Array.from({ length: 6 }, (_, n) => `${NUMBERS} AS t${n}`).join(
  ' CROSS JOIN ',
)} WHERE t0.n + t1.n + t2.n + t3.n + t4.n + t5.n = 1`;

beforeAll(async () => {
  local = await startForTest();
  await local.createTable('numbers', { schema: 'n:INTEGER' });
  const writer = await local.openWriter('numbers');
  await writer.appendRows(Array.from({ length: 100 }, (_, n) => ({ n }))).getResult();
});
afterAll(() => local.close());

/** A client that counts what it asks. */
function countRequests(bigquery: BigQuery): { bigquery: BigQuery; asked: () => number } {
  let asked = 0;
  const counting: BigQuery = Object.create(bigquery);
  counting.request = ((...given: Parameters<BigQuery['request']>) => {
    asked += 1;
    return bigquery.request(...given);
  }) as BigQuery['request'];
  return { bigquery: counting, asked: () => asked };
}

describe('a query that takes long', () => {
  test('is answered incomplete only after the time-out that was asked for, however long that is', async () => {
    const [job] = await local.bigquery.createQueryJob(endless);
    let answered = false;
    const patient = job.getQueryResults({ timeoutMs: 2 ** 40, autoPaginate: false }).finally(() => {
      answered = true;
    });
    expect((await rejection(job.getQueryResults({ timeoutMs: 30 }))).message).toBe(
      'The query did not complete before 30ms',
    );
    expect(answered).toBe(false);
    await job.cancel();
    expect((await rejection(patient)).errors?.[0]?.reason).toBe('stopped');
  });

  test('is stopped after jobTimeoutMs', async () => {
    const [job] = await local.bigquery.createQueryJob({ query: endless, jobTimeoutMs: 50 });
    const error = await rejection(job.getQueryResults());
    expect(error.errors?.[0]).toMatchObject({
      reason: 'stopped',
      message: 'Job execution was cancelled: Job timed out after 50 ms',
    });
  });

  test('leaves appends their turn, and a query that waits behind it can be cancelled', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 8 }, () => local.bigquery.createQueryJob(endless).then(([job]) => job)),
    );
    const writer = await local.openWriter('numbers');
    expect((await writer.appendRows([{ n: 1000 }]).getResult()).error).toBeFalsy();
    for (const job of jobs.toReversed()) {
      const [{ job: cancelled }] = await job.cancel();
      expect(cancelled?.status).toMatchObject({ state: 'DONE', errorResult: { reason: 'stopped' } });
    }
    expect((await local.bigquery.query(`SELECT MAX(n) AS n FROM ${NUMBERS}`))[0]).toEqual([{ n: 1000 }]);
  });
});

test('a client that follows page tokens comes to an end, whatever it asks for', async () => {
  const { bigquery, asked } = countRequests(local.bigquery);
  const [job] = await bigquery.createQueryJob(`SELECT n FROM ${NUMBERS} WHERE n < 100 ORDER BY n`);
  expect((await job.getQueryResults({ maxResults: 0 }))[0]).toEqual([]);
  expect((await job.getQueryResults())[0]).toHaveLength(100);
  expect(asked()).toBe(3);
});

describe('all that the client may send with a query is taken', () => {
  const query: Query = {
    query: 'SELECT @text AS text, @day AS day, @price AS price, @large AS large, @nothing AS nothing',
    params: {
      text: 'a',
      day: BigQuery.date('2026-11-21'),
      price: '1.5',
      large: '9007199254740993',
      nothing: null,
    },
    types: { text: 'STRING', day: 'DATE', price: 'FLOAT64', large: 'INT64', nothing: 'TIMESTAMP' },
    location: 'US',
    labels: { team: 'growth' },
    maxResults: 10,
    wrapIntegers: true,
    parseJSON: true,
    skipParsing: false,
    useQueryCache: false,
    priority: 'INTERACTIVE',
    defaultDataset: { datasetId: DATASET },
    maximumBytesBilled: '1000000',
    jobCreationMode: 'JOB_CREATION_REQUIRED',
    createSession: false,
    flattenResults: true,
  };
  const expected = { text: 'a', day: { value: '2026-11-21' }, price: 1.5, nothing: null };

  test('by query()', async () => {
    const [rows] = await local.bigquery.query({ ...query }, { timeoutMs: 5_000, maxResults: 10 });
    expect(rows).toMatchObject([expected]);
    expect(String(rows[0].large.value)).toBe('9007199254740993');
  });

  test('by query() that makes a job', async () => {
    const [rows] = await local.bigquery.query({ ...query, jobTimeoutMs: 10_000 });
    expect(rows).toMatchObject([expected]);
  });

  test('by createQueryJob()', async () => {
    const [job] = await local.bigquery.createQueryJob({
      ...query,
      jobPrefix: 'mine-',
      jobTimeoutMs: 10_000,
    });
    expect(job.id).toMatch(/^mine-/);
    expect(job.metadata.configuration).toMatchObject({ labels: query.labels, jobTimeoutMs: '10000' });
    expect(job.metadata.configuration.query).not.toHaveProperty('types');
    const [rows] = await job.getQueryResults({ wrapIntegers: true, parseJSON: true, timeoutMs: 5_000 });
    expect(rows).toMatchObject([expected]);
  });

  test('by a dry run', async () => {
    const [job] = await local.bigquery.createQueryJob({ ...query, dryRun: true });
    expect(job.metadata.statistics.query.schema.fields).toHaveLength(5);
  });

  test('by createQueryStream(), with positional parameters', async () => {
    const rows: unknown[] = [];
    const stream = local.bigquery.createQueryStream({
      ...query,
      query: `SELECT n, ? AS text FROM ${NUMBERS} WHERE n < ? ORDER BY n`,
      params: ['b', 30],
      types: ['STRING', 'INT64'],
      maxResults: 8,
      wrapIntegers: false,
    });
    for await (const row of stream) rows.push(row);
    expect(rows[0]).toEqual({ n: 0, text: 'b' });
    expect(rows).toHaveLength(8);
  });

  test('but what changes a query and is not supported is refused by name', async () => {
    const error = await rejection(
      local.bigquery.createQueryJob({ query: 'SELECT 1', writeDisposition: 'WRITE_TRUNCATE' }),
    );
    expect(error.message).toContain("'writeDisposition'");
  });
});
