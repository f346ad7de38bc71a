import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBigQuery } from './index.ts';
import { connectClients, DATASET, PROJECT, startForTest } from './start-for-test.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-bigquery-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a local BigQuery', () => {
  test('that is closed in the middle of appends keeps everything it acknowledged, and its views and functions', async () => {
    const file = join(folder, 'closed.duckdb');
    const before = await startForTest({ file });
    await before.createTable('facts', { schema: 'n:INTEGER' });
    await before.createTable('seen', { view: `SELECT n FROM \`${PROJECT}.${DATASET}.facts\`` });
    await before.bigquery.dataset(DATASET).createRoutine('first', {
      routineType: 'TABLE_VALUED_FUNCTION',
      arguments: [{ name: 'how_many', dataType: { typeKind: 'INT64' } }],
      definitionBody: `SELECT n FROM \`${PROJECT}.${DATASET}.facts\` WHERE n < how_many`,
    });
    const writer = await before.openWriter('facts');
    const acknowledged: number[] = [];
    const appends = Array.from({ length: 300 }, async (_, n) => {
      const result = await writer.appendRows([{ n }]).getResult();
      if (!result.error) acknowledged.push(n);
    });
    const settled = Promise.allSettled(appends);
    await appends[10];
    // The server first: the client forgets its pending appends when it is closed.
    await before.server.close();
    await settled;
    await before.close();
    expect(acknowledged.length).toBeGreaterThan(10);

    const after = connectClients(await startBigQuery({ restPort: 0, grpcPort: 0, file }));
    const [rows] = await after.bigquery.query(`SELECT n FROM \`${PROJECT}.${DATASET}.seen\` ORDER BY n`);
    expect(rows.map((row) => row.n)).toEqual(expect.arrayContaining(acknowledged));
    const [few] = await after.bigquery.query(`SELECT COUNT(*) AS n FROM \`${PROJECT}.${DATASET}.first\`(5)`);
    expect(few).toEqual([{ n: 5 }]);
    await after.close();
  });

  test('answers appends and other queries while a long query runs', async () => {
    const local = await startForTest();
    await local.createTable('numbers', { schema: 'n:INTEGER' });
    const writer = await local.openWriter('numbers');
    await writer.appendRows(Array.from({ length: 500 }, (_, n) => ({ n }))).getResult();
    const name = `\`${PROJECT}.${DATASET}.numbers\``;
    const tables = ['a', 'b', 'c', 'd'].map((alias) => `${name} AS ${alias}`).join(' CROSS JOIN ');
    const [job] = await local.bigquery.createQueryJob(
      `SELECT COUNT(*) AS n FROM ${tables} WHERE a.n * b.n + c.n * d.n = 1`,
    );
    expect((await writer.appendRows([{ n: 500 }]).getResult()).error).toBeFalsy();
    expect((await local.bigquery.query(`SELECT COUNT(*) AS n FROM ${name}`))[0]).toEqual([{ n: 501 }]);
    expect((await job.getMetadata())[0].status.state).toBe('RUNNING');
    await job.cancel();
    await local.close();
  });

  test('does not reach outside its file', async () => {
    const local = await startForTest();
    for (const query of ["SELECT * FROM '/etc/passwd'", "SELECT * FROM read_text('/etc/passwd')"]) {
      await expect(local.bigquery.query(query)).rejects.toThrow();
    }
    await local.close();
  });
});
