import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { itemWays, type Measured, type SdkRequest, userMapping, ways } from './growingio-requests.ts';
import { sendCapture } from './replay-captures.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// Every way in which an SDK of GrowingIO sends and that was not recorded, each three times and each time with another
// time of sending, while Pub/Sub delivers one message in three again although it was acknowledged.
const folder = mkdtempSync(join(tmpdir(), 'tributary-growingio-ways-'));
const now = Date.now();
let cloud: LocalCloud;
let warehouse: Warehouse;

const measured: readonly Measured[] = [0, 1].map((number) => ({
  name: number === 0 ? 'view_item' : 'buy',
  anonymousId: '5f0d7e2c-1e2b-4b52-9f7a-2f6f4f1f4d01',
  userId: `ann${number}@shop.example`,
  at: now - 1000 * number,
  attributes: {
    title: '跑步机 😀 "shoes" \\ \n end',
    price: '129.95',
    tags: 'a+b||c/d||é',
    query: 'a=1;b <2> 3%20',
    __proto__x: 'own',
    empty: '',
  },
}));
const items = [{ id: 'isbn-1', key: 'book', attributes: { title: '跑步', n: '3' } }];
const names = Object.keys(ways);

/** What the columns hold beyond what was measured. */
const columns: Record<string, { platform: string | null; sdk: string | null; version: string | null }> = {
  go: { platform: 'go', sdk: 'growingio-go', version: '1.0.1' },
  java: { platform: null, sdk: null, version: null },
  'java-saas': { platform: null, sdk: null, version: null },
  'python-saas': { platform: 'python', sdk: 'growingio-python', version: null },
  'python-2017': { platform: 'python', sdk: 'growingio-python', version: '1.0.1' },
  'python-older': { platform: 'python', sdk: 'growingio-python', version: null },
  php: { platform: null, sdk: null, version: null },
  'mini-program': { platform: 'MinP', sdk: 'MinP', version: '4.3.1' },
};
const web = { platform: 'web', sdk: 'growingio-web', version: '4.3.1' };
const isSaas = (name: string) => name.endsWith('-saas');

async function send({ method, path, headers, body }: SdkRequest): Promise<void> {
  const answer = await sendCapture(cloud.urls.ingest, {
    method,
    path,
    headers: Object.entries(headers),
    body_base64: body.toString('base64'),
  });
  if (answer.status !== 204 || answer.body !== '') {
    throw new Error(`${method} ${path} was answered ${answer.status} ${answer.body}`);
  }
}

beforeAll(async () => {
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load'],
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
  for (let time = 0; time < 3; time++) {
    for (const [name, requestsOf] of Object.entries(ways)) {
      for (const request of requestsOf(measured, name)) await send(request);
    }
    for (const [name, requestOf] of Object.entries(itemWays)) await send(requestOf(items, `item-${name}`));
    await send(userMapping({ phone: '139', email: 'ann@shop.example' }, 'mapping'));
  }
  await untilDelivered(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a request as an SDK would send it', () => {
  test.each(names)('by %s is in events exactly once, value for value', async (name) => {
    const rows = await warehouse.query(
      `SELECT name, anonymous_id, user_id, UNIX_MILLIS(occurred_at) AS millis, platform, sdk, sdk_version, dialect,
         TO_JSON_STRING(properties) AS properties
       FROM events WHERE project = '${name}' ORDER BY occurred_at DESC`,
    );
    const { platform, sdk, version } = columns[name] ?? web;
    expect(
      rows.map((row) => ({
        ...row,
        millis: Number(row.millis),
        properties: JSON.parse(String(row.properties)),
      })),
    ).toEqual(
      measured.map((event) => ({
        name: event.name,
        anonymous_id: isSaas(name) ? null : event.anonymousId,
        user_id: event.userId,
        millis: event.at,
        platform,
        sdk,
        sdk_version: version,
        dialect: 'growingio',
        properties: event.attributes,
      })),
    );
  });

  test('again with another time of sending is a resend and no twin', async () => {
    const rows = await warehouse.query('SELECT verdict, requests, deliveries FROM event_deliveries');
    expect(rows.length).toBeGreaterThan(2 * names.length);
    for (const { verdict, requests, deliveries } of rows) {
      expect([verdict, Number(requests)]).toEqual(['resent', 1]);
      expect(Number(deliveries)).toBeGreaterThanOrEqual(3);
    }
  });

  test('with items has one id for each way to send the item', async () => {
    const rows = await warehouse.query(
      `SELECT project, COUNT(DISTINCT event_id) AS ids, ANY_VALUE(CONCAT(kind, ' ', name, ' ', item_id)) AS item,
         ANY_VALUE(TO_JSON_STRING(properties)) AS properties
       FROM state_log WHERE STARTS_WITH(project, 'item-') GROUP BY project ORDER BY project`,
    );
    expect(rows.map((row) => ({ ...row, ids: Number(row.ids) }))).toEqual(
      Object.keys(itemWays)
        .sort()
        .map((name) => ({
          project: `item-${name}`,
          ids: 1,
          item: 'item_set book isbn-1',
          properties: '{"n":"3","title":"跑步"}',
        })),
    );
  });

  test('of a user mapping is an alias without a device', async () => {
    const rows = await warehouse.query(
      `SELECT DISTINCT kind, anonymous_id, user_key, user_id, time_source, TO_JSON_STRING(context) AS context
       FROM state_log WHERE project = 'mapping'`,
    );
    expect(rows).toEqual([
      {
        kind: 'alias',
        anonymous_id: null,
        user_key: 'email',
        user_id: 'ann@shop.example',
        time_source: 'received',
        context:
          '{"dataSourceId":"ab555003531e0fd1","identifies":{"email":"ann@shop.example","phone":"139"}}',
      },
    ]);
  });

  test('left nothing in quarantine', async () => {
    expect(await warehouse.number('SELECT COUNT(*) FROM quarantine_open')).toBe(0);
  });
});

test('what breaks a rule is in quarantine event by event, and what cannot be read whole, as it came', async () => {
  const [go] =
    ways.go?.(
      [{ ...(measured[0] as Measured), anonymousId: '', userId: '' }, measured[1] as Measured],
      'bad',
    ) ?? [];
  if (go === undefined) throw new Error('no request');
  await send(go);
  await send({ ...go, body: go.body.subarray(0, 60) });
  await untilDelivered(cloud);
  const rows = await warehouse.query(
    `SELECT project, unit, reason, path, TO_BASE64(body) AS body, replayable,
       JSON_VALUE(headers, '$.x-timestamp') IS NOT NULL AS has_key
     FROM quarantine_open ORDER BY received_at`,
  );
  expect(rows).toMatchObject([
    {
      project: 'bad',
      unit: 'event',
      reason: 'missing_id',
      path: '/v3/projects/bad/collect',
      replayable: true,
    },
    { project: 'bad', unit: 'request', reason: 'unreadable_body', replayable: true, has_key: true },
  ]);
  expect(JSON.parse(Buffer.from(String(rows[0]?.body), 'base64').toString())).toMatchObject({
    eventType: 'CUSTOM',
    attributes: measured[0]?.attributes,
  });
  expect(rows[1]?.body).toBe(go.body.subarray(0, 60).toString('base64'));
  expect(await warehouse.number("SELECT COUNT(*) FROM events WHERE project = 'bad'")).toBe(1);
});
