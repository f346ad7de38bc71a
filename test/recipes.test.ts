import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BigQuery } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { makeSampleTraffic } from '../local/sample/traffic.ts';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { listFiles, readText } from './repository-files.ts';
import { untilDelivered } from './warehouse-of.ts';

// The queries of docs/recipes on the sample traffic, whose answers can be told from it by hand.
const NOW = Date.parse('2026-03-15T15:00:00Z');
const span = { from_time: new Date('2026-03-01T00:00:00Z'), to_time: new Date('2026-03-16T00:00:00Z') };

let folder: string;
let cloud: LocalCloud;
let bigquery: BigQuery;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-recipes-'));
  cloud = await startLocal({ dataDir: folder, ports: 'free', functions: ['ingest', 'load', 'fold'] });
  bigquery = createBigQuery('local', { ...cloud.environment });
  for (const { path, headers, body } of makeSampleTraffic(NOW)) {
    const { status } = await fetch(cloud.urls.ingest + path, { method: 'POST', headers, body });
    expect(status).toBe(200);
  }
  await untilDelivered(cloud);
  // Bindings and persons follow the rows.
  await vi.waitFor(async () => expect(await known('persons')).toEqual(await known('profiles')), {
    timeout: 60_000,
    interval: 200,
  });
});

