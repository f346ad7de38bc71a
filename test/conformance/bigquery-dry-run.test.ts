import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DATASET,
  type LocalClients,
  PROJECT,
  rejection,
  startForTest,
} from '../../local/bigquery/start-for-test.ts';

// https://cloud.google.com/bigquery/docs/running-queries#dry-run
// https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2

let local: LocalClients;
const TABLE = `\`${PROJECT}.${DATASET}.visits\``;

beforeAll(async () => {
  local = await startForTest();
  await local.createTable('visits', { schema: 'n:INTEGER,s:STRING' });
  const writer = await local.openWriter('visits');
  await writer.appendRows(Array.from({ length: 10 }, (_, n) => ({ n, s: 'abc' }))).getResult();
});
afterAll(() => local.close());

const dryRun = async (query: string, params?: Record<string, unknown>) => {
  const [job] = await local.bigquery.createQueryJob({ query, dryRun: true, ...(params && { params }) });
  return job.metadata;
};

describe('a dry run', () => {
  test('tells the type of the statement, the schema of the answer, and the tables that would be read', async () => {
    const metadata = await dryRun(`SELECT n, [s] AS list FROM ${TABLE}`);
    expect(metadata.status).toEqual({ state: 'DONE' });
    expect(metadata.statistics.query).toMatchObject({
      statementType: 'SELECT',
      schema: {
        fields: [
          { name: 'n', type: 'INTEGER' },
          { name: 'list', type: 'STRING', mode: 'REPEATED' },
        ],
      },
      referencedTables: [{ projectId: PROJECT, datasetId: DATASET, tableId: 'visits' }],
      totalBytesBilled: '0',
    });
  });

  test('reads nothing: its job has no id that could be asked for', async () => {
    const before = (await local.bigquery.getJobs())[0].length;
    expect((await dryRun('SELECT 1')).jobReference).not.toHaveProperty('jobId');
    expect((await local.bigquery.getJobs())[0]).toHaveLength(before);
  });

  // https://cloud.google.com/bigquery/docs/estimate-costs#estimate_query_size_calculation
  test('counts 8 bytes for an INT64 and 2 and the UTF-8 bytes for a STRING, of the columns that are read', async () => {
    expect((await dryRun(`SELECT n FROM ${TABLE}`)).statistics.totalBytesProcessed).toBe('80');
    expect((await dryRun(`SELECT n, s FROM ${TABLE}`)).statistics.totalBytesProcessed).toBe('130');
    expect((await dryRun(`SELECT COUNT(*) AS c FROM ${TABLE}`)).statistics.totalBytesProcessed).toBe('0');
    expect((await dryRun('SELECT 1')).statistics.totalBytesProcessed).toBe('0');
  });

  test.each([
    ['SELECT 1', 'a query'],
    ['SELECT 1;', 'a query that ends in a semicolon'],
    ["SELECT '; DROP TABLE x' AS text -- ; DROP TABLE y", 'a semicolon in a text and in a comment'],
    ['WITH a AS (SELECT 1 AS b) SELECT b FROM a', 'a query that begins with WITH'],
    ['(SELECT 1)', 'a query in parentheses'],
    ['SELECT 1 AS a UNION ALL SELECT 2', 'a set operation'],
  ])('says SELECT of %s', async (query) => {
    expect((await dryRun(query)).statistics.query.statementType).toBe('SELECT');
  });

  // https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query
  test('says so through jobs.query as well, and answers no rows', async () => {
    const url = `http://127.0.0.1:${local.server.restPort}/bigquery/v2/projects/${PROJECT}/queries`;
    const body = { query: `SELECT n FROM ${TABLE}`, dryRun: true, useLegacySql: false };
    const answer: unknown = await (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json();
    expect(answer).toMatchObject({
      kind: 'bigquery#queryResponse',
      statementType: 'SELECT',
      totalBytesProcessed: '80',
      jobComplete: true,
    });
    expect(answer).not.toHaveProperty('rows');
  });

  test('of parameters says SELECT too', async () => {
    expect((await dryRun('SELECT @a AS a', { a: 1 })).statistics.query.statementType).toBe('SELECT');
  });

  // BigQuery says SCRIPT of several statements and DROP_TABLE, INSERT, ... of others; what cannot be run here is refused.
  test.each([
    ['SELECT 1; DROP TABLE x', 'Script of several statements'],
    ['SELECT 1; SELECT 2', 'Script of several statements'],
    ['SELECT 1 /* ; */ ; -- \n DELETE FROM x WHERE TRUE', 'Script of several statements'],
    [`DROP TABLE ${TABLE}`, 'Statement DROP'],
    [`TRUNCATE TABLE ${TABLE}`, 'Statement TRUNCATE'],
    ['CREATE TABLE x AS SELECT 1 AS a', 'Statement CREATE'],
    [`ALTER TABLE ${TABLE} ADD COLUMN c STRING`, 'Statement ALTER'],
    ['DECLARE x INT64; SELECT x', 'Statement DECLARE'],
    ['BEGIN SELECT 1; END', 'Statement BEGIN'],
    ["EXECUTE IMMEDIATE 'SELECT 1'", 'Statement EXECUTE'],
    ['CALL x()', 'Statement CALL'],
    ["EXPORT DATA OPTIONS (uri='gs://x/*') AS SELECT 1", 'Statement EXPORT'],
    ["LOAD DATA INTO x FROM FILES (format='CSV')", 'Statement LOAD'],
    ['GRANT `roles/viewer` ON SCHEMA x TO "user:a@b.c"', 'Statement GRANT'],
    ['IF TRUE THEN SELECT 1; END IF', 'Statement IF'],
  ])('refuses %s as invalidQuery', async (query, named) => {
    for (const dry of [true, false]) {
      const error = await rejection(local.bigquery.createQueryJob({ query, dryRun: dry }));
      expect(error.code).toBe(400);
      expect(error.errors?.[0]?.reason).toBe('invalidQuery');
      expect(error.message).toContain(`${named} is not supported by the local BigQuery`);
    }
    expect((await local.bigquery.query(`SELECT COUNT(*) AS c FROM ${TABLE}`))[0]).toEqual([{ c: 10 }]);
  });

  test('of what is invalid says where, as the query itself would', async () => {
    const error = await rejection(dryRun(`SELECT nope FROM ${TABLE}`));
    expect(error).toMatchObject({ code: 400, message: 'Unrecognized name: nope at [1:8]' });
    const missing = await rejection(dryRun(`SELECT 1 FROM \`${PROJECT}.${DATASET}.gone\``));
    expect(missing.code).toBe(404);
    expect(missing.errors?.[0]?.reason).toBe('notFound');
  });
});
