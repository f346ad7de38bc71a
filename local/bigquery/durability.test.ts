import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TableField } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBigQuery } from './index.ts';
import { connectClients, DATASET, type LocalClients, startForTest } from './start-for-test.ts';

const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));
const fields: TableField[] = [
  { name: 'n', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'writer', type: 'INTEGER' },
  { name: 'properties', type: 'JSON' },
];

let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-bigquery-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Starts the server as a process of its own. */
async function spawnServer(): Promise<{ child: ChildProcess; clients: LocalClients }> {
  const file = join(folder, 'bigquery.duckdb');
  const child = spawn(process.execPath, [serve, '--file', file, '--rest-port', '0', '--grpc-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await Promise.race([
    once(createInterface(child.stdout!), 'line'),
    once(child, 'exit').then(() => {
      throw new Error('the server did not start');
    }),
  ]);
  const ports = JSON.parse(String(line)) as { restPort: number; grpcPort: number };
  const clients = connectClients({ ...ports, close: async () => undefined });
  return { child, clients };
}

/** Appends as fast as the answers come, until the connection dies; gives the rows that were acknowledged. */
async function appendUntilDeath(
  clients: LocalClients,
  writerId: number,
  onAnswer: () => void,
): Promise<number[]> {
  const writer = await clients.openWriter('facts');
  const acknowledged: number[] = [];
  let next = writerId * 1_000_000;
  let alive = true;
  async function pump(): Promise<void> {
    while (alive) {
      const rows = Array.from({ length: 20 }, () => ({
        n: next++,
        writer: writerId,
        properties: '{"a": 1}',
      }));
      try {
        const result = await writer.appendRows(rows).getResult();
        if (result.error) throw new Error(String(result.error.message));
        acknowledged.push(...rows.map((row) => row.n));
        onAnswer();
      } catch {
        alive = false;
      }
    }
  }
  await Promise.all([pump(), pump(), pump()]);
  return acknowledged;
}

describe('a server killed in the middle of appends', () => {
  test('has every acknowledged row, and its tables, when it starts again', async () => {
    const acknowledged = new Set<number>();
    for (let life = 0; life < 3; life += 1) {
      const { child, clients } = await spawnServer();
      if (life === 0) {
        await clients.bigquery.createDataset(DATASET);
        await clients.createTable('facts', { schema: { fields } });
      }
      // By answers and not by time, so that the kill falls among commits under way however slow the machine.
      let answers = 0;
      const onAnswer = () => {
        answers += 1;
        if (answers === 15) child.kill('SIGKILL');
      };
      const appended = [0, 1, 2].map((writer) => appendUntilDeath(clients, life * 10 + writer, onAnswer));
      for (const rows of await Promise.all(appended)) for (const row of rows) acknowledged.add(row);
      await clients.close();
    }
    const { child, clients } = await spawnServer();
    const stored = (await clients.readTable('facts')).map((row) => Number(String(row.n)));
    expect(acknowledged.size).toBeGreaterThan(500);
    expect(new Set(stored).size).toBe(stored.length);
    const present = new Set(stored);
    expect([...acknowledged].filter((row) => !present.has(row))).toEqual([]);
    await clients.close();
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});

test('what a statement changed, and a table that a query made, outlive the server', async () => {
  const file = join(folder, 'changed.duckdb');
  const before = await startForTest({ file });
  await before.createTable('people', { schema: 'id:STRING,n:INTEGER' });
  await before.bigquery.query(`INSERT INTO ${DATASET}.people (id, n) VALUES ('a', 1), ('b', 2)`);
  await before.bigquery.query(
    `MERGE ${DATASET}.people t USING (SELECT 'a' AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 10 WHEN NOT MATCHED BY SOURCE THEN DELETE`,
  );
  const [job] = await before.bigquery.createQueryJob({
    query: `SELECT id, n + 1 AS n FROM ${DATASET}.people`,
    destination: before.bigquery.dataset(DATASET).table('copies'),
  });
  await job.getQueryResults();
  await before.close();
  const server = await startBigQuery({ restPort: 0, grpcPort: 0, file });
  const after = connectClients(server);
  expect(await after.readTable('people')).toMatchObject([{ id: 'a', n: { value: '10' } }]);
  expect(await after.readTable('copies')).toMatchObject([{ id: 'a', n: { value: '11' } }]);
  await after.close();
});
