import type { RowsResponse } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../start-for-test.ts';

let local: LocalClients;
const clock = { now: new Date('2026-11-21T12:00:00Z') };

beforeAll(async () => {
  local = await startForTest({ now: () => clock.now });
});
afterAll(() => local.close());

const dataset = () => local.bigquery.dataset(DATASET);
const table = (id: string) => dataset().table(id);

describe('a data set', () => {
  test('keeps what it was made with, and what is patched', async () => {
    const [made] = await local.bigquery.createDataset('kept', {
      description: 'first',
      labels: { team: 'data' },
    });
    const [metadata] = await made.getMetadata();
    expect(metadata).toMatchObject({
      kind: 'bigquery#dataset',
      id: `${PROJECT}:kept`,
      datasetReference: { projectId: PROJECT, datasetId: 'kept' },
      description: 'first',
      labels: { team: 'data' },
      location: 'US',
      creationTime: String(clock.now.getTime()),
    });
    const [patched] = await made.setMetadata({ description: 'second', labels: { team: null, tier: 'gold' } });
    expect(patched).toMatchObject({ description: 'second', labels: { tier: 'gold' } });
    expect(patched.labels).not.toHaveProperty('team');
    expect(patched.etag).not.toBe(metadata.etag);
  });

  test('exists once', async () => {
    const error = await rejection(local.bigquery.createDataset(DATASET));
    expect(error).toMatchObject({ code: 409, message: `Already Exists: Dataset ${PROJECT}:${DATASET}` });
    expect(error.errors).toMatchObject([{ reason: 'duplicate', domain: 'global' }]);
  });

  test('is listed page by page', async () => {
    for (let n = 0; n < 5; n += 1) await local.bigquery.createDataset(`listed_${n}`);
    const [first, next] = await local.bigquery.getDatasets({ maxResults: 3, autoPaginate: false });
    expect(first).toHaveLength(3);
    expect(next).toMatchObject({ pageToken: expect.any(String) });
    const ids = first.map((entry) => entry.id);
    for (let query = next; query !== null; ) {
      const [page, following] = await local.bigquery.getDatasets(query);
      ids.push(...page.map((entry) => entry.id));
      query = following;
    }
    expect(ids).toEqual(expect.arrayContaining(['listed_0', 'listed_4', DATASET]));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('with tables is deleted only by force', async () => {
    const [made] = await local.bigquery.createDataset('full');
    await made.createTable('t', { schema: 'a:STRING' });
    const refused = await rejection(made.delete());
    expect(refused).toMatchObject({ code: 400, message: `Dataset ${PROJECT}:full is still in use` });
    expect(refused.errors?.[0]?.reason).toBe('resourceInUse');
    await made.delete({ force: true });
    expect((await rejection(made.getMetadata())).message).toBe(`Not found: Dataset ${PROJECT}:full`);
    await local.bigquery.createDataset('full');
    expect((await local.bigquery.dataset('full').getTables())[0]).toEqual([]);
  });
});

describe('a table', () => {
  test('shows its schema, partitioning, clustering and number of rows', async () => {
    const fields = [
      { name: 'id', type: 'STRING', mode: 'REQUIRED', description: 'the key' },
      { name: 'at', type: 'TIMESTAMP' },
      { name: 'body', type: 'JSON' },
      { name: 'who', type: 'RECORD', fields: [{ name: 'names', type: 'STRING', mode: 'REPEATED' }] },
    ];
    await local.createTable('shown', {
      schema: { fields },
      timePartitioning: { type: 'DAY', field: 'at', expirationMs: '86400000' },
      clustering: { fields: ['id'] },
      description: 'a table',
      labels: { a: 'b' },
    });
    const writer = await local.openWriter('shown');
    await writer.appendRows([{ id: '1' }, { id: '2' }]).getResult();
    const [metadata] = await table('shown').getMetadata();
    expect(metadata).toMatchObject({
      kind: 'bigquery#table',
      type: 'TABLE',
      id: `${PROJECT}:${DATASET}.shown`,
      description: 'a table',
      labels: { a: 'b' },
      numRows: '2',
      timePartitioning: { type: 'DAY', field: 'at', expirationMs: '86400000' },
      clustering: { fields: ['id'] },
      schema: { fields },
    });
  });

  test('may have partitions by ranges of an integer, which stay, or none at all', async () => {
    const rangePartitioning = { field: 'bucket', range: { start: '0', end: '4000', interval: '1' } };
    await local.createTable('ranged', { schema: 'bucket:INTEGER,id:STRING', rangePartitioning });
    expect((await table('ranged').getMetadata())[0]).toMatchObject({ rangePartitioning });
    await table('ranged').setMetadata({ description: 'by bucket' });
    expect((await table('ranged').getMetadata())[0]).toMatchObject({
      rangePartitioning,
      description: 'by bucket',
    });
    const other = { ...rangePartitioning, range: { start: '0', end: '100', interval: '1' } };
    expect((await rejection(table('ranged').setMetadata({ rangePartitioning: other }))).message).toContain(
      'Cannot change partitioning spec',
    );
    await local.createTable('whole', { schema: 'a:STRING', clustering: { fields: ['a'] } });
    const [whole] = await table('whole').getMetadata();
    expect(whole).not.toHaveProperty('rangePartitioning');
    expect(whole).not.toHaveProperty('timePartitioning');
  });

  test('takes additions and relaxations of its schema, at any depth, and keeps its rows', async () => {
    await local.createTable('grown', {
      schema: {
        fields: [
          { name: 'id', type: 'STRING', mode: 'REQUIRED' },
          { name: 'who', type: 'RECORD', fields: [{ name: 'a', type: 'STRING' }] },
          { name: 'many', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'a', type: 'STRING' }] },
        ],
      },
    });
    const before = await local.openWriter('grown');
    await before.appendRows([{ id: 'old', who: { a: 'x' }, many: [{ a: 'y' }] }]).getResult();
    await table('grown').setMetadata({
      schema: {
        fields: [
          { name: 'id', type: 'STRING', mode: 'NULLABLE' },
          {
            name: 'who',
            type: 'RECORD',
            fields: [
              { name: 'a', type: 'STRING' },
              { name: 'b', type: 'INTEGER' },
            ],
          },
          {
            name: 'many',
            type: 'RECORD',
            mode: 'REPEATED',
            fields: [
              { name: 'a', type: 'STRING' },
              { name: 'b', type: 'STRING' },
            ],
          },
          { name: 'added', type: 'JSON' },
        ],
      },
    });
    const after = await local.openWriter('grown');
    const result = await after.appendRows([{ who: { b: 7 }, many: [{ b: 'z' }], added: '1' }]).getResult();
    expect(result.error).toBeFalsy();
    const [rows] = await table('grown').getRows();
    expect(rows).toEqual([
      { id: 'old', who: { a: 'x', b: null }, many: [{ a: 'y', b: null }], added: null },
      { id: null, who: { a: null, b: 7 }, many: [{ a: null, b: 'z' }], added: '1' },
    ]);
  });

  test('refuses every other change of its schema', async () => {
    await local.createTable('fixed', { schema: 'a:STRING,b:INTEGER' });
    const a = { name: 'a', type: 'STRING' };
    const b = { name: 'b', type: 'INTEGER' };
    const changes: [object[], string][] = [
      [[a], 'Field b is missing in new schema'],
      [[a, { ...b, type: 'STRING' }], 'Field b has changed type from INTEGER to STRING'],
      [[a, { ...b, mode: 'REQUIRED' }], 'Field b has changed mode from NULLABLE to REQUIRED'],
      [
        [a, b, { name: 'c', type: 'STRING', mode: 'REQUIRED' }],
        'Cannot add required fields to an existing schema. (field: c)',
      ],
    ];
    for (const [fields, message] of changes) {
      const error = await rejection(table('fixed').setMetadata({ schema: { fields } }));
      expect(error).toMatchObject({
        code: 400,
        message: `Provided Schema does not match Table ${PROJECT}:${DATASET}.fixed. ${message}`,
      });
      expect(error.errors?.[0]?.reason).toBe('invalid');
    }
  });

  test('refuses what is not kept here, by name', async () => {
    const fields = [
      { name: 'a', type: 'STRING' },
      { name: 'at', type: 'TIMESTAMP' },
    ];
    const refusals: [object, string][] = [
      [
        { schema: { fields: [{ ...fields[0], defaultValueExpression: "'x'" }] } },
        'defaultValueExpression is not supported',
      ],
      [
        { schema: { fields: [{ name: 'g', type: 'GEOGRAPHY' }] } },
        'type GEOGRAPHY is unknown or not supported',
      ],
      [
        { schema: { fields }, timePartitioning: { type: 'HOUR', field: 'at' } },
        'Time partitioning of type HOUR',
      ],
      [{ schema: { fields }, timePartitioning: { type: 'DAY' } }, 'Ingestion-time partitioning'],
      [
        { schema: { fields }, timePartitioning: { type: 'DAY', field: 'a' } },
        'can only be of type TIMESTAMP, DATE or DATETIME',
      ],
      [
        { schema: { fields }, rangePartitioning: { field: 'a' } },
        'range partitioning can only be of type INTEGER. The type found is: STRING',
      ],
      [
        {
          schema: 'n:INTEGER',
          rangePartitioning: { field: 'n', range: { start: '0', end: '20000', interval: '1' } },
        },
        'Invalid range partitioning: from 0 to 20000 by 1',
      ],
      [
        { schema: { fields }, clustering: { fields: ['nope'] } },
        'clustering cannot be found in the schema: nope',
      ],
      [{ schema: { fields: [fields[0], fields[0]] } }, 'Field a already exists in schema'],
      [{ schema: { fields: [{ name: 'r', type: 'RECORD' }] } }, 'Field r is type RECORD but has no schema'],
    ];
    for (const [metadata, message] of refusals) {
      const error = await rejection(local.createTable('never', metadata));
      expect(error.code, message).toBe(400);
      expect(error.message).toContain(message);
    }
    expect((await table('never').exists())[0]).toBe(false);
  });

  test('is gone once its expiration time has passed', async () => {
    await local.createTable('short', {
      schema: 'a:STRING',
      expirationTime: String(clock.now.getTime() + 1000),
    });
    expect((await table('short').exists())[0]).toBe(true);
    clock.now = new Date(clock.now.getTime() + 1000);
    expect((await table('short').exists())[0]).toBe(false);
    await local.createTable('short', { schema: 'b:STRING' });
    expect((await table('short').getRows())[0]).toEqual([]);
  });

  test('deleted and made again is empty', async () => {
    await local.createTable('again', { schema: 'a:STRING' });
    const writer = await local.openWriter('again');
    await writer.appendRows([{ a: 'x' }]).getResult();
    await table('again').delete();
    expect(await rejection(table('again').getMetadata())).toMatchObject({
      code: 404,
      message: `Not found: Table ${PROJECT}:${DATASET}.again`,
    });
    await local.createTable('again', { schema: 'a:STRING' });
    expect(await local.readTable('again')).toEqual([]);
  });

  test('is read page by page, and by chosen columns', async () => {
    await local.createTable('paged', { schema: 'n:INTEGER,s:STRING' });
    const writer = await local.openWriter('paged');
    await writer.appendRows(Array.from({ length: 25 }, (_, n) => ({ n, s: `s${n}` }))).getResult();
    const numbers: number[] = [];
    const sizes: number[] = [];
    let query: object | null | undefined = { maxResults: 10, autoPaginate: false };
    while (query) {
      const [page, next]: RowsResponse = await table('paged').getRows(query);
      numbers.push(...page.map((row) => Number(row.n)));
      sizes.push(page.length);
      query = next;
    }
    expect(numbers).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(sizes).toEqual([10, 10, 5]);
    const [chosen] = await table('paged').getRows({ maxResults: 10, selectedFields: 's' });
    expect(chosen[9]).toEqual({ s: 's9' });
  });

  test('is changed only at the etag that If-Match names', async () => {
    await local.createTable('matched', { schema: 'a:STRING' });
    const url = `http://127.0.0.1:${local.server.restPort}/bigquery/v2/projects/${PROJECT}/datasets/${DATASET}/tables/matched`;
    const patch = (etag: string) =>
      fetch(url, {
        method: 'PATCH',
        headers: { 'if-match': etag },
        body: JSON.stringify({ description: 'x' }),
      });
    const stale = await patch('stale');
    expect(stale.status).toBe(412);
    expect(await stale.json()).toMatchObject({ error: { errors: [{ reason: 'conditionNotMet' }] } });
    const [metadata] = await table('matched').getMetadata();
    expect((await patch(metadata.etag)).status).toBe(200);
  });
});

