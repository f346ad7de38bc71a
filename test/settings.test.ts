import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { post } from './http-post.ts';
import { runCommand } from './run-command.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// What an operator decides per project, from the settings to the rows.
const limited = { rateLimit: { eventsPerSecond: 0.001, burst: 1 } };
const projects = {
  again: { dedup: 'off' },
  ...Object.fromEntries([0, 1, 2].map((debug) => [`debug-${debug}`, { debug }])),
  'as-sent': {},
  flood: limited,
  pipe: limited,
  clockless: { eventTime: 'ignore' },
};
const now = Date.now();
let cloud: LocalCloud;
let warehouse: Warehouse;
let lines: string[] = [];

async function start(folder: string, environment: Record<string, NodeJS.ProcessEnv> = {}) {
  lines = [];
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    environment,
    report(event) {
      if (event.name === 'ingest' && event.kind === 'line') lines.push(event.line);
    },
  });
  warehouse = warehouseOf(cloud);
}

const untilFollowed = () =>
  expect
    .poll(() => lines.some((line) => line.includes('settings read again')), { timeout: 60_000 })
    .toBe(true);

const event = (project: string, change: object = {}) => ({
  appid: project,
  xwho: 'visitor-1',
  xwhat: 'view',
  xwhen: now,
  xcontext: {},
  ...change,
});

async function send(events: readonly object[]): Promise<void> {
  const { status, body } = await post(`${cloud.urls.ingest}/up`, JSON.stringify(events), 30_000);
  expect([status, body]).toEqual([200, '{"code":200}']);
}

const count = (table: string, where: string) =>
  warehouse.number(`SELECT COUNT(*) FROM ${table} WHERE ${where}`);
const namesIn = async (table: string, project: string) =>
  (await warehouse.query(`SELECT name FROM ${table} WHERE project = '${project}' ORDER BY name`)).map(
    ({ name }) => name,
  );

describe('settings that an operator writes while everything runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-settings-'));
  beforeAll(() => start(folder), 120_000);
  afterAll(async () => {
    await cloud?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('hold without a new start, though there was no file before', async () => {
    await send([event('stranger')]);
    await untilDelivered(cloud);
    expect(await count('events', "project = 'stranger'")).toBe(1);
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ projects }));
    await untilFollowed();
    await send([event('stranger', { xwhat: 'too late' })]);
    await untilDelivered(cloud);
    expect(await count('quarantine_open', "project = 'stranger' AND reason = 'unknown_project'")).toBe(1);
  });

  test('without dedup count again what is sent again, and never what Pub/Sub delivers again', async () => {
    await cloud.setFaults({ pubsub: { redeliverRate: 1 } });
    const requests = [[event('again'), event('again')], [event('as-sent', { xwhat: 'once' })]];
    for (const request of [...requests, ...requests]) await send(request);
    await cloud.setFaults({ pubsub: { redeliverRate: 0 } });
    await untilDelivered(cloud);
    // Two requests of true twins.
    expect(await count('events', "project = 'again'")).toBe(4);
    expect(await count('event_log', "project = 'again'")).toBeGreaterThan(4);
    expect(await count('events', "project = 'as-sent'")).toBe(1);
  });

  test('decide over debug, and its modes over the views: 1 is shown and not counted, 2 both', async () => {
    const modes = [0, 1, 2];
    for (const project of ['debug-0', 'debug-1', 'debug-2', 'as-sent']) {
      const sent = modes.flatMap(($debug) => [
        event(project, { xwhat: `sent ${$debug}`, xcontext: { $debug } }),
        event(project, {
          xwhat: '$profile_set',
          xwho: `visitor-${$debug}`,
          xcontext: { $debug, plan: 'gold' },
        }),
      ]);
      await send(sent);
    }
    await untilDelivered(cloud);
    const all = modes.map((mode) => `sent ${mode}`);
    const between = "events_between(TIMESTAMP '2020-01-01', TIMESTAMP '2100-01-01')";
    const seen: Record<string, unknown> = {};
    for (const project of ['debug-0', 'debug-1', 'debug-2', 'as-sent']) {
      const counted = (await namesIn('events', project)).filter((name) => name !== 'once');
      expect((await namesIn(between, project)).filter((name) => name !== 'once')).toEqual(counted);
      const shown = await namesIn('events_debug', project);
      const profiles = shown.filter((name) => name === null).length;
      seen[project] = { counted, shown: shown.filter((name) => name !== null), profiles };
    }
    expect(seen).toEqual({
      'debug-0': { counted: all, shown: [], profiles: 0 },
      'debug-1': { counted: [], shown: all, profiles: 3 },
      'debug-2': { counted: all, shown: all, profiles: 3 },
      'as-sent': { counted: ['sent 0', 'sent 2'], shown: ['sent 1', 'sent 2'], profiles: 2 },
    });
  });

  test('change no id by what they decide over debug, so that a resend is one event before and after', async () => {
    const ids = await warehouse.query(
      "SELECT event_id FROM event_log WHERE project = 'debug-1' ORDER BY event_id",
    );
    writeFileSync(
      join(folder, 'settings.json'),
      JSON.stringify({ projects: { ...projects, 'debug-1': { debug: 0 } } }),
    );
    lines = [];
    await untilFollowed();
    await send([event('debug-1', { xwhat: 'sent 1', xcontext: { $debug: 1 } })]);
    await untilDelivered(cloud);
    expect(await namesIn('events', 'debug-1')).toEqual(['sent 1']);
    const distinct = await warehouse.query(
      "SELECT DISTINCT event_id FROM event_log WHERE project = 'debug-1' ORDER BY event_id",
    );
    expect(distinct).toEqual(ids);
  });

  test('keep what is over the rate limit in quarantine, from where a replay brings it, twins and all', async () => {
    const twins = [event('flood'), event('flood')];
    // The first takes more than there is, as a whole.
    await send([...twins, event('flood', { xwhat: 'first' })]);
    await send([
      ...twins.map((twin) => ({ ...twin, xwhen: now + 1 })),
      event('as-sent', { xwhat: 'beside' }),
    ]);
    await untilDelivered(cloud);
    expect(await count('events', "project = 'flood'")).toBe(3);
    expect(await count('events', "project = 'as-sent' AND name = 'beside'")).toBe(1);
    expect(await count('quarantine_open', "project = 'flood' AND reason = 'rate_limited'")).toBe(2);
    const replayed = await runCommand(cloud, 'replay', '--where', "project = 'flood'");
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringContaining('2 events are on') });
    await untilDelivered(cloud);
    expect(await count('events', "project = 'flood'")).toBe(5);
    expect(await count('quarantine_open', "project = 'flood'")).toBe(0);
  });

  test('answer 429 to SDKs that send again, and keep nothing of it', async () => {
    const track = (messageId: string) =>
      fetch(`${cloud.urls.ingest}/v1/track`, {
        method: 'POST',
        headers: { Authorization: `Basic ${Buffer.from('pipe:').toString('base64')}` },
        body: JSON.stringify({ type: 'track', event: 'view', anonymousId: 'visitor-1', messageId }),
      });
    expect((await track('m-1')).status).toBe(200);
    const refused = await track('m-2');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(900);
    expect(refused.headers.get('access-control-expose-headers')).toBe('Retry-After');
    expect(await refused.json()).toMatchObject({ code: 429, message: expect.stringContaining('rate limit') });
    await untilDelivered(cloud);
    expect(await count('events', "project = 'pipe'")).toBe(1);
    expect(await count('quarantine', "project = 'pipe'")).toBe(0);
  });

  test('give GrowingIO events the time of receiving where they ignore event_time', async () => {
    const sent = { eventType: 'CUSTOM', eventName: 'view', deviceId: 'd', timestamp: now - 86_400_000 };
    for (const projectKey of ['clockless', 'as-sent']) {
      const body = JSON.stringify([{ ...sent, projectKey, sendTime: sent.timestamp }]);
      const { status } = await post(`${cloud.urls.ingest}/v3/projects/${projectKey}/collect`, body, 10_000);
      expect(status).toBe(204);
    }
    await untilDelivered(cloud);
    const sources = await warehouse.query(
      "SELECT project, time_source FROM events WHERE dialect = 'growingio' ORDER BY project",
    );
    expect(sources).toEqual([
      { project: 'as-sent', time_source: 'sender' },
      { project: 'clockless', time_source: 'received' },
    ]);
  });
});

