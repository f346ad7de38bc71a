import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { BigQuery } from '@google-cloud/bigquery';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { createPubSub } from '../shared/google/pubsub.ts';
import { DATASET, type LocalCloud, PROJECT, type ProcessEvent, startLocal } from './index.ts';

let dataDir: string;
let cloud: LocalCloud;
let bigquery: BigQuery;
const events: ProcessEvent[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-local-'));
  // Backoff passes sixty times as fast, so that a refused push comes again within the test.
  cloud = await startLocal({ dataDir, ports: 'free', timeScale: 60, report: (event) => events.push(event) });
  bigquery = createBigQuery(PROJECT, { ...cloud.environment });
});

afterAll(async () => {
  await cloud?.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** Posts one event as the Java SDK does; the status, or 0 where the connection failed. */
async function post(name: string): Promise<number> {
  const event = {
    appid: 'shop',
    xwho: 'visitor-1',
    xwhat: name,
    xwhen: Date.now(),
    xcontext: { price: 1.5, $lib: 'Java' },
  };
  const body = gzipSync(JSON.stringify([event])).toString('base64');
  const response = await fetch(`${cloud.urls.ingest}/up`, { method: 'POST', body }).catch(() => undefined);
  return response?.status ?? 0;
}

/** The rows of the view events with these names, once there is one of each. */
async function untilShown(names: string[]): Promise<Record<string, unknown>[]> {
  for (;;) {
    const rows = await bigquery
      .query({
        query: `SELECT name, project, JSON_VALUE(properties, '$.price') AS price FROM events WHERE name IN (${names.map((it) => `'${it}'`).join(', ')}) ORDER BY name`,
        defaultDataset: { datasetId: DATASET },
      })
      .then(
        ([found]) => found,
        () => [],
      );
    if (rows.length >= names.length) return rows;
    await wait(50);
  }
}

test('an event posted to ingest is a row of the view events', async () => {
  expect(await post('first')).toBe(200);
  expect(await untilShown(['first'])).toEqual([{ name: 'first', project: 'shop', price: '1.5' }]);
});

test('the warehouse has the tables, views and table functions of the infra files', async () => {
  const dataset = bigquery.dataset(DATASET);
  const [[tables], [routines]] = await Promise.all([dataset.getTables(), dataset.getRoutines()]);
  expect(tables.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      'event_log',
      'state_log',
      'quarantine',
      'events',
      'event_deliveries',
      'quarantine_open',
    ]),
  );
  expect(routines.map(({ id }) => id)).toContain('events_between');
  const [{ timePartitioning, clustering }] = await dataset.table('event_log').getMetadata();
  expect(timePartitioning).toMatchObject({ type: 'DAY', field: 'occurred_at' });
  expect(clustering).toEqual({ fields: ['project', 'kind', 'name'] });
});

test('the subscription pushes with a token, backs off, and dead-letters to a topic that is held', async () => {
  const pubsub = createPubSub(PROJECT, { ...cloud.environment });
  const [load] = await pubsub.subscription('events-load').getMetadata();
  const [hold] = await pubsub.subscription('events-dead-hold').getMetadata();
  await pubsub.close();
  expect(load).toMatchObject({
    ackDeadlineSeconds: 60,
    pushConfig: { oidcToken: { serviceAccountEmail: 'load-push@local.iam.gserviceaccount.com' } },
    retryPolicy: { minimumBackoff: { seconds: '10' }, maximumBackoff: { seconds: '600' } },
    deadLetterPolicy: { deadLetterTopic: 'projects/local/topics/events-dead', maxDeliveryAttempts: 100 },
    messageRetentionDuration: { seconds: '604800' },
  });
  expect(hold).toMatchObject({ topic: 'projects/local/topics/events-dead' });
});

test('events posted while load is dead arrive once it is back', async () => {
  const before = cloud.pid('load');
  await cloud.kill('load');
  expect(await post('while_load_is_dead')).toBe(200);
  await cloud.serving('load');
  expect(cloud.pid('load')).not.toBe(before);
  expect(await untilShown(['while_load_is_dead'])).toHaveLength(1);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'died', name: 'load', why: 'SIGKILL' }));
  expect(events).toContainEqual({ kind: 'serving', name: 'load', restarted: true });
});

test('what was accepted survives kill -9 of the cloud process, and events posted after it arrive', async () => {
  expect(await post('before_the_kill')).toBe(200);
  await cloud.kill('cloud');
  await cloud.serving('cloud');
  let status = 0;
  while (status !== 200) status = await post('after_the_kill');
  const rows = await untilShown(['after_the_kill', 'before_the_kill', 'first']);
  expect(rows.map(({ name }) => name)).toEqual(['after_the_kill', 'before_the_kill', 'first']);
});

test('faults set while it runs are in force after a restart of the cloud process', async () => {
  await cloud.setFaults({ bigquery: { refuseAppends: true } });
  await cloud.restart('cloud');
  const faults: unknown = await (await fetch(`${cloud.urls.googleApis}/_local/faults`)).json();
  expect(faults).toMatchObject({ bigquery: { refuseAppends: true } });
  await cloud.setFaults({ bigquery: { refuseAppends: false } });
  await expect(cloud.setFaults({ pubsub: { redeliverRate: 2 } })).rejects.toThrow('redeliverRate');
});

test('closing delivers what is under way before load ends', async () => {
  expect(await post('last')).toBe(200);
  expect(await cloud.close({ drainMs: 60_000 })).toEqual({ undelivered: 0 });
  expect(cloud.pid('load')).toBeUndefined();
  expect(cloud.pid('cloud')).toBeUndefined();
});

test('a function that does not exist is named before anything starts', async () => {
  const starting = startLocal({ dataDir, ports: 'free', functions: ['ingest', 'lode'] });
  await expect(starting).rejects.toThrow('infra/functions.json has no function lode.');
});
