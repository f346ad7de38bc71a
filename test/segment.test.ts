import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Analytics, type AnalyticsSettings } from '@segment/analytics-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { runCommand } from './run-command.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// Segment's own SDK, and requests as its and RudderStack's web SDKs write them, while Pub/Sub delivers one message in
// three again although it was acknowledged.
const folder = mkdtempSync(join(tmpdir(), 'tributary-segment-'));
const settingsFile = join(folder, 'settings.json');
let cloud: LocalCloud;
let warehouse: Warehouse;

const decideSettings = (closed: object) => {
  const open = { sdk: {}, flush: {}, retry: {}, 'web-segment': {}, 'web-rudder': {} };
  writeFileSync(settingsFile, JSON.stringify({ projects: { ...open, closed } }));
};

beforeAll(async () => {
  decideSettings({ dialects: ['analysys'] });
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    settings: settingsFile,
    environment: { ingest: { PUBLISH_TIMEOUT_MS: '500', SPILL_TIMEOUT_MS: '500' } },
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

const startSdk = (writeKey: string, settings: Partial<AnalyticsSettings> = {}) =>
  new Analytics({ writeKey, host: cloud.urls.ingest, ...settings });

const eventsOf = async (project: string) => {
  const rows = await warehouse.query(
    `SELECT name, user_id, anonymous_id, TO_JSON_STRING(properties) AS properties, TO_JSON_STRING(context) AS context,
       UNIX_MILLIS(occurred_at) AS millis, sdk, sdk_version
     FROM events WHERE project = '${project}' ORDER BY name, JSON_VALUE(properties, '$.number')`,
  );
  return rows.map(({ properties, context, millis, ...row }) => ({
    ...row,
    millis: Number(millis),
    properties: JSON.parse(String(properties)),
    context: JSON.parse(String(context)),
  }));
};

const stateOf = (project: string) =>
  warehouse.query(
    `SELECT DISTINCT event_id, kind, name, item_id, anonymous_id, user_id, TO_JSON_STRING(properties) AS properties
     FROM state_log WHERE project = '${project}' ORDER BY kind, anonymous_id, user_id`,
  );

describe('what @segment/analytics-node sends', () => {
  const timestamp = new Date(Date.now() - 86_400_000);
  const properties = {
    title: '跑步机 😀 "shoes" \\ \n end',
    price: 129.95,
    count: 9_007_199_254_740_991,
    tags: ['a+b', ['nested']],
    nothing: null,
    isNew: true,
    when: new Date('2026-01-02T03:04:05.678Z'),
    deep: { a: { b: [{ c: 1 }] } },
  };
  const who = { userId: 'ada', anonymousId: 'device-1' };

  beforeAll(async () => {
    const sdk = startSdk('sdk');
    const context = { ip: '8.8.8.8', page: { url: 'https://shop.example/?a=1&b=<2>' } };
    sdk.track({ ...who, event: 'Order Completed', properties, timestamp, context });
    sdk.track({ userId: 'bob', event: 'Order Completed', properties: { number: 2 }, messageId: 'own-id-1' });
    sdk.page({ ...who, name: 'Home', category: 'Docs', properties: { url: 'https://shop.example/' } });
    sdk.screen({ anonymousId: 'device-2', name: 'Cart' });
    sdk.identify({ ...who, traits: { email: 'ada@example.com', plan: null, age: 36 } });
    sdk.identify({ userId: 'bob', traits: {} });
    sdk.group({ userId: 'ada', groupId: 'company-7', traits: { seats: 12 } });
    sdk.alias({ userId: 'eve', previousId: 'old-eve' });
    await sdk.closeAndFlush();
    await untilDelivered(cloud);
  });

  test('is in events once, value for value', async () => {
    const { nothing, ...rest } = properties;
    const sent = { sdk: '@segment/analytics-node', sdk_version: '3.1.0' };
    expect(await eventsOf('sdk')).toMatchObject([
      { name: '$group', user_id: 'ada', properties: { groupId: 'company-7' } },
      {
        name: '$page',
        ...sent,
        user_id: 'ada',
        properties: { url: 'https://shop.example/', name: 'Home', category: 'Docs' },
      },
      { name: '$screen', anonymous_id: 'device-2', properties: { name: 'Cart' } },
      {
        ...sent,
        name: 'Order Completed',
        user_id: 'ada',
        anonymous_id: 'device-1',
        millis: timestamp.getTime(),
        properties: { ...rest, nothing, when: '2026-01-02T03:04:05.678Z' },
        context: {
          ip: '8.8.8.8',
          page: { url: 'https://shop.example/?a=1&b=<2>' },
          library: { name: '@segment/analytics-node', version: '3.1.0' },
          integrations: {},
          type: 'track',
        },
      },
      { name: 'Order Completed', user_id: 'bob', context: { messageId: 'own-id-1' } },
    ]);
  });

  test('is in state_log where it is of a person or a group, with the alias that both ids imply', async () => {
    const rows = (await stateOf('sdk')).map(({ event_id: _, properties: json, ...row }) => ({
      ...row,
      properties: json === null || json === 'null' ? null : JSON.parse(String(json)),
    }));
    const nobody = { name: null, item_id: null };
    expect(rows).toEqual([
      { kind: 'alias', ...nobody, anonymous_id: 'device-1', user_id: 'ada', properties: null },
      { kind: 'alias', ...nobody, anonymous_id: 'old-eve', user_id: 'eve', properties: {} },
      {
        kind: 'item_set',
        name: 'group',
        item_id: 'company-7',
        anonymous_id: null,
        user_id: 'ada',
        properties: { seats: 12 },
      },
      { kind: 'profile_set', ...nobody, anonymous_id: null, user_id: 'bob', properties: {} },
      {
        kind: 'profile_set',
        ...nobody,
        anonymous_id: 'device-1',
        user_id: 'ada',
        properties: { email: 'ada@example.com', plan: null, age: 36 },
      },
    ]);
  });

  test('leaves nothing in quarantine', async () => {
    expect(await warehouse.number("SELECT COUNT(*) FROM quarantine WHERE project = 'sdk'")).toBe(0);
  });
});

test('flush delivers what was tracked before it, and closeAndFlush all of many batches', async () => {
  const sdk = startSdk('flush', { flushAt: 7, flushInterval: 60_000 });
  const track = (number: number) => sdk.track({ userId: 'u', event: 'numbered', properties: { number } });
  for (let number = 0; number < 3; number++) track(number);
  await sdk.flush();
  await untilDelivered(cloud);
  expect(await warehouse.number("SELECT COUNT(*) FROM events WHERE project = 'flush'")).toBe(3);
  for (let number = 3; number < 100; number++) track(number);
  await sdk.closeAndFlush();
  const refused = new Promise((resolve) => sdk.once('call_after_close', resolve));
  track(100);
  await refused;
  await untilDelivered(cloud);
  const [row] = await warehouse.query(
    "SELECT COUNT(*) AS n, COUNT(DISTINCT JSON_VALUE(properties, '$.number')) AS numbers FROM events WHERE project = 'flush'",
  );
  expect([Number(row?.n), Number(row?.numbers)]).toEqual([100, 100]);
});

test('what is answered 503, or stored without an answer in time, is sent again and is in events once', async () => {
  const sdk = startSdk('retry', { flushAt: 5 });
  const statuses: number[] = [];
  const failed = new Promise<void>((resolve) => {
    sdk.on('http_response', ({ status }) => {
      statuses.push(status);
      if (status === 503) resolve();
    });
  });
  await cloud.setFaults({
    pubsub: { publishStoredThenLostRate: 1 },
    storage: { unavailableRate: 1 },
  });
  for (let number = 0; number < 20; number++) {
    sdk.track({ userId: 'u', anonymousId: 'a', event: 'numbered', properties: { number } });
  }
  await failed;
  await cloud.setFaults({ pubsub: { publishStoredThenLostRate: 0 }, storage: { unavailableRate: 0 } });
  await sdk.closeAndFlush();
  await cloud.runJob('replay-drain');
  await untilDelivered(cloud);
  expect(statuses).toContain(503);
  expect(statuses.filter((status) => status === 200)).toHaveLength(4);
  const [row] = await warehouse.query(
    "SELECT COUNT(*) AS n, COUNT(DISTINCT JSON_VALUE(properties, '$.number')) AS numbers FROM events WHERE project = 'retry'",
  );
  expect([Number(row?.n), Number(row?.numbers)]).toEqual([20, 20]);
  expect(await warehouse.number("SELECT COUNT(*) FROM event_log WHERE project = 'retry'")).toBeGreaterThan(
    20,
  );
  const aliases = await stateOf('retry');
  expect(aliases.every(({ kind, user_id }) => kind === 'alias' && user_id === 'u')).toBe(true);
  // The deliveries that carried the same events are known as the same request.
  const verdicts = await warehouse.query(
    "SELECT verdict, COUNT(*) AS n FROM event_deliveries WHERE project = 'retry' AND verdict = 'possible_twin' GROUP BY verdict",
  );
  expect(verdicts).toEqual([]);
});

describe('a request as a web SDK writes it', () => {
  const at = new Date(Date.now() - 60_000).toISOString();
  const common = {
    timestamp: at,
    anonymousId: 'device-9',
    userId: null,
    integrations: {},
    context: {
      page: { url: 'https://shop.example/' },
      library: { name: 'analytics.js', version: 'npm:next' },
    },
  };
  const post = async (path: string, body: string | Buffer, headers: Record<string, string>) => {
    const response = await fetch(`${cloud.urls.ingest}${path}`, {
      method: 'POST',
      headers: { Origin: 'https://shop.example', ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.text(),
    };
  };
  const success = { status: 200, type: 'application/json', body: '{"success":true}' };

  test('by Analytics.js, one to a path of a letter or a batch, as text and with its key in the body', async () => {
    for (let time = 0; time < 3; time++) {
      const sentAt = new Date().toISOString();
      const own = {
        writeKey: 'web-segment',
        sentAt,
        _metadata: { bundled: ['Segment.io'], retryCount: time },
      };
      const track = { ...common, ...own, type: 'track', event: 'Product Viewed', messageId: 'ajs-next-1' };
      expect(await post('/v1/t', JSON.stringify(track), { 'Content-Type': 'text/plain' })).toEqual(success);
      const page = {
        ...common,
        type: 'page',
        name: 'Home',
        properties: { name: 'Home' },
        messageId: 'ajs-next-2',
      };
      const batch = { batch: [page], writeKey: 'web-segment', sentAt };
      expect(await post('/v1/b', JSON.stringify(batch), { 'Content-Type': 'text/plain' })).toEqual(success);
    }
    await untilDelivered(cloud);
    expect(await eventsOf('web-segment')).toMatchObject([
      { name: '$page', anonymous_id: 'device-9', user_id: null, properties: { name: 'Home' } },
      { name: 'Product Viewed', millis: Date.parse(at), sdk: 'analytics.js', sdk_version: 'npm:next' },
    ]);
  });

  test('by RudderStack, to a path of one, as gzip, and as a beacon with its key in the query', async () => {
    const message = { ...common, timestamp: undefined, originalTimestamp: at, channel: 'web', userId: '' };
    for (let time = 0; time < 3; time++) {
      const sentAt = new Date().toISOString();
      const identify = {
        ...message,
        sentAt,
        type: 'identify',
        userId: 'ada',
        messageId: 'r-1',
        context: { ...common.context, traits: { plan: 'free' }, sessionId: 1668147216 },
      };
      const authorization = `Basic ${Buffer.from('web-rudder:').toString('base64')}`;
      expect(
        await post('/v1/identify', gzipSync(JSON.stringify(identify)), {
          Authorization: authorization,
          'Content-Encoding': 'gzip',
          AnonymousId: Buffer.from('device-9').toString('base64'),
        }),
      ).toEqual(success);
      const track = { ...message, type: 'track', event: 'left', properties: { number: 1 }, messageId: 'r-2' };
      const beacon = JSON.stringify({ batch: [track], sentAt });
      expect(
        await post('/beacon/v1/batch?writeKey=web-rudder', beacon, { 'Content-Type': 'text/plain' }),
      ).toEqual(success);
    }
    await untilDelivered(cloud);
    expect(await eventsOf('web-rudder')).toMatchObject([
      { name: 'left', anonymous_id: 'device-9', user_id: null, millis: Date.parse(at) },
    ]);
    expect(await stateOf('web-rudder')).toMatchObject([
      { kind: 'alias', anonymous_id: 'device-9', user_id: 'ada' },
      { kind: 'profile_set', anonymous_id: 'device-9', user_id: 'ada', properties: '{"plan":"free"}' },
    ]);
  });

  test('asks first whether it may, and hears that it may send its credentials', async () => {
    const response = await fetch(`${cloud.urls.ingest}/v1/track`, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://shop.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'anonymousid,authorization,content-type',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe(
      'anonymousid,authorization,content-type',
    );
    expect(response.headers.get('access-control-allow-origin')).toBe('https://shop.example');
  });
});

describe('what is quarantined', () => {
  test('comes back by a replay though Authorization is not kept: both of a group, once, with one place each', async () => {
    const sdk = startSdk('closed');
    sdk.group({ userId: 'ada', anonymousId: 'device-1', groupId: 'company-7', traits: { seats: 12 } });
    await sdk.closeAndFlush();
    // Without a message id its content decides, and with it how often it came.
    const group = { userId: 'bob', groupId: 'company-8', timestamp: new Date().toISOString() };
    const response = await fetch(`${cloud.urls.ingest}/v1/group`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('closed:').toString('base64')}` },
      body: JSON.stringify(group),
    });
    expect(await response.text()).toBe('{"success":true}');
    await untilDelivered(cloud);
    const open = () => warehouse.number("SELECT COUNT(*) FROM quarantine_open WHERE project = 'closed'");
    expect(await open()).toBe(4);
    const [kept] = await warehouse.query(
      "SELECT STRING_AGG(headers, ' ') AS headers FROM (SELECT TO_JSON_STRING(headers) AS headers FROM quarantine)",
    );
    expect(String(kept?.headers).toLowerCase()).not.toContain('authorization');
    decideSettings({});
    const { code, stdout } = await runCommand(cloud, 'replay', '--where', "project = 'closed'");
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('accepted') });
    await untilDelivered(cloud);
    expect(await open()).toBe(0);
    expect(await eventsOf('closed')).toMatchObject([
      { name: '$group', properties: { groupId: expect.stringMatching(/^company-[78]$/) } },
      { name: '$group', properties: { groupId: expect.stringMatching(/^company-[78]$/) } },
    ]);
    const places = await warehouse.number(
      "SELECT COUNT(*) FROM (SELECT DISTINCT event_id, batch_id, batch_index FROM event_log WHERE project = 'closed')",
    );
    expect(places).toBe(4);
    const kinds = (await stateOf('closed')).map(({ kind, user_id, item_id }) => [kind, user_id, item_id]);
    expect(kinds.sort()).toEqual([
      ['alias', 'ada', null],
      ['item_set', 'ada', 'company-7'],
      ['item_set', 'bob', 'company-8'],
    ]);
  });

  test('is told with success: without a write key, without ids, and what is no JSON', async () => {
    const bodies = [
      JSON.stringify({ event: 'e', userId: 'u' }),
      JSON.stringify({ writeKey: 'sdk' }),
      '{"a":',
    ];
    for (const body of bodies) {
      const response = await fetch(`${cloud.urls.ingest}/v1/track`, { method: 'POST', body });
      expect([response.status, await response.text()]).toEqual([200, '{"success":true}']);
    }
    await untilDelivered(cloud);
    const rows = await warehouse.query(
      "SELECT reason, project FROM quarantine_open WHERE dialect = 'segment' ORDER BY reason",
    );
    expect(rows).toEqual([
      { reason: 'invalid_json', project: null },
      { reason: 'missing_ids', project: 'sdk' },
      { reason: 'missing_write_key', project: null },
    ]);
  });
});
