import type { RoutineMetadata, TableMetadata } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DATASET,
  type LocalClients,
  PROJECT,
  rejection,
  startForTest,
} from '../../local/bigquery/start-for-test.ts';

let local: LocalClients;
beforeAll(async () => {
  local = await startForTest();
});
afterAll(() => local.close());

const dataset = () => local.bigquery.dataset(DATASET);
const full = (table: string) => `\`${PROJECT}.${DATASET}.${table}\``;

/** What a call is refused with: code, reason and message, in the shape of every error of the REST API. */
const refusal = async (call: Promise<unknown>) => {
  const error = await rejection(call);
  return { code: error.code, reason: error.errors?.[0]?.reason, message: error.message };
};

const call = async (method: string, path: string, body?: object) => {
  const url = `http://127.0.0.1:${local.server.restPort}/bigquery/v2/projects/${PROJECT}/${path}`;
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
};

// https://cloud.google.com/bigquery/docs/error-messages#errortable
// https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets
describe('datasets', () => {
  test('insert, get, patch, list and delete', async () => {
    const [made] = await local.bigquery.createDataset('made', { description: 'a', labels: { k: 'v' } });
    expect((await made.getMetadata())[0]).toMatchObject({
      kind: 'bigquery#dataset',
      datasetReference: { projectId: PROJECT, datasetId: 'made' },
      description: 'a',
      labels: { k: 'v' },
      location: 'US',
    });
    expect((await made.setMetadata({ description: 'b' }))[0]).toMatchObject({
      description: 'b',
      labels: { k: 'v' },
    });
    expect((await local.bigquery.getDatasets())[0].map(({ id }) => id)).toContain('made');
    await made.delete();
    expect((await made.exists())[0]).toBe(false);
  });

  test('are refused with 409 duplicate, 404 notFound and 400 invalid', async () => {
    expect(await refusal(local.bigquery.createDataset(DATASET))).toEqual({
      code: 409,
      reason: 'duplicate',
      message: `Already Exists: Dataset ${PROJECT}:${DATASET}`,
    });
    for (const missing of [
      () => local.bigquery.dataset('gone').getMetadata(),
      () => local.bigquery.dataset('gone').delete(),
      () => local.bigquery.dataset('gone').createTable('t', { schema: 'a:STRING' }),
      () => local.bigquery.dataset('gone').getTables(),
    ]) {
      expect(await refusal(missing())).toEqual({
        code: 404,
        reason: 'notFound',
        message: `Not found: Dataset ${PROJECT}:gone`,
      });
    }
    expect(await refusal(local.bigquery.createDataset('a-b'))).toMatchObject({
      code: 400,
      reason: 'invalid',
    });
  });

  // "deleteContents: If True, delete all the tables in the dataset. If False and the dataset contains tables, the request will fail."
  test('that hold tables are deleted only with deleteContents', async () => {
    const [made] = await local.bigquery.createDataset('holding');
    await made.createTable('t', { schema: 'a:STRING' });
    expect(await refusal(made.delete())).toMatchObject({ code: 400, reason: 'resourceInUse' });
    await made.delete({ force: true });
    expect((await made.exists())[0]).toBe(false);
  });
});

