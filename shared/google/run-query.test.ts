import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalClients, startForTest } from '../../local/bigquery/start-for-test.ts';
import { createBigQuery } from './bigquery.ts';
import { QueryTimedOut, runQuery } from './run-query.ts';

let local: LocalClients;
beforeAll(async () => {
  local = await startForTest();
  const fields = [{ name: 'n', type: 'INT64', mode: 'REQUIRED', description: 'A number' }];
  await local.createTable('numbers', { schema: { fields } });
});
afterAll(() => local.close());

const run = (query: string, call: object = {}) =>
  runQuery(local.bigquery, { query, timeoutMs: 30_000, ...call });

describe('a query', () => {
  test('answers all rows, however many pages they take', async () => {
    const many = "SELECT i, REPEAT('x', 1000) AS text FROM UNNEST(GENERATE_ARRAY(1, 20000)) AS i ORDER BY i";
    const { rows, totalRows } = await run(many);
    expect({ rows: rows.length, last: rows.at(-1)?.i, totalRows }).toEqual({
      rows: 20_000,
      last: 20_000,
      totalRows: 20_000,
    });
    const pages: number[] = [];
    const paged = await run(many, { onRows: async (page: unknown[]) => void pages.push(page.length) });
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.reduce((sum, page) => sum + page, 0)).toBe(20_000);
    expect(paged.rows).toEqual([]);
  });

  test('takes parameters, also empty lists and values that are null, by their types', async () => {
    const type = { id: 'STRING', at: 'TIMESTAMP' };
    const query = 'SELECT one.id, one.at FROM UNNEST(@list) AS one';
    expect((await run(query, { params: { list: [] }, types: { list: [type] } })).rows).toEqual([]);
    const list = [{ id: null, at: new Date('2026-03-01T12:00:00.001Z') }];
    expect((await run(query, { params: { list }, types: { list: [type] } })).rows).toMatchObject([
      { id: null, at: { value: '2026-03-01T12:00:00.001Z' } },
    ]);
  });

  test('that changes rows tells how many', async () => {
    expect(await run('INSERT INTO `tributary.numbers` (n) SELECT 7 UNION ALL SELECT 8')).toMatchObject({
      rows: [],
      affectedRows: 2,
    });
  });

  test('with a destination replaces its rows in one step, keeps its columns, and answers none', async () => {
    const destination = { dataset: 'tributary', table: 'numbers' };
    const answer = await run('SELECT n FROM UNNEST([1, 2, 3]) AS n', { destination });
    expect(answer).toMatchObject({ rows: [], totalRows: 3 });
    expect((await run('SELECT n FROM `tributary.numbers` ORDER BY n')).rows).toEqual([
      { n: 1 },
      { n: 2 },
      { n: 3 },
    ]);
    const [{ schema }] = await local.bigquery.dataset('tributary').table('numbers').getMetadata();
    expect(schema.fields).toMatchObject([{ name: 'n', mode: 'REQUIRED', description: 'A number' }]);
    await expect(
      run('SELECT 1 AS n', { destination: { dataset: 'tributary', table: 'absent' } }),
    ).rejects.toThrow(/[Nn]ot found.*absent/);
  });

  test('that BigQuery refuses rejects with what it says', async () => {
    await expect(run('SELECT nothing')).rejects.toThrow('Unrecognized name: nothing');
    await expect(run('SELECT 1 / 0')).rejects.toThrow(/division by zero/i);
  });

  test('that takes too long is cancelled', async () => {
    const long =
      'SELECT SUM(MOD(a * b, 7)) FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS a CROSS JOIN UNNEST(GENERATE_ARRAY(1, 100000)) AS b';
    await expect(run(long, { timeoutMs: 500 })).rejects.toThrow(QueryTimedOut);
    await expect
      .poll(async () => {
        const [jobs] = await local.bigquery.getJobs();
        return jobs.filter((job) => job.metadata.status?.state !== 'DONE').length;
      })
      .toBe(0);
  });

  test('ends in its time also where BigQuery takes the connection and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.resume())).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const hanging = createBigQuery('local', { LOCAL_BIGQUERY: `127.0.0.1:${port}` });
    await expect(runQuery(hanging, { query: 'SELECT 1', timeoutMs: 300 })).rejects.toThrow(QueryTimedOut);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});
