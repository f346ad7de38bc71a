import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { encodeEvents } from '../shared/wire/tributary/encode.ts';
import type { TributaryEvent } from '../shared/wire/tributary/wire-event.ts';
import type { VerdictsAnswer } from '../shared/wire/verdicts.ts';
import { runCommand } from './run-command.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// What a sender of ours is told, held against what is then in the warehouse, while Pub/Sub delivers one message in three
// again although it was acknowledged.
const folder = mkdtempSync(join(tmpdir(), 'tributary-own-api-'));
const settingsFile = join(folder, 'settings.json');
let cloud: LocalCloud;
let warehouse: Warehouse;

const decideSettings = (closed: object) =>
  writeFileSync(
    settingsFile,
    JSON.stringify({ projects: { shop: {}, verified: {}, bound: {}, closed }, unknownProjectsPerDay: 1 }),
  );

beforeAll(async () => {
  decideSettings({ dialects: ['analysys'] });
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    settings: settingsFile,
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function send(
  project: string,
  body: string | Uint8Array<ArrayBuffer>,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; answer: VerdictsAnswer }> {
  const response = await fetch(`${cloud.urls.ingest}/v1/events${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${project}`, ...headers },
    body,
  });
  return { status: response.status, answer: (await response.json()) as VerdictsAnswer };
}

const idsOf = ({ verdicts }: VerdictsAnswer) => verdicts.flatMap(({ event_id: id }) => id ?? []).sort();
const column = async (name: string, sql: string) =>
  (await warehouse.query(sql)).map((row) => row[name]) as unknown[];
const eventIds = (from: string, project: string) =>
  column('event_id', `SELECT DISTINCT event_id FROM ${from} WHERE project = '${project}' ORDER BY event_id`);

const now = Date.now();
const track = (number: number, more: Partial<TributaryEvent> = {}): TributaryEvent => ({
  name: 'view_item',
  anonymous_id: `visitor-${number % 5}`,
  occurred_at: now - number * 1_000,
  properties: { number },
  ...more,
});

describe('every verdict is true of the rows', () => {
  const events: unknown[] = [
    track(0),
    track(0),
    track(1, { id: 'a1b2-0' }),
    track(2, { id: 'a1b2-0' }),
    track(3, { id: 'a1b2-0', name: 'buy' }),
    track(4, { user_id: '' }),
    { kind: 'profile_set', user_id: 'ada', properties: { plan: 'gold' } },
    { kind: 'item_set', name: 'shoe', item_id: '42', properties: { color: 'blue' } },
    { name: 'view_item' },
    track(5, { occurred_at: '2010-01-01T00:00:00Z' }),
    track(6, { debug: 1 }),
    'no event',
  ];
  const lines = events.map((event) => JSON.stringify(event));
  let answer: VerdictsAnswer;

  beforeAll(async () => {
    const sent = await send('shop', gzipSync([...lines, '{broken'].join('\n')), {
      headers: { 'content-encoding': 'gzip' },
    });
    expect(sent.status).toBe(200);
    ({ answer } = sent);
    await untilDelivered(cloud);
  });

  test('each event has one, and the receipt counts them', () => {
    const told = answer.verdicts.map(({ verdict, reason, field }) => reason ?? verdict + (field ?? ''));
    expect(told).toEqual([
      ...['accepted', 'accepted', 'accepted', 'duplicate', 'accepted', 'bad_field', 'accepted', 'accepted'],
      ...['field_for_kind', 'occurred_at_outside_window', 'accepted', 'not_an_object', 'invalid_json'],
    ]);
    expect(answer.verdicts.map(({ index }) => index)).toEqual([...Array(13).keys()]);
    expect(answer.receipt).toMatchObject({ accepted: 7, duplicate: 1, quarantined: 5, dropped: 0 });
  });

  test('what is accepted is in event_log once, under the id and the receipt that were told', async () => {
    const rows = await warehouse.query(
      `SELECT event_id, batch_id, request_hash, FORMAT_TIMESTAMP('%FT%H:%M:%E3SZ', received_at) AS received_at, batch_index
       FROM event_log WHERE project = 'shop' GROUP BY event_id, batch_id, request_hash, received_at, batch_index
       ORDER BY batch_index`,
    );
    const { batch_id, request_hash, received_at } = answer.receipt;
    expect(rows.map((row) => ({ ...row, batch_index: Number(row.batch_index) }))).toEqual(
      answer.verdicts
        .filter(({ verdict }) => verdict === 'accepted')
        .map(({ index, event_id }) => ({
          event_id,
          batch_id,
          request_hash,
          received_at,
          batch_index: index,
        })),
    );
  });

  test('a duplicate has the id of the one that is stored', () => {
    expect(answer.verdicts[3]?.event_id).toBe(answer.verdicts[2]?.event_id);
    expect(new Set(idsOf(answer)).size).toBe(7);
  });

  test('what is quarantined is open with the very reason, and its own text', async () => {
    const rows = await warehouse.query(
      `SELECT place, reason, field, detail, SAFE_CONVERT_BYTES_TO_STRING(body) AS body FROM quarantine_open
       WHERE project = 'shop' AND batch_id = '${answer.receipt.batch_id}' ORDER BY place`,
    );
    const told = answer.verdicts.filter(({ verdict }) => verdict === 'quarantined');
    expect(rows.map(({ place, body, ...row }) => ({ ...row, index: Number(place) }))).toEqual(
      told.map(({ verdict: _, field = null, ...one }) => ({ ...one, field })),
    );
    expect(rows.map(({ body }) => body)).toEqual([lines[5], lines[8], lines[9], lines[11], '{broken']);
  });

  test('a request that is sent again has the same verdicts, and adds no event', async () => {
    const before = await eventIds('events', 'shop');
    const again = await send('shop', zstdCompressSync([...lines, '{broken'].join('\n')));
    expect(again.answer.verdicts).toEqual(answer.verdicts);
    await untilDelivered(cloud);
    expect(await eventIds('events', 'shop')).toEqual(before);
  });
});