// https://cloud.google.com/bigquery/docs/reference/rest/v2/tables
// https://cloud.google.com/bigquery/docs/managing-table-schemas
describe('tables', () => {
  test('insert, get, patch, list and delete', async () => {
    await local.createTable('made', {
      schema: { fields: [{ name: 'a', type: 'STRING', mode: 'REQUIRED' }] },
    });
    const table = dataset().table('made');
    expect((await table.getMetadata())[0]).toMatchObject({
      kind: 'bigquery#table',
      type: 'TABLE',
      numRows: '0',
      schema: { fields: [{ name: 'a', type: 'STRING', mode: 'REQUIRED' }] },
    });
    await table.setMetadata({ description: 'd' });
    expect((await table.getMetadata())[0]).toMatchObject({ description: 'd' });
    expect((await dataset().getTables())[0].map(({ id }) => id)).toContain('made');
    await table.delete();
    expect(await refusal(table.getMetadata())).toEqual({
      code: 404,
      reason: 'notFound',
      message: `Not found: Table ${PROJECT}:${DATASET}.made`,
    });
  });

  test('are refused with 409 duplicate, 400 invalid for a name or a schema, 404 for what is not there', async () => {
    await local.createTable('twice', { schema: 'a:STRING' });
    expect(await refusal(local.createTable('twice', { schema: 'a:STRING' }))).toEqual({
      code: 409,
      reason: 'duplicate',
      message: `Already Exists: Table ${PROJECT}:${DATASET}.twice`,
    });
    const bad: [string, TableMetadata][] = [
      ['a/b', { schema: 'a:STRING' }],
      ['t', { schema: 'a:NOPE' }],
      ['t', { schema: 'a:STRING,A:STRING' }],
      ['t', { schema: { fields: [{ name: 'a b!', type: 'STRING' }] } }],
      ['t', { schema: { fields: [{ name: 'a', type: 'RECORD' }] } }],
      ['t', { schema: { fields: [{ name: 'a', type: 'STRING', mode: 'SOMETIMES' }] } }],
    ];
    for (const [id, metadata] of bad) {
      const body = { ...metadata, tableReference: { projectId: PROJECT, datasetId: DATASET, tableId: id } };
      const schema = typeof metadata.schema === 'string' ? fieldsOf(metadata.schema) : metadata.schema;
      const { status, body: answer } = await call('POST', `datasets/${DATASET}/tables`, { ...body, schema });
      expect(status, JSON.stringify(metadata)).toBe(400);
      expect(answer.error).toMatchObject({ status: 'INVALID_ARGUMENT', errors: [{ reason: 'invalid' }] });
    }
    for (const missing of [() => dataset().table('gone').delete(), () => dataset().table('gone').getRows()]) {
      expect(await refusal(missing())).toMatchObject({ code: 404, reason: 'notFound' });
    }
  });

  // "add columns, relax a column's mode from REQUIRED to NULLABLE"; all else needs a new table.
  test('take new NULLABLE columns and relaxed ones, and refuse every other change of the schema', async () => {
    await local.createTable('changed', {
      schema: { fields: [{ name: 'a', type: 'STRING', mode: 'REQUIRED' }] },
    });
    const patch = (fields: object[]) => dataset().table('changed').setMetadata({ schema: { fields } });
    const b = { name: 'b', type: 'INTEGER' };
    await patch([{ name: 'a', type: 'STRING', mode: 'NULLABLE' }, b]);
    for (const fields of [
      [b],
      [{ name: 'a', type: 'INTEGER' }, b],
      [{ name: 'a', type: 'STRING', mode: 'REQUIRED' }, b],
      [{ name: 'a', type: 'STRING' }, b, { name: 'c', type: 'STRING', mode: 'REQUIRED' }],
    ]) {
      expect(await refusal(patch(fields))).toMatchObject({
        code: 400,
        reason: 'invalid',
        message: expect.stringContaining('Provided Schema does not match'),
      });
    }
  });

  test('answer rows in pages that hold each row once', async () => {
    await local.createTable('paged', { schema: 'n:INTEGER' });
    const writer = await local.openWriter('paged');
    await writer.appendRows(Array.from({ length: 7 }, (_, n) => ({ n }))).getResult();
    const first = await call('GET', `datasets/${DATASET}/tables/paged/data?maxResults=5`);
    expect(first.body).toMatchObject({ totalRows: '7' });
    const rest = await call('GET', `datasets/${DATASET}/tables/paged/data?pageToken=${first.body.pageToken}`);
    expect([...(first.body.rows as object[]), ...(rest.body.rows as object[])]).toHaveLength(7);
    expect(rest.body).not.toHaveProperty('pageToken');
  });
});

const fieldsOf = (text: string) => ({
  fields: text.split(',').map((part) => {
    const [name, type] = part.split(':');
    return { name, type };
  }),
});

// https://cloud.google.com/bigquery/docs/views
describe('views', () => {
  test('read the tables and views beneath them as they are now, columns added later left out only of a list', async () => {
    await local.createTable('base', { schema: 'a:INTEGER' });
    await local.createTable('lower', {
      view: { query: `SELECT a + 1 AS a FROM ${full('base')}`, useLegacySql: false },
    });
    await local.createTable('upper', {
      view: { query: `SELECT a * 2 AS a FROM ${full('lower')}`, useLegacySql: false },
    });
    const writer = await local.openWriter('base');
    await writer.appendRows([{ a: 1 }, { a: 2 }]).getResult();
    expect((await local.bigquery.query(`SELECT a FROM ${full('upper')} ORDER BY a`))[0]).toEqual([
      { a: 4 },
      { a: 6 },
    ]);
    expect((await dataset().table('upper').getMetadata())[0]).toMatchObject({
      type: 'VIEW',
      schema: { fields: [{ name: 'a', type: 'INTEGER' }] },
    });
    await dataset()
      .table('lower')
      .setMetadata({ view: { query: `SELECT -a AS a FROM ${full('base')}`, useLegacySql: false } });
    expect((await local.bigquery.query(`SELECT SUM(a) AS a FROM ${full('upper')}`))[0]).toEqual([{ a: -6 }]);
  });

  test('are refused where their query is: invalidQuery, or notFound of what it reads', async () => {
    const make = (query: string) => local.createTable('bad', { view: { query, useLegacySql: false } });
    expect(await refusal(make('SELECT FROM'))).toMatchObject({ code: 400, reason: 'invalidQuery' });
    expect(await refusal(make(`SELECT 1 AS a FROM ${full('gone')}`))).toMatchObject({
      code: 404,
      reason: 'notFound',
    });
    expect(await refusal(make('SELECT @p AS a'))).toMatchObject({ code: 400 });
    expect(await refusal(make('SELECT 1 AS a; SELECT 2 AS a'))).toMatchObject({
      code: 400,
      reason: 'invalidQuery',
    });
  });

  // "You can't export data from a view", tabledata.list "Cannot list a table of type VIEW."; views take no rows.
  test('have no rows of their own to list, and take none', async () => {
    await local.createTable('one', { view: { query: 'SELECT 1 AS a', useLegacySql: false } });
    expect((await refusal(dataset().table('one').getRows())).message).toContain(
      'Cannot list a table of type VIEW',
    );
    const writer = await local.openWriter('one', [{ name: 'a', type: 'INTEGER' }]);
    expect((await rejection(writer.appendRows([{ a: 1 }]).getResult())).code).toBeDefined();
  });
});

