import type { Query } from '@google-cloud/bigquery';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../start-for-test.ts';

let local: LocalClients;
const fields = [
  { name: 'id', type: 'STRING', mode: 'REQUIRED', description: 'the key' },
  { name: 'n', type: 'INTEGER', mode: 'NULLABLE' },
  { name: 'tags', type: 'STRING', mode: 'REPEATED' },
];
const rangePartitioning = { field: 'n', range: { start: '0', end: '100', interval: '1' } };

beforeAll(async () => {
  local = await startForTest();
  await local.createTable('kept', { schema: { fields }, rangePartitioning, clustering: { fields: ['id'] } });
  await local.createTable('plain', { schema: { fields } });
});
afterAll(() => local.close());
beforeEach(async () => {
  for (const tableId of ['kept', 'plain']) {
    await local.bigquery.query(`DELETE FROM ${DATASET}.${tableId} WHERE TRUE`);
    await local.bigquery.query(`INSERT INTO ${DATASET}.${tableId} (id, n) VALUES ('old', 1)`);
  }
});

const table = (tableId: string) => local.bigquery.dataset(DATASET).table(tableId);

async function write(tableId: string, query: string, options: Partial<Query> = {}) {
  const [job] = await local.bigquery.createQueryJob({ query, destination: table(tableId), ...options });
  const [rows] = await job.getQueryResults();
  return { rows, job };
}

const rowsOf = async (tableId: string) =>
  (await local.bigquery.query(`SELECT * FROM ${DATASET}.${tableId} ORDER BY id`))[0];

describe('a query job with a destination table', () => {
  test('replaces its rows and keeps its schema and layout, also where it reads them, with WRITE_TRUNCATE_DATA', async () => {
    const { job, rows } = await write(
      'kept',
      `SELECT n + 1 AS n, CONCAT(id, '-new') AS id FROM ${DATASET}.kept UNION ALL SELECT NULL, 'other'`,
      { writeDisposition: 'WRITE_TRUNCATE_DATA', createDisposition: 'CREATE_NEVER' },
    );
    const expected = [
      { id: 'old-new', n: 2, tags: [] },
      { id: 'other', n: null, tags: [] },
    ];
    expect(rows).toEqual(expected);
    expect(await rowsOf('kept')).toEqual(expected);
    const [metadata] = await table('kept').getMetadata();
    expect(metadata).toMatchObject({ schema: { fields }, rangePartitioning, clustering: { fields: ['id'] } });
    expect((await job.getMetadata())[0].configuration.query).toMatchObject({
      destinationTable: { projectId: PROJECT, datasetId: DATASET, tableId: 'kept' },
      writeDisposition: 'WRITE_TRUNCATE_DATA',
    });
    const [none] = await job.getQueryResults({ maxResults: 0 });
    expect(none).toEqual([]);
  });

  test('adds to its rows with WRITE_APPEND', async () => {
    await write('plain', "SELECT 'new' AS id, ['a'] AS tags", { writeDisposition: 'WRITE_APPEND' });
    expect(await rowsOf('plain')).toEqual([
      { id: 'new', n: null, tags: ['a'] },
      { id: 'old', n: 1, tags: [] },
    ]);
  });

  test('writes into an empty table only when nothing else is said', async () => {
    const error = await rejection(write('plain', "SELECT 'new' AS id"));
    expect(error.errors?.[0]?.reason).toBe('duplicate');
    expect(error.message).toContain(`Already Exists: Table ${PROJECT}:${DATASET}.plain`);
    await local.bigquery.query(`DELETE FROM ${DATASET}.plain WHERE TRUE`);
    await write('plain', "SELECT 'new' AS id");
    expect(await rowsOf('plain')).toMatchObject([{ id: 'new' }]);
  });

  test('makes the table if need be, with the schema of the result, which WRITE_TRUNCATE takes too', async () => {
    await write('made', "SELECT 'a' AS id, 1 AS n");
    expect((await table('made').getMetadata())[0].schema.fields).toEqual([
      { name: 'id', type: 'STRING', mode: 'NULLABLE' },
      { name: 'n', type: 'INTEGER', mode: 'NULLABLE' },
    ]);
    await write('made', `SELECT id, n > 0 AS positive FROM ${DATASET}.made`, {
      writeDisposition: 'WRITE_TRUNCATE',
    });
    expect(await rowsOf('made')).toEqual([{ id: 'a', positive: true }]);
    await table('made').delete();
    const error = await rejection(write('made', 'SELECT 1 AS n', { createDisposition: 'CREATE_NEVER' }));
    expect(error.message).toBe(`Not found: Table ${PROJECT}:${DATASET}.made`);
  });

  test.each([
    ['SELECT 1 AS id', 'Field id has changed type from STRING to INTEGER'],
    ["SELECT 'x' AS id, 1 AS more", 'Cannot add fields (field: more)'],
    ['SELECT 1 AS n', 'Field id is missing in new schema'],
    ["SELECT 'x' AS id, 'a' AS tags", 'Field tags has changed type from STRING[] to STRING'],
    ["SELECT IF(n = 1, NULL, 'x') AS id FROM UNNEST([0, 1]) AS n", 'Required field id cannot be null'],
    ["SELECT 'x' AS id, CAST(ERROR('no') AS INT64) AS n", 'no'],
  ])('%s is refused where it does not fit, and everything stays as it was', async (query, message) => {
    const error = await rejection(write('kept', query, { writeDisposition: 'WRITE_TRUNCATE_DATA' }));
    expect(error.message).toContain(message);
    expect(await rowsOf('kept')).toEqual([{ id: 'old', n: 1, tags: [] }]);
  });

  test('is refused what is not known here', async () => {
    const over = await rejection(write('kept', "SELECT 'x' AS id", { writeDisposition: 'WRITE_TRUNCATE' }));
    expect(over.message).toContain('WRITE_TRUNCATE over a partitioned or clustered table');
    const dml = await rejection(write('kept', `DELETE FROM ${DATASET}.kept WHERE TRUE`));
    expect(dml.message).toContain('Cannot set destination table in jobs with DML statements');
    const decorated = await rejection(write('kept$5', 'SELECT 1 AS n'));
    expect(decorated.message).toContain('with a decorator');
    const odd = await rejection(write('kept', 'SELECT 1 AS n', { writeDisposition: 'WRITE_OVER' }));
    expect(odd.message).toContain("Invalid value at 'writeDisposition': WRITE_OVER");
  });
});
