import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import {
  beacon,
  type Encryption,
  encryptedImage,
  encryptedMobile,
  encryptPlugin,
  image,
  type SdkRequest,
  type SentEvent,
  serverRequests,
} from './analysys-requests.ts';
import { sendCapture } from './replay-captures.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// Every way in which an SDK of Analysys sends and that was not recorded, each request three times, while Pub/Sub
// delivers one message in three again although it was acknowledged.
const folder = mkdtempSync(join(tmpdir(), 'tributary-ways-'));
const now = Date.now();
let cloud: LocalCloud;
let warehouse: Warehouse;

const eventOf = (appid: string, number: number): SentEvent => ({
  appid,
  xwho: `JS${number}f9c`,
  xwhat: number === 0 ? '$pageview' : 'buy',
  xwhen: now - 1000 * number,
  xcontext: {
    $lib: 'JS',
    $lib_version: '4.5.5',
    $platform: 'JS',
    $debug: 0,
    $is_login: false,
    $url: 'https://shop.example/?a=1&b=<2>+3%20#top',
    title: '跑步机 😀 "shoes" \\ \n end',
    price: 129.95,
    count: 9_007_199_254_740_991,
    tags: ['a+b', 'c/d', 'é'],
    in_stock: true,
    empty: '',
  },
});

const encryptionOf = (appid: string, lib: string, libVersion: string, type: 1 | 2): Encryption => ({
  appid,
  lib,
  libVersion,
  type,
  reqt: now,
});

/** By the appid: how it sends its two events, each in a request or both in one. */
const ways: Record<string, (events: readonly SentEvent[], appid: string) => readonly SdkRequest[]> = {
  php: (events, appid) => [serverRequests.php(events, appid), serverRequests.php([], appid)],
  go: (events) => [serverRequests.go(events)],
  lua: (events) => [serverRequests.lua(events)],
  beacon: (events, appid) => events.map((event) => beacon([event], appid)),
  'beacon-without-type': (events, appid) => events.map((event) => beacon([event], appid, false)),
  image: (events) => events.map((event) => image(event)),
  'image-below-up': (events) => events.map((event) => image(event, '/up/')),
  'image-below-slashes': (events) => events.map((event) => image(event, '//')),
  'plugin-ecb': (events, appid) => [encryptPlugin(events, encryptionOf(appid, 'JS', '4.5.5', 1))],
  'plugin-cbc': (events, appid) => [encryptPlugin(events, encryptionOf(appid, 'WeChat', '4.4.8', 2))],
  'plugin-image': (events, appid) =>
    events.map((event) => encryptedImage(event, encryptionOf(appid, 'JS', '4.4.5', 1))),
  'android-ecb': (events, appid) => [encryptedMobile(events, encryptionOf(appid, 'Android', '4.5.4.3', 1))],
  'ios-cbc': (events, appid) => [encryptedMobile(events, encryptionOf(appid, 'iOS', '4.5.15.2', 2))],
};
const appids = Object.keys(ways);
const eventsOf = (appid: string): readonly SentEvent[] => [eventOf(appid, 0), eventOf(appid, 1)];

/** Sends as the SDK would and answers what it would hear. */
const send = ({ method, path, headers, body }: SdkRequest) =>
  sendCapture(cloud.urls.ingest, {
    method,
    path,
    headers: Object.entries(headers),
    body_base64: body.toString('base64'),
  });

beforeAll(async () => {
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load'],
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
  for (let time = 0; time < 3; time++) {
    for (const [appid, requestsOf] of Object.entries(ways)) {
      // The last is one event for all.
      for (const request of [
        ...requestsOf(eventsOf(appid), appid),
        ...requestsOf([eventOf('all', 2)], 'all'),
      ]) {
        const answer = await send(request);
        if (answer.status !== 200 || answer.body !== '{"code":200}') {
          throw new Error(`${request.method} of ${appid} was answered ${answer.status} ${answer.body}`);
        }
      }
    }
  }
  await untilDelivered(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a request as an SDK would send it', () => {
  test.each(appids)('by %s is in events exactly once, value for value', async (appid) => {
    const rows = await warehouse.query(
      `SELECT name, anonymous_id, UNIX_MILLIS(occurred_at) AS millis, sdk, sdk_version,
         TO_JSON_STRING(properties) AS properties, TO_JSON_STRING(context) AS context
       FROM events WHERE project = '${appid}' ORDER BY occurred_at DESC`,
    );
    const rebuilt = rows.map((row) => ({
      appid,
      xwho: row.anonymous_id,
      xwhat: row.name,
      xwhen: Number(row.millis),
      xcontext: { ...JSON.parse(String(row.properties)), ...JSON.parse(String(row.context)) },
    }));
    expect(rebuilt).toEqual(eventsOf(appid));
    expect(rows.every((row) => row.sdk === 'JS' && row.sdk_version === '4.5.5')).toBe(true);
  });

  test('gives an event the id that it has however it is sent', async () => {
    const [row] = await warehouse.query(
      "SELECT COUNT(DISTINCT event_id) AS ids, COUNT(DISTINCT request_hash) AS requests FROM event_log WHERE project = 'all'",
    );
    // The two beacons differ in their type only, which is no part of what they say.
    expect([Number(row?.ids), Number(row?.requests)]).toEqual([1, appids.length - 1]);
    expect(await warehouse.number("SELECT COUNT(*) FROM events WHERE project = 'all'")).toBe(1);
  });

  test('arrived three times at least, and left nothing in quarantine', async () => {
    const least = await warehouse.number(
      'SELECT MIN(copies) FROM (SELECT COUNT(*) AS copies FROM event_log GROUP BY event_id)',
    );
    expect(least).toBeGreaterThanOrEqual(3);
    expect(await warehouse.number('SELECT COUNT(*) FROM quarantine_open')).toBe(0);
  });
});

test('what cannot be opened is in quarantine with all that opening it again needs', async () => {
  const events = [eventOf('locked', 0)];
  const plugin = encryptPlugin(events, encryptionOf('locked', 'JS', '4.5.5', 1));
  const mobile = encryptedMobile(events, encryptionOf('locked', 'Android', '4.5.5', 2));
  const image = encryptedImage(eventOf('locked', 0), encryptionOf('locked', 'JS', '4.5.5', 1));
  const requests: SdkRequest[] = [
    { ...plugin, path: plugin.path.replace('reqv=1', 'reqv=2') },
    { ...mobile, headers: { ...mobile.headers, reqt: '1' } },
    { ...image, path: image.path.replace('reqv=1', 'reqv=3') },
  ];
  for (const request of requests) expect(await send(request)).toEqual({ status: 200, body: '{"code":200}' });
  expect(await send({ method: 'GET', path: '/up', headers: {}, body: Buffer.alloc(0) })).toMatchObject({
    status: 200,
  });
  await untilDelivered(cloud);
  const rows = await warehouse.query(
    `SELECT method, CONCAT(path, IFNULL(CONCAT('?', query), '')) AS path, unit, reason, replayable,
       JSON_VALUE(headers, '$.reqt') AS reqt, TO_BASE64(body) AS body
     FROM quarantine_open WHERE project = 'locked' ORDER BY received_at`,
  );
  expect(rows).toEqual(
    requests.map(({ method, path, headers, body }) => ({
      method,
      path,
      unit: 'request',
      reason: 'undecryptable',
      replayable: true,
      reqt: headers.reqt ?? null,
      body: body.toString('base64'),
    })),
  );
});