// https://cloud.google.com/bigquery/docs/table-functions
// https://cloud.google.com/bigquery/docs/reference/rest/v2/routines
describe('table functions', () => {
  const definition: RoutineMetadata = {
    routineType: 'TABLE_VALUED_FUNCTION',
    language: 'SQL',
    arguments: [
      { name: 'low', dataType: { typeKind: 'INT64' } },
      { name: 'word', dataType: { typeKind: 'STRING' } },
    ],
    definitionBody: 'SELECT n, word FROM UNNEST([1, 2, 3]) AS n WHERE n >= low',
  };

  test('insert, get, list, update and delete, and are called with values, parameters and in a join', async () => {
    await dataset().createRoutine('from_low', definition);
    const routine = dataset().routine('from_low');
    expect((await routine.getMetadata())[0]).toMatchObject({ ...definition });
    const query = async (text: string, params?: object) =>
      (await local.bigquery.query({ query: text, ...(params && { params }) }))[0];
    expect(await query(`SELECT n FROM ${full('from_low')}(2, 'x') ORDER BY n`)).toEqual([{ n: 2 }, { n: 3 }]);
    expect(await query(`SELECT n, word FROM ${full('from_low')}(@l, @w)`, { l: 3, w: 'é' })).toEqual([
      { n: 3, word: 'é' },
    ]);
    expect(
      await query(
        `SELECT a.n FROM ${full('from_low')}(2, '') AS a JOIN ${full('from_low')}(3, '') AS b ON a.n = b.n`,
      ),
    ).toEqual([{ n: 3 }]);
    expect((await dataset().getRoutines())[0].map(({ id }) => id)).toContain('from_low');
    await routine.setMetadata({ ...definition, definitionBody: 'SELECT low AS n, word' });
    expect(await query(`SELECT n FROM ${full('from_low')}(7, '')`)).toEqual([{ n: 7 }]);
    await routine.delete();
    expect(await refusal(routine.getMetadata())).toMatchObject({
      code: 404,
      reason: 'notFound',
      message: expect.stringContaining(`Not found: Routine ${PROJECT}:${DATASET}.from_low`),
    });
  });

  test('are refused with 409 duplicate, and when called with other arguments', async () => {
    await dataset().createRoutine('once', definition);
    expect(await refusal(dataset().createRoutine('once', definition))).toMatchObject({
      code: 409,
      reason: 'duplicate',
    });
    for (const call of ['(1)', "(1, 'a', 2)", "('a', 'b')"]) {
      expect(await refusal(local.bigquery.query(`SELECT * FROM ${full('once')}${call}`)), call).toMatchObject(
        {
          code: 400,
          reason: 'invalidQuery',
        },
      );
    }
  });

  test('of other kinds are refused by name', async () => {
    const changes: RoutineMetadata[] = [
      { routineType: 'SCALAR_FUNCTION' },
      { routineType: 'PROCEDURE' },
      { language: 'JAVASCRIPT' },
    ];
    for (const change of changes) {
      const { code, message } = await refusal(dataset().createRoutine('other', { ...definition, ...change }));
      expect([400, 501]).toContain(code);
      expect(message).toContain('is not supported by the local BigQuery');
    }
  });
});

// https://cloud.google.com/bigquery/docs/reference/rest
test('what BigQuery offers and the local one does not is refused as 501 UNIMPLEMENTED, by its name', async () => {
  await local.createTable('plain', { schema: 'a:STRING' });
  const table = `datasets/${DATASET}/tables/plain`;
  const refused: [string, string, string][] = [
    ['POST', `${table}/insertAll`, 'insertAll'],
    ['POST', `${table}:getIamPolicy`, 'IAM'],
    ['GET', `${table}/rowAccessPolicies`, 'row access policy'],
    ['GET', `datasets/${DATASET}/models`, 'model'],
  ];
  for (const [method, path, named] of refused) {
    const { status, body } = await call(method, path, method === 'POST' ? {} : undefined);
    expect(status, path).toBe(501);
    expect(body.error).toMatchObject({
      code: 501,
      status: 'UNIMPLEMENTED',
      errors: [{ reason: 'notImplemented', domain: 'global' }],
      message: expect.stringContaining(named),
    });
  }
});
