import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BigQuery } from '@google-cloud/bigquery';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBigQuery } from './bigquery/index.ts';
import { connectClients, DATASET, PROJECT } from './bigquery/start-for-test.ts';
import { createWarehouse } from './warehouse.ts';
import { findWarehouseTemplate } from './warehouse-template.ts';

let folder: string;
let template: string | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-warehouse-'));
  template = await findWarehouseTemplate(PROJECT, DATASET);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function start(file: string, from?: string) {
  const server = await startBigQuery({ restPort: 0, grpcPort: 0, file, template: from });
  return connectClients(server);
}

/** All that the dataset holds, without what differs from one making to the next. */
async function describe(bigquery: BigQuery): Promise<Record<string, unknown>> {
  const dataset = bigquery.dataset(DATASET);
  const [[tables], [routines]] = await Promise.all([dataset.getTables(), dataset.getRoutines()]);
  const described = [...tables, ...routines].map(async (one) => {
    const { etag, creationTime, lastModifiedTime, ...rest } = (await one.getMetadata())[0];
    return [one.id, rest];
  });
  return Object.fromEntries(await Promise.all(described)) as Record<string, unknown>;
}

test('a warehouse that begins as a copy of the template, in memory or in a file, is the one that is made anew', async () => {
  expect(template).toBeDefined();
  const made = await start(':memory:');
  await createWarehouse(made.bigquery, DATASET);
  const expected = await describe(made.bigquery);
  expect(Object.keys(expected)).toEqual(expect.arrayContaining(['event_log', 'events', 'events_between']));
  for (const file of [':memory:', join(folder, 'copied.duckdb')]) {
    const copied = await start(file, template);
    expect(await describe(copied.bigquery)).toEqual(expected);
    await createWarehouse(copied.bigquery, DATASET);
    expect(await describe(copied.bigquery)).toEqual(expected);
    expect((await copied.bigquery.query('SELECT COUNT(*) AS n FROM tributary.events'))[0]).toEqual([
      { n: 0 },
    ]);
    await copied.close();
  }
  await made.close();
});

test('a file that is there is not replaced by the template', async () => {
  const file = join(folder, 'kept.duckdb');
  const first = await start(file);
  await first.bigquery.createDataset('mine');
  await first.close();
  const second = await start(file, template);
  expect((await second.bigquery.getDatasets())[0].map(({ id }) => id)).toEqual(['mine']);
  await second.close();
});

test('what was deleted is made again, and while the files are the same nothing else is asked for', async () => {
  const { bigquery, close } = await start(':memory:', template);
  const dataset = bigquery.dataset(DATASET);
  await dataset.table('events').delete();
  await dataset.table('api_calls').delete();
  await dataset.routine('events_between').delete();
  const [before] = await dataset.table('persons').getMetadata();
  await createWarehouse(bigquery, DATASET);
  const names = Object.keys(await describe(bigquery));
  expect(names).toEqual(expect.arrayContaining(['events', 'api_calls', 'events_between']));
  expect((await dataset.table('persons').getMetadata())[0].etag).toBe(before.etag);
  await close();
});

test('what was made of other files gets the columns and the texts of these, and is told to be of these', async () => {
  const { bigquery, close } = await start(':memory:', template);
  const dataset = bigquery.dataset(DATASET);
  const [{ labels, ...table }] = await dataset.getMetadata();
  expect(labels).toEqual({ made_of: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(table.id).toBe(`${PROJECT}:${DATASET}`);
  const expected = await describe(bigquery);
  const older = { query: 'SELECT 1 AS n', useLegacySql: false };
  await dataset.table('events').setMetadata({ view: older });
  await createWarehouse(bigquery, DATASET);
  expect((await dataset.table('events').getMetadata())[0].view.query).toBe('SELECT 1 AS n');
  await dataset.setMetadata({ labels: { made_of: 'others' } });
  await createWarehouse(bigquery, DATASET);
  expect(await describe(bigquery)).toEqual(expected);
  expect((await dataset.getMetadata())[0].labels).toEqual(labels);
  await close();
});
