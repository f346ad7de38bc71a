import { BigQuery, type QueryRowsResponse, type RoutineMetadata } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../start-for-test.ts';

let local: LocalClients;
const NUMBERS = `\`${PROJECT}.${DATASET}.numbers\``;

beforeAll(async () => {
  local = await startForTest();
  await local.createTable('numbers', { schema: 'n:INTEGER,s:STRING' });
  const writer = await local.openWriter('numbers');
  await writer.appendRows(Array.from({ length: 100 }, (_, n) => ({ n, s: `s${n % 3}` }))).getResult();
});
afterAll(() => local.close());

const post = async (path: string, body: object) => {
  const response = await fetch(
    `http://127.0.0.1:${local.server.restPort}/bigquery/v2/projects/${PROJECT}/${path}`,
    {
      method: 'POST',
      body: JSON.stringify(body),
    },
  );
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('a query', () => {
  test('answers every type as the client reads it', async () => {
    const [[row]] = await local.bigquery.query({
      query: `SELECT 'text' AS string, 9007199254740993 AS integer, 1.5 AS float, TRUE AS bool,
        TIMESTAMP '2026-11-21 12:00:00.123456+00' AS moment, DATE '2026-11-21' AS day, DATETIME '2026-11-21 01:02:03' AS civil,
        TIME '01:02:03' AS time, NUMERIC '12.50' AS amount, JSON '{"a":1}' AS json, [1, 2] AS list,
        STRUCT('x' AS a, [STRUCT(1 AS b)] AS c) AS record, CAST(NULL AS STRING) AS nothing`,
      wrapIntegers: true,
    });
    expect(row.integer.value).toBe('9007199254740993');
    expect(row.amount.toString()).toBe('12.5');
    expect(row.moment.value).toBe('2026-11-21T12:00:00.123456000Z');
    expect(row.day.value).toBe('2026-11-21');
    expect(row.civil.value).toBe('2026-11-21T01:02:03');
    expect(row.time.value).toBe('01:02:03');
    expect(row.list.map(String)).toHaveLength(2);
    expect(row.record.c[0].b.value).toBe('1');
    expect(row).toMatchObject({ string: 'text', float: 1.5, bool: true, json: '{"a":1}', nothing: null });
  });

  test('answers floats that are no numbers, and timestamps as seconds when int64 is not asked for', async () => {
    const { body } = await post('queries', {
      query:
        "SELECT CAST('NaN' AS FLOAT64) AS nan, CAST('-inf' AS FLOAT64) AS low, TIMESTAMP '1969-12-31 23:59:58.5+00' AS moment",
      useLegacySql: false,
    });
    expect(body.rows).toEqual([{ f: [{ v: 'NaN' }, { v: '-Infinity' }, { v: '-1.5' }] }]);
    expect(body).toMatchObject({ jobComplete: true, totalRows: '1', cacheHit: false });
  });

  test('takes named parameters of every kind', async () => {
    const [[row]] = await local.bigquery.query({
      query:
        'SELECT @text AS text, @at AS moment, @big AS big, @list AS list, @nothing AS nothing, @record.a AS a',
      params: {
        text: "it's",
        at: BigQuery.timestamp('2026-11-21T12:00:00.000001Z'),
        big: BigQuery.int('9007199254740993'),
        list: ['a', 'b'],
        nothing: null,
        record: { a: 1 },
      },
      types: { nothing: 'STRING', big: 'INT64', list: ['STRING'] },
      wrapIntegers: true,
    });
    expect(row).toMatchObject({ text: "it's", list: ['a', 'b'], nothing: null });
    expect(row.moment.value).toBe('2026-11-21T12:00:00.000001000Z');
    expect(row.big.value).toBe('9007199254740993');
  });

  test('takes positional parameters', async () => {
    const [rows] = await local.bigquery.query({
      query: `SELECT n FROM ${NUMBERS} WHERE n < ? AND s = ? ORDER BY n`,
      params: [6, 's0'],
    });
    expect(rows).toEqual([{ n: 0 }, { n: 3 }]);
  });

  test('finds tables through the default data set', async () => {
    const [rows] = await local.bigquery.query({
      query: 'SELECT COUNT(*) AS n FROM numbers',
      defaultDataset: { datasetId: DATASET },
    });
    expect(rows).toEqual([{ n: 100 }]);
  });

  test('is answered page by page, every row once', async () => {
    const [job] = await local.bigquery.createQueryJob(`SELECT n FROM ${NUMBERS} ORDER BY n`);
    const numbers: number[] = [];
    let pages = 0;
    let options: object | null | undefined = { maxResults: 30, autoPaginate: false };
    while (options) {
      const [rows, next]: QueryRowsResponse = await job.getQueryResults(options);
      numbers.push(...rows.map((row) => Number(row.n)));
      pages += 1;
      options = next;
    }
    expect(pages).toBe(4);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test('that is dry answers schema and bytes, and leaves no job', async () => {
    const before = (await local.bigquery.getJobs())[0].length;
    const [job] = await local.bigquery.createQueryJob({ query: `SELECT n FROM ${NUMBERS}`, dryRun: true });
    expect(job.metadata.status.state).toBe('DONE');
    expect(job.metadata.statistics).toMatchObject({
      totalBytesProcessed: '800',
      query: { schema: { fields: [{ name: 'n', type: 'INTEGER' }] } },
    });
    expect((await local.bigquery.getJobs())[0]).toHaveLength(before);
    const [wider] = await local.bigquery.createQueryJob({
      query: `SELECT n, s FROM ${NUMBERS}`,
      dryRun: true,
    });
    // 8 bytes per INT64, 2 and the text per STRING.
    expect(wider.metadata.statistics.totalBytesProcessed).toBe('1200');
  });

  test('over maximumBytesBilled fails without running', async () => {
    const error = await rejection(
      local.bigquery.query({ query: `SELECT n FROM ${NUMBERS}`, maximumBytesBilled: '799' }),
    );
    expect(error.errors?.[0]?.reason).toBe('bytesBilledLimitExceeded');
  });
});

describe('a query that fails', () => {
  test('over a table that does not exist answers notFound', async () => {
    const error = await rejection(local.bigquery.query(`SELECT * FROM \`${PROJECT}.${DATASET}.nope\``));
    expect(error.code).toBe(404);
    expect(error.errors?.[0]?.reason).toBe('notFound');
    expect(error.message).toContain(`${PROJECT}:${DATASET}.nope`);
  });

  test('over its text answers invalidQuery and where', async () => {
    const { status, body } = await post('queries', { query: 'SELECT nope', useLegacySql: false });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      code: 400,
      status: 'INVALID_ARGUMENT',
      errors: [{ reason: 'invalidQuery', domain: 'global', location: 'q', locationType: 'parameter' }],
    });
    expect((body.error as { message: string }).message).toMatch(/Unrecognized name: nope at \[1:8\]/);
  });

  test('over a value is a job that is done, with the reason in its status', async () => {
    const [job] = await local.bigquery.createQueryJob(`SELECT CAST(s AS INT64) AS n FROM ${NUMBERS}`);
    const error = await rejection(job.getQueryResults());
    expect(error.code).toBe(400);
    expect(error.errors?.[0]?.reason).toBe('invalidQuery');
    const [metadata] = await job.getMetadata();
    expect(metadata.status).toMatchObject({
      state: 'DONE',
      errorResult: { reason: 'invalidQuery', location: 'query' },
      errors: [{ reason: 'invalidQuery' }],
    });
  });
});

describe('a job', () => {
  test('is found by its id, listed latest first, and exists once', async () => {
    const [job] = await local.bigquery.createQueryJob({
      query: `SELECT n FROM ${NUMBERS}`,
      jobId: 'mine',
      labels: { a: 'b' },
    });
    await job.getQueryResults();
    const [metadata] = await local.bigquery.job('mine').getMetadata();
    expect(metadata).toMatchObject({
      kind: 'bigquery#job',
      id: `${PROJECT}:US.mine`,
      jobReference: { projectId: PROJECT, jobId: 'mine', location: 'US' },
      configuration: { jobType: 'QUERY', labels: { a: 'b' } },
      status: { state: 'DONE' },
      statistics: { query: { cacheHit: false, statementType: 'SELECT', totalBytesBilled: '800' } },
    });
    const [jobs] = await local.bigquery.getJobs();
    expect(jobs[0]?.id).toBe('mine');
    const again = await rejection(local.bigquery.createQueryJob({ query: 'SELECT 1', jobId: 'mine' }));
    expect(again).toMatchObject({ code: 409, message: `Already Exists: Job ${PROJECT}:US.mine` });
    const missing = await rejection(local.bigquery.job('other').getMetadata());
    expect(missing).toMatchObject({ code: 404, message: `Not found: Job ${PROJECT}:US.other` });
  });

  test('that is cancelled stops', async () => {
    const endless = Array.from({ length: 6 }, (_, n) => `${NUMBERS} AS t${n}`).join(' CROSS JOIN ');
    const [job] = await local.bigquery.createQueryJob(
      `SELECT COUNT(*) AS n FROM ${endless} WHERE t0.n + t1.n + t2.n + t3.n + t4.n + t5.n = 1`,
    );
    const [answer] = await job.cancel();
    expect(answer.job?.status).toMatchObject({ state: 'DONE', errorResult: { reason: 'stopped' } });
    expect((await rejection(job.getQueryResults())).errors?.[0]?.reason).toBe('stopped');
  });
});

describe('a table function', () => {
  const routine = () => local.bigquery.dataset(DATASET).routine('below');
  const definition: RoutineMetadata = {
    routineType: 'TABLE_VALUED_FUNCTION',
    language: 'SQL',
    arguments: [{ name: 'limit_value', dataType: { typeKind: 'INT64' } }],
    definitionBody: `SELECT n FROM ${NUMBERS} WHERE n < limit_value`,
  };

  test('is made, called, changed and deleted', async () => {
    await local.bigquery.dataset(DATASET).createRoutine('below', definition);
    const [metadata] = await routine().getMetadata();
    expect(metadata).toMatchObject({ ...definition, routineReference: { routineId: 'below' } });
    const call = `SELECT COUNT(*) AS n FROM \`${PROJECT}.${DATASET}.below\`(7)`;
    expect((await local.bigquery.query(call))[0]).toEqual([{ n: 7 }]);
    await routine().setMetadata({
      ...definition,
      definitionBody: `SELECT n FROM ${NUMBERS} WHERE n <= limit_value`,
    });
    expect((await local.bigquery.query(call))[0]).toEqual([{ n: 8 }]);
    expect((await local.bigquery.dataset(DATASET).getRoutines())[0].map((entry) => entry.id)).toEqual([
      'below',
    ]);
    await routine().delete();
    expect((await routine().exists())[0]).toBe(false);
  });

  test('over a table that does not exist, or of another kind, is not made', async () => {
    const body: RoutineMetadata = {
      ...definition,
      definitionBody: `SELECT * FROM \`${PROJECT}.${DATASET}.nope\``,
    };
    expect((await rejection(local.bigquery.dataset(DATASET).createRoutine('bad', body))).code).toBe(404);
    const scalar: RoutineMetadata = { ...definition, routineType: 'SCALAR_FUNCTION' };
    expect((await rejection(local.bigquery.dataset(DATASET).createRoutine('bad', scalar))).message).toContain(
      'SCALAR_FUNCTION is not supported',
    );
  });
});
