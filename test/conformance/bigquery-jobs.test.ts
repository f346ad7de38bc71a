import type { QueryRowsResponse } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DATASET,
  type LocalClients,
  PROJECT,
  rejection,
  startForTest,
} from '../../local/bigquery/start-for-test.ts';

let local: LocalClients;
const NUMBERS = 'SELECT n FROM UNNEST(GENERATE_ARRAY(1, 25)) AS n ORDER BY n';

beforeAll(async () => {
  local = await startForTest();
});
afterAll(() => local.close());

const call = async (method: string, path: string, body?: object) => {
  const url = `http://127.0.0.1:${local.server.restPort}/bigquery/v2/projects/${PROJECT}/${path}`;
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const query = (text: string, more: object = {}) =>
  call('POST', 'queries', { query: text, useLegacySql: false, ...more });

// https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/insert
describe('jobs.insert', () => {
  test('answers a job with its configuration, state and statistics, and getQueryResults its rows', async () => {
    const [job] = await local.bigquery.createQueryJob({ query: NUMBERS, labels: { team: 'data' } });
    const [rows] = await job.getQueryResults();
    expect(rows).toHaveLength(25);
    const [metadata] = await job.getMetadata();
    expect(metadata).toMatchObject({
      kind: 'bigquery#job',
      jobReference: { projectId: PROJECT, jobId: job.id, location: 'US' },
      configuration: { jobType: 'QUERY', labels: { team: 'data' }, query: { query: NUMBERS } },
      status: { state: 'DONE' },
      statistics: { query: { statementType: 'SELECT', cacheHit: false } },
    });
    for (const name of ['creationTime', 'startTime', 'endTime']) {
      expect(metadata.statistics[name]).toMatch(/^\d{13}$/);
    }
  });

  // https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid
  test('of an id that there is answers 409 duplicate, whatever the query, and runs nothing', async () => {
    const insert = (text: string) => local.bigquery.createQueryJob({ query: text, jobId: 'repeated' });
    await insert('SELECT 1 AS a');
    for (const text of ['SELECT 1 AS a', 'SELECT 2 AS a']) {
      const error = await rejection(insert(text));
      expect(error).toMatchObject({ code: 409, message: `Already Exists: Job ${PROJECT}:US.repeated` });
      expect(error.errors?.[0]?.reason).toBe('duplicate');
    }
    expect((await local.bigquery.job('repeated').getQueryResults())[0]).toEqual([{ a: 1 }]);
  });

  test('refuses an id of other characters than letters, digits, _ and -, or of more than 1,024', async () => {
    for (const jobId of ['a b', 'é', 'x'.repeat(1025)]) {
      const { status, body } = await call('POST', 'jobs', {
        jobReference: { jobId },
        configuration: { query: { query: 'SELECT 1', useLegacySql: false } },
      });
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ status: 'INVALID_ARGUMENT', errors: [{ reason: 'invalid' }] });
    }
  });

  test('refuses what it does not do by name: other kinds of job, and what changes what a query does', async () => {
    for (const kind of ['load', 'extract', 'copy']) {
      const { status, body } = await call('POST', 'jobs', { configuration: { [kind]: {} } });
      expect(status).toBe(501);
      expect(body.error).toMatchObject({
        status: 'UNIMPLEMENTED',
        message: expect.stringContaining(`A job of kind ${kind}`),
      });
    }
    for (const property of ['clustering', 'scriptOptions', 'createSession']) {
      const configuration = { query: { query: 'SELECT 1', useLegacySql: false, [property]: { a: 1 } } };
      const { status, body } = await call('POST', 'jobs', { configuration });
      expect(status).toBe(501);
      expect(body.error).toMatchObject({ message: expect.stringContaining(property) });
    }
  });
});