describe('what is not understood at all', () => {
  test('is answered 400, and kept under the batch id that was told', async () => {
    const { status, answer } = await send('shop', '[{"name":"view",');
    expect(status).toBe(400);
    expect(answer.verdicts).toMatchObject([{ index: null, verdict: 'quarantined', reason: 'invalid_json' }]);
    expect(answer.receipt).toMatchObject({ accepted: 0, quarantined: 1 });
    await untilDelivered(cloud);
    const rows = await warehouse.query(
      `SELECT project, unit, SAFE_CONVERT_BYTES_TO_STRING(body) AS body, TO_JSON_STRING(headers) AS headers
       FROM quarantine_open WHERE batch_id = '${answer.receipt.batch_id}'`,
    );
    expect(rows).toMatchObject([{ project: 'shop', unit: 'request', body: '[{"name":"view",' }]);
    expect(String(rows[0]?.headers)).not.toMatch(/bearer|authorization/i);
  });

  test('is answered 401 without a key, and nothing of it is kept', async () => {
    const before = await warehouse.number('SELECT COUNT(*) FROM quarantine');
    const response = await fetch(`${cloud.urls.ingest}/v1/events`, { method: 'POST', body: '[]' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="tributary"');
    expect(await response.json()).toMatchObject({ code: 401, message: expect.stringMatching(/Bearer KEY/) });
    await untilDelivered(cloud);
    expect(await warehouse.number('SELECT COUNT(*) FROM quarantine')).toBe(before);
  });

  test('of a project that nobody knows is told to be kept, and over the number of a day not to be', async () => {
    const { answer } = await send('stranger', encodeEvents([track(1), track(2)]));
    expect(answer.verdicts).toMatchObject([
      { verdict: 'quarantined', reason: 'unknown_project' },
      { verdict: 'dropped', reason: 'unknown_project', detail: expect.stringMatching(/send again/) },
    ]);
    expect(answer.receipt).toMatchObject({ quarantined: 1, dropped: 1 });
    await untilDelivered(cloud);
    const kept = await warehouse.number(
      "SELECT COUNT(DISTINCT quarantine_id) FROM quarantine WHERE project = 'stranger'",
    );
    expect(kept).toBe(1);
  });
});

describe('verify=1', () => {
  const everything = async () => {
    const { topics } = await cloud.counts();
    const tables = ['event_log', 'state_log', 'quarantine'];
    const counts = tables.map((table) => warehouse.number(`SELECT COUNT(*) FROM ${table}`));
    return {
      published: topics['projects/local/topics/events']?.published,
      counts: await Promise.all(counts),
    };
  };
  const analysys = (appid: string | number) =>
    JSON.stringify([{ appid, xwho: 'v', xwhat: 'view', xwhen: now, xcontext: {} }]);
  const segment = JSON.stringify({
    batch: [
      {
        type: 'track',
        event: 'view',
        userId: 'ada',
        messageId: 'm1',
        timestamp: new Date(now).toISOString(),
      },
    ],
    writeKey: 'verified',
  });
  const growingio = JSON.stringify([
    { eventType: 'CUSTOM', eventName: 'view', userId: 'ada', timestamp: now, projectKey: 'verified' },
  ]);
  const bearer = { authorization: 'Bearer verified' };

  test.each<[string, string, RequestInit, string[]]>([
    [
      'our own dialect',
      '/v1/events',
      { method: 'POST', headers: bearer, body: encodeEvents([track(1), {}]) },
      ['accepted', 'field_for_kind'],
    ],
    ['a body that is broken', '/v1/events', { method: 'POST', headers: bearer, body: '{' }, ['invalid_json']],
    ['Analysys', '/up', { method: 'POST', body: analysys('verified') }, ['accepted']],
    ['an Analysys event that is none', '/up', { method: 'POST', body: analysys(7) }, ['bad_appid']],
    ["Analysys' image", `/up?data=${encodeURIComponent(analysys('verified'))}`, {}, ['accepted']],
    ['a project that nobody knows', '/up', { method: 'POST', body: analysys('nobody') }, ['unknown_project']],
    ['GrowingIO', '/v3/projects/verified/collect', { method: 'POST', body: growingio }, ['accepted']],
    ['Segment', '/v1/batch', { method: 'POST', body: segment }, ['accepted']],
  ])('tells what would become of a request of %s, and keeps nothing', async (_, path, init, told) => {
    await untilDelivered(cloud);
    const before = await everything();
    const url = `${cloud.urls.ingest}${path}`;
    const response = await fetch(`${url}${path.includes('?') ? '&' : '?'}verify=1`, init);
    expect(response.status).toBe(200);
    const answer = (await response.json()) as VerdictsAnswer;
    expect(answer.verdicts.map(({ reason, verdict }) => reason ?? verdict)).toEqual(told);
    expect(answer).toMatchObject({ verify: true, receipt: { batch_id: null } });
    expect(await everything()).toEqual(before);

    // The same in earnest: what was told comes true, to the id.
    await (await fetch(url, init)).text();
    await untilDelivered(cloud);
    const ids = idsOf(answer);
    const stored = await warehouse.number(
      `SELECT COUNT(DISTINCT event_id) FROM event_log WHERE event_id IN UNNEST(${JSON.stringify(['-', ...ids])})
       AND request_hash = '${answer.receipt.request_hash}'`,
    );
    expect(stored).toBe(ids.length);
    const isKept = answer.receipt.dropped === 0;
    expect((await everything()).published).toBe((before.published ?? 0) + (isKept ? 1 : 0));
  });
});

describe('events with both ids', () => {
  const both = (number: number, anonymous_id: string, user_id: string, more: object = {}) =>
    track(number, { id: `c3-${number}`, anonymous_id, user_id, ...more });
  const body = encodeEvents([
    both(10, 'device-1', 'ada'),
    both(50, 'device-1', 'ada'),
    both(30, 'device-1', 'ada'),
    both(20, 'device-2', 'ada'),
    both(25, 'device-2', 'ada', { user_key: 'email' }),
    both(15, 'device-3', 'ada', { debug: 1 }),
    track(60, { id: 'c3-60' }),
  ]);
  const aliases = () =>
    warehouse.query(
      `SELECT DISTINCT event_id, anonymous_id, user_id, user_key, UNIX_MILLIS(occurred_at) AS millis
       FROM state_log WHERE project = 'bound' AND kind = 'alias' ORDER BY anonymous_id, user_key`,
    );

  test('bind them: one alias each, of the first, in state_log and nowhere else', async () => {
    expect((await send('bound', body)).answer.receipt).toMatchObject({ accepted: 7 });
    await untilDelivered(cloud);
    const rows = await aliases();
    expect(rows.map(({ event_id: _, ...row }) => ({ ...row, millis: Number(row.millis) }))).toEqual([
      { anonymous_id: 'device-1', user_id: 'ada', user_key: null, millis: now - 50_000 },
      { anonymous_id: 'device-2', user_id: 'ada', user_key: null, millis: now - 20_000 },
      { anonymous_id: 'device-2', user_id: 'ada', user_key: 'email', millis: now - 25_000 },
    ]);
    expect(await warehouse.number("SELECT COUNT(*) FROM event_log WHERE kind = 'alias'")).toBe(0);
    expect(await warehouse.number("SELECT COUNT(*) FROM events WHERE project = 'bound'")).toBe(6);
  });

  test('bind them again under the same ids when they are sent again', async () => {
    const before = await aliases();
    await send('bound', body);
    await untilDelivered(cloud);
    expect(await aliases()).toEqual(before);
  });
});

test('what was quarantined has, once it is replayed, the ids of direct acceptance, and binds', async () => {
  const events = [
    track(1),
    track(1),
    track(2, { id: 'd4-0', user_id: 'ada' }),
    { kind: 'profile_set' as const, user_id: 'ada', properties: { plan: 'gold' } },
  ];
  const kept = await send('closed', encodeEvents(events));
  expect(kept.answer.receipt).toMatchObject({ accepted: 0, quarantined: 4 });
  const whole = await send('closed', '[{"name":');
  expect(whole.status).toBe(400);
  await untilDelivered(cloud);
  decideSettings({});
  await cloud.restart('ingest');
  const { answer } = await send('closed', encodeEvents(events), { query: '?verify=1' });
  expect(answer.receipt).toMatchObject({ accepted: 4 });

  const { code } = await runCommand(cloud, 'replay', '--where', "project = 'closed'");
  expect(code).toBe(0);
  await untilDelivered(cloud);
  expect(await eventIds('event_log', 'closed')).toEqual(idsOf(answer));
  expect(
    await column('reason', "SELECT last_reason AS reason FROM quarantine_open WHERE project = 'closed'"),
  ).toEqual(['invalid_json']);
  const bound = await warehouse.query(
    "SELECT DISTINCT anonymous_id, user_id FROM state_log WHERE project = 'closed' AND kind = 'alias'",
  );
  expect(bound).toEqual([{ anonymous_id: 'visitor-2', user_id: 'ada' }]);
});