describe('a view', () => {
  test('has the schema of its query and follows its table', async () => {
    await local.createTable('base', { schema: 'a:STRING,b:INTEGER' });
    await local.createTable('seen', { view: `SELECT * FROM \`${PROJECT}.${DATASET}.base\`` });
    const [metadata] = await table('seen').getMetadata();
    expect(metadata).toMatchObject({
      type: 'VIEW',
      view: { query: `SELECT * FROM \`${PROJECT}.${DATASET}.base\``, useLegacySql: false },
    });
    expect(metadata.schema.fields.map((field: { name: string }) => field.name)).toEqual(['a', 'b']);
    const writer = await local.openWriter('base');
    await writer.appendRows([{ a: 'x', b: 1 }]).getResult();
    const [rows] = await local.bigquery.query(`SELECT * FROM \`${PROJECT}.${DATASET}.seen\``);
    expect(rows).toEqual([{ a: 'x', b: 1 }]);
    expect((await rejection(table('seen').getRows())).message).toContain('Cannot list a table of type VIEW');
  });

  test('of a table that does not exist is not made, and one whose table went answers notFound', async () => {
    const query = `SELECT * FROM \`${PROJECT}.${DATASET}.gone\``;
    const refused = await rejection(local.createTable('over_nothing', { view: query }));
    expect(refused.code).toBe(404);
    expect(refused.message).toContain(`Not found: Table ${PROJECT}:${DATASET}.gone`);
    await local.createTable('gone', { schema: 'a:STRING' });
    await local.createTable('over_gone', { view: query });
    await table('gone').delete();
    const error = await rejection(local.bigquery.query(`SELECT * FROM \`${PROJECT}.${DATASET}.over_gone\``));
    expect(error.code).toBe(404);
    expect(error.errors?.[0]?.reason).toBe('notFound');
  });

  test('in legacy SQL is refused', async () => {
    const view = { query: 'SELECT 1', useLegacySql: true };
    expect((await rejection(local.createTable('legacy', { view }))).message).toContain('Legacy SQL views');
  });
});