// https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults
// https://cloud.google.com/bigquery/docs/paging-results
describe('jobs.getQueryResults', () => {
  test('answers pages of maxResults, each row once, and a token on all but the last', async () => {
    const [job] = await local.bigquery.createQueryJob(NUMBERS);
    const sizes: number[] = [];
    const numbers: number[] = [];
    let options: object | null | undefined = { maxResults: 10, autoPaginate: false };
    while (options) {
      const [rows, next]: QueryRowsResponse = await job.getQueryResults(options);
      sizes.push(rows.length);
      numbers.push(...rows.map((row) => Number(row.n)));
      options = next;
    }
    expect(sizes).toEqual([10, 10, 5]);
    expect(numbers).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
  });

  test('takes startIndex, tells totalRows on every page, and the schema alone for maxResults 0', async () => {
    const [job] = await local.bigquery.createQueryJob(NUMBERS);
    await job.getQueryResults();
    const late = await call('GET', `queries/${job.id}?startIndex=23`);
    expect(late.body).toMatchObject({ totalRows: '25', jobComplete: true });
    expect(late.body.rows).toEqual([{ f: [{ v: '24' }] }, { f: [{ v: '25' }] }]);
    const none = await call('GET', `queries/${job.id}?maxResults=0`);
    expect(none.body).toMatchObject({ totalRows: '25', schema: { fields: [{ name: 'n' }] } });
    expect(none.body).not.toHaveProperty('rows');
    const beyond = await call('GET', `queries/${job.id}?startIndex=99`);
    expect(beyond.body).toMatchObject({ totalRows: '25' });
    expect(beyond.body).not.toHaveProperty('rows');
  });

  test('may be asked again for the same page', async () => {
    const [job] = await local.bigquery.createQueryJob(NUMBERS);
    const pages = [];
    const first = await call('GET', `queries/${job.id}?maxResults=5`);
    for (let n = 0; n < 2; n += 1) {
      pages.push(
        (await call('GET', `queries/${job.id}?maxResults=5&pageToken=${first.body.pageToken}`)).body.rows,
      );
    }
    expect(pages[0]).toEqual(pages[1]);
    expect(pages[0]).toHaveLength(5);
  });

  test('refuses a token that it did not give', async () => {
    const [job] = await local.bigquery.createQueryJob(NUMBERS);
    const { status, body } = await call('GET', `queries/${job.id}?pageToken=made-up`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ errors: [{ reason: 'invalid' }] });
  });

  test('of a job that is not there, or is in another location, answers 404 notFound', async () => {
    for (const path of ['queries/nowhere', 'queries/nowhere?location=US', 'jobs/nowhere']) {
      const { status, body } = await call('GET', path);
      expect(status).toBe(404);
      expect(body.error).toMatchObject({
        errors: [{ reason: 'notFound', message: `Not found: Job ${PROJECT}:US.nowhere` }],
      });
    }
    const [job] = await local.bigquery.createQueryJob('SELECT 1');
    expect((await call('GET', `jobs/${job.id}?location=EU`)).status).toBe(404);
  });

  test('of a job that failed answers its error', async () => {
    const [job] = await local.bigquery.createQueryJob('SELECT 1 / n AS x FROM UNNEST([0]) AS n');
    const error = await rejection(job.getQueryResults());
    expect(error).toMatchObject({ code: 400, message: expect.stringContaining('division by zero') });
    expect((await job.getMetadata())[0].status).toMatchObject({
      state: 'DONE',
      errorResult: { reason: 'invalidQuery' },
    });
  });
});

// https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query
describe('jobs.query', () => {
  test('answers rows and a job that can be asked for more', async () => {
    const { body } = await query(NUMBERS, { maxResults: 10 });
    expect(body).toMatchObject({ kind: 'bigquery#queryResponse', jobComplete: true, totalRows: '25' });
    expect(body.rows).toHaveLength(10);
    const { jobId } = body.jobReference as { jobId: string };
    const rest = await call('GET', `queries/${jobId}?pageToken=${body.pageToken}`);
    expect(rest.body.rows).toHaveLength(15);
  });

  // "useLegacySql: ... The default value is true"
  test('without useLegacySql false asks for legacy SQL, which is refused', async () => {
    const { status, body } = await call('POST', 'queries', { query: 'SELECT 1' });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ message: expect.stringContaining('Legacy SQL is not supported') });
  });

  test('without a query is 400', async () => {
    expect((await query('')).status).toBe(400);
  });
});