afterAll(async () => {
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

const known = (from: string) =>
  run(`SELECT project, user_id, anonymous_id, properties, updated_at FROM ${from} ORDER BY 1, 2, 3`, {});

async function run(query: string, params: Readonly<Record<string, string | Date>>): Promise<unknown[][]> {
  const [rows] = await bigquery.query({ query, params, defaultDataset: { datasetId: 'tributary' } });
  return rows.map((row: Record<string, unknown>) => Object.values(row).map(plain));
}

/** What a recipe answers, a row after the other. */
const ask = (recipe: string, params: Readonly<Record<string, string | Date>> = span) =>
  run(readText(`docs/recipes/${recipe}.sql`), { project: 'sample-web', ...params });

/** What BigQuery would bill for it, by a dry run. */
async function bytesOf(recipe: string, params: Readonly<Record<string, string | Date>>): Promise<number> {
  const [job] = await bigquery.createQueryJob({
    query: readText(`docs/recipes/${recipe}.sql`),
    params: { project: 'sample-web', ...params },
    defaultDataset: { datasetId: 'tributary' },
    dryRun: true,
  });
  return Number(job.metadata.statistics.totalBytesProcessed);
}

const ofSpans = [
  'funnel',
  'retention',
  'sessions',
  'first-touch',
  'active-people',
  'revenue',
  'items',
  'by-profile',
];

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return 'value' in value ? String(value.value) : Number(String(value));
}

const mei = 'user:customer-1010';
const tom = 'user:customer-1011';
const eva = 'device:JS5e0f93c7a1d846b2905ce17f4a3b68d2c07c3';
const leo = 'device:JS5e0f93c7a1d846b2905ce17f4a3b68d2c07d4';
const ming = 'user:customer-1001';

describe('the recipe', () => {
  test('funnel counts who went on to buy within a week, across the sign-in', async () => {
    expect(await ask('funnel')).toEqual([[4, 3, 3, 0.75]]);
  });

  test('retention counts who of a first day came again', async () => {
    expect(await ask('retention')).toEqual([
      ['2026-03-06', 0, 3, 1],
      ['2026-03-06', 1, 2, 0.667],
      ['2026-03-06', 7, 1, 0.333],
      ['2026-03-07', 0, 1, 1],
      ['2026-03-07', 6, 1, 1],
      ['2026-03-15', 0, 1, 1],
    ]);
  });

  test('sessions parts what a person did at pauses of half an hour', async () => {
    expect(await ask('sessions')).toEqual(
      [
        [mei, 1, '2026-03-06T14:00:00', 420, 4, 1],
        [tom, 1, '2026-03-06T14:02:00', 240, 3, 0],
        [eva, 1, '2026-03-06T14:08:00', 0, 1, 0],
        [mei, 2, '2026-03-07T14:00:00', 60, 2, 0],
        [tom, 2, '2026-03-07T14:05:00', 180, 2, 1],
        [leo, 1, '2026-03-07T14:09:00', 60, 2, 0],
        [leo, 2, '2026-03-13T14:00:00', 720, 2, 0],
        [mei, 3, '2026-03-13T14:00:00', 180, 3, 1],
        [leo, 3, '2026-03-13T14:45:00', 0, 1, 0],
        [ming, 1, '2026-03-15T14:10:00', 480, 6, 1],
      ].map(([person, session, began, ...rest]) => [person, session, `${began}.000Z`, ...rest]),
    );
  });

  test('first-touch gives what people bought to where they first came from', async () => {
    expect(await ask('first-touch')).toEqual([
      ['newsletter', 2, 2, 5199.85],
      ['search', 2, 1, 35],
      ['none known', 1, 0, 0],
    ]);
  });

  test('active-people counts people, of whom some have two ids', async () => {
    expect(await ask('active-people')).toEqual([
      ['2026-03-06', 3, 4, 8],
      ['2026-03-07', 3, 4, 6],
      ['2026-03-13', 2, 2, 6],
      ['2026-03-15', 1, 2, 6],
    ]);
  });

  test('revenue adds up what was bought each day', async () => {
    expect(await ask('revenue')).toEqual([
      ['2026-03-06', 1, 1, 129.95, 129.95],
      ['2026-03-07', 1, 1, 35, 35],
      ['2026-03-13', 1, 1, 70, 70],
      ['2026-03-15', 1, 1, 4999.9, 4999.9],
    ]);
  });

  test('items tells what was looked at by what the items are', async () => {
    expect(await ask('items')).toEqual([
      ['yoga', 4, 3],
      ['machines', 2, 2],
      ['shoes', 2, 2],
    ]);
  });

  test('by-profile parts people by what is known of them', async () => {
    expect(await ask('by-profile')).toEqual([
      ['gold', 1, 2],
      ['none', 4, 2],
    ]);
  });

  test('profile-as-of tells what a person was like at a time', async () => {
    const at = async (time: string) => {
      const rows = await ask('profile-as-of', { person: 'customer-1010', at: new Date(time) });
      return rows.map(([, key, value]) => [key, JSON.parse(String(value))]);
    };
    expect(await at('2026-03-06T14:00:00Z')).toEqual([]);
    expect(await at('2026-03-10T00:00:00Z')).toEqual([
      ['city', 'Berlin'],
      ['level', 'silver'],
      ['nickname', 'Mei'],
      ['orders', 1],
      ['spent', 129.95],
    ]);
    expect(await at('2026-03-14T00:00:00Z')).toEqual([
      ['city', 'Berlin'],
      ['level', 'gold'],
      ['nickname', 'Mei'],
      ['orders', 2],
      ['spent', 199.95],
    ]);
  });

  test('who-is-this tells the person of any id, its devices and its profile', async () => {
    const device = 'JS5e0f93c7a1d846b2905ce17f4a3b68d2c07a1';
    const [found, ...others] = await ask('who-is-this', { id: device });
    expect(others).toEqual([]);
    const [key, user, anonymous, devices, properties, ...times] = found ?? [];
    expect([key, user, anonymous, devices, times]).toEqual([
      null,
      'customer-1010',
      null,
      [device],
      ['2026-03-06T14:04:00.000Z', '2026-03-13T14:04:00.000Z'],
    ]);
    expect(JSON.parse(String(properties))).toMatchObject({ level: 'gold', spent: 199.95 });
    expect(await ask('who-is-this', { id: 'customer-1010' })).toEqual([found]);
    expect(await ask('who-is-this', { id: 'nobody' })).toEqual([]);
  });

  test.each(ofSpans)('%s reads the days of its span and no others', async (recipe) => {
    const day = (from: string, to: string) =>
      bytesOf(recipe, { from_time: new Date(from), to_time: new Date(to) });
    const [all, one, none] = [
      await bytesOf(recipe, span),
      await day('2026-03-13', '2026-03-14'),
      await day('2026-03-10', '2026-03-11'),
    ];
    expect(one).toBeLessThan(all);
    expect(none).toBeLessThan(one);
  });
});

const pages = listFiles().filter((path) => /^docs\/recipes\/.*\.sql$/.test(path));

test('every recipe is told of in docs/recipes.md and asked here', () => {
  const told = [...readText('docs/recipes.md').matchAll(/^`(docs\/recipes\/[\w-]+\.sql)` /gm)].map(
    (it) => it[1],
  );
  expect(told.toSorted()).toEqual(pages.toSorted());
  const asked = [...readText('test/recipes.test.ts').matchAll(/ask\('([\w-]+)'/g)].map((it) => it[1]);
  expect([...new Set(asked)].map((name) => `docs/recipes/${name}.sql`).toSorted()).toEqual(pages.toSorted());
});