describe('settings in a bucket that holds none yet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-settings-'));
  const place = { SETTINGS: 'gs://settings/tributary.json', SETTINGS_OPTIONAL: '' };
  beforeAll(() => start(folder, { ingest: place, replay: place }), 120_000);
  afterAll(async () => {
    await cloud?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('lose nothing and let nothing in, until they come and a replay decides', async () => {
    const events = [event('as-sent'), event('as-sent'), event('stranger')];
    await send(events);
    const late = await fetch(`${cloud.urls.ingest}/v1/track`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('as-sent:').toString('base64')}` },
      body: JSON.stringify({ type: 'track', event: 'view', anonymousId: 'visitor-1', messageId: 'm' }),
    });
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1']);
    await untilDelivered(cloud);
    expect(await count('event_log', 'TRUE')).toBe(0);
    expect(await warehouse.query('SELECT reason, unit FROM quarantine_open')).toEqual([
      { reason: 'settings_unavailable', unit: 'request' },
    ]);
    // Said once, whatever came before it while Cloud Storage started.
    expect(lines.filter((line) => line.includes('there are no settings')).at(-1)).toContain(
      'cannot be read: there is nothing',
    );
    expect(lines.filter((line) => line.includes('there is nothing'))).toHaveLength(1);

    const google = new Storage({ projectId: 'local', apiEndpoint: cloud.urls.storage });
    const [bucket] = await google.createBucket('settings');
    await bucket.file('tributary.json').save(JSON.stringify({ projects }));
    await untilFollowed();
    expect(await runCommand(cloud, 'replay', '--all')).toMatchObject({ code: 0 });
    await untilDelivered(cloud);
    expect(await count('events', "project = 'as-sent'")).toBe(2);
    expect(await warehouse.query('SELECT project, reason FROM quarantine_open')).toEqual([
      { project: 'stranger', reason: 'unknown_project' },
    ]);
    // Whoever sends it again, once there are settings, sends the same events.
    await send(events);
    await untilDelivered(cloud);
    expect(await count('events', 'TRUE')).toBe(2);
  });
});