// https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/cancel
describe('jobs.cancel', () => {
  test('stops a job, which is done with the reason stopped; of a job that is done it changes nothing', async () => {
    const large = Array.from({ length: 5 }, (_, n) => `UNNEST(GENERATE_ARRAY(1, 500)) AS n${n}`).join(
      ' CROSS JOIN ',
    );
    const [job] = await local.bigquery.createQueryJob(
      `SELECT COUNT(*) AS n FROM ${large} WHERE n0 + n1 + n2 + n3 + n4 = 1`,
    );
    const [answer] = await job.cancel();
    expect(answer.job?.status).toMatchObject({ state: 'DONE', errorResult: { reason: 'stopped' } });
    const [done] = await local.bigquery.createQueryJob('SELECT 1 AS a');
    await done.getQueryResults();
    await done.cancel();
    expect((await done.getQueryResults())[0]).toEqual([{ a: 1 }]);
    expect((await rejection(local.bigquery.job('nowhere').cancel())).code).toBe(404);
  });
});

// https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/list
describe('jobs.list', () => {
  test('answers the latest first, in pages, and by state', async () => {
    for (const jobId of ['listed_1', 'listed_2', 'listed_3']) {
      const [job] = await local.bigquery.createQueryJob({ query: 'SELECT 1', jobId });
      await job.getQueryResults();
    }
    const [jobs] = await local.bigquery.getJobs({ maxResults: 2, autoPaginate: false });
    expect(jobs.map(({ id }) => id)).toEqual(['listed_3', 'listed_2']);
    expect((await call('GET', 'jobs?stateFilter=pending')).body.jobs).toEqual([]);
  });
});

// https://cloud.google.com/bigquery/docs/error-messages
describe('a query that is refused', () => {
  test.each([
    ['SELECT FROM', 'Syntax error: '],
    ['SELECT nope', 'Unrecognized name: nope at [1:8]'],
    ['SELECT NOPE(1)', 'Function not found: NOPE at [1:8]'],
    ["SELECT 1 + 'a'", 'No matching signature for operator +'],
    ['SELECT a FROM (SELECT 1 AS a, 2 AS a)', 'ambiguous'],
    ['SELECT a, COUNT(*) FROM (SELECT 1 AS a)', 'neither grouped nor aggregated'],
    ['SELECT 1 AS a UNION ALL SELECT 1, 2', 'mismatched column count'],
    ['SELECT 1 = NULL', 'Operands of = cannot be literal NULL'],
  ])('%s is invalidQuery and says where', async (text, message) => {
    const { status, body } = await query(text);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
      errors: [{ reason: 'invalidQuery', domain: 'global', location: 'q', locationType: 'parameter' }],
    });
  });

  test.each([
    [`SELECT 1 FROM \`${PROJECT}.${DATASET}.gone\``, `Not found: Table ${PROJECT}:${DATASET}.gone`],
    [`SELECT 1 FROM \`${PROJECT}.gone.t\``, `Not found: Dataset ${PROJECT}:gone`],
    [`SELECT 1 FROM \`${PROJECT}.${DATASET}.gone\`(1)`, `Table-valued function`],
  ])('%s names what was not found', async (text, message) => {
    const { body } = await query(text);
    expect(body.error).toMatchObject({ message: expect.stringContaining(message) });
  });

  // https://cloud.google.com/bigquery/docs/multi-statement-queries, .../data-manipulation-language
  test('a script and DDL are refused by their names; a script is never run in part', async () => {
    for (const text of ['SELECT 1; SELECT 2', 'CREATE TABLE x (a INT64)', 'BEGIN END']) {
      const { status, body } = await query(text);
      expect(status).toBe(400);
      expect(body.error).toMatchObject({
        message: expect.stringContaining('is not supported by the local BigQuery'),
        errors: [{ reason: 'invalidQuery' }],
      });
    }
  });
});
