import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync, zstdDecompressSync } from 'node:zlib';
import { PubSub, type Subscription, v1 } from '@google-cloud/pubsub';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PubSubFaults, type PubSubServer, startPubSub } from '../../local/pubsub/index.ts';
import { createPublisher, type Publisher } from '../../shared/google/pubsub-publisher.ts';
import type { log as writeLog } from '../../shared/host/log.ts';
import { type Settings, settingsSchema } from '../../shared/settings/settings.ts';
import { decodeEventBatch } from '../../shared/warehouse/event-batch.ts';
import { readRow } from '../../shared/warehouse/read-row-for-test.ts';
import { analysys } from '../../shared/wire/analysys/decode.ts';
import { createHandleRequest } from './handle-request.ts';
import { createPublishQueue } from './publish.ts';
import { createMessageStore } from './publish-or-spill.ts';

const faults: PubSubFaults = {
  redeliverRate: 0,
  publishUnavailableRate: 0,
  publishStoredThenLostRate: 0,
  publishDelayMs: 0,
  random: Math.random,
};
const caps = { body: 200_000, inflated: 30_000_000, events: 5000 };
let settings: Settings = settingsSchema.parse({});
let logged: string[] = [];
let broker: PubSubServer;
let pubsub: PubSub;
let publisher: Publisher;
let subscription: Subscription;
let subscriber: v1.SubscriberClient;
let server: Server;
let base: string;

beforeAll(async () => {
  broker = await startPubSub({ port: 0, file: ':memory:', faults });
  const options = { projectId: 'local', apiEndpoint: `127.0.0.1:${broker.port}`, emulatorMode: true };
  pubsub = new PubSub(options);
  const [topic] = await pubsub.createTopic('events');
  publisher = createPublisher('local', 'events', { LOCAL_PUBSUB: `127.0.0.1:${broker.port}` });
  subscription = (await topic.createSubscription('reader'))[0];
  const { sslCreds } = await pubsub.getClientConfig();
  subscriber = new v1.SubscriberClient({
    apiEndpoint: '127.0.0.1',
    port: broker.port,
    ...(sslCreds && { sslCreds }),
  });
  const log: typeof writeLog = (severity, message, fields) =>
    logged.push(JSON.stringify({ severity, message, ...fields }));
  const handle = createHandleRequest({
    dialects: [analysys],
    settings: { current: () => settings },
    store: createMessageStore({
      queue: createPublishQueue(publisher.send, 1500),
      spill: undefined,
      log,
      now: Date.now,
    }).store,
    log,
    logBatches: true,
    now: Date.now,
    caps,
  });
  server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.close();
  await subscriber.close();
  await publisher.close();
  await pubsub.close();
  await broker.close();
});

beforeEach(() => {
  settings = settingsSchema.parse({});
  faults.publishUnavailableRate = 0;
  logged = [];
});

const event = (change: object = {}) => ({
  appid: 'shop',
  xwho: 'device-1',
  xwhat: 'view',
  xwhen: Date.now(),
  xcontext: { price: 5, $lib: 'Java', $is_login: false },
  ...change,
});

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${base}${path}`, { method: 'POST', body, headers });

interface Received {
  readonly attributes: Record<string, string>;
  readonly events: Record<string, unknown>[];
  readonly quarantine: Record<string, unknown>[];
  readonly state: readonly number[];
  readonly bytes: number;
}

/** All that is in the subscription, acknowledged. */
async function received(): Promise<Received[]> {
  const messages: Received[] = [];
  for (;;) {
    const [pulled] = await subscriber.pull({
      subscription: subscription.name,
      maxMessages: 100,
      returnImmediately: true,
    });
    const got = pulled.receivedMessages ?? [];
    if (got.length === 0) return messages;
    for (const { message } of got) {
      const bytes = zstdDecompressSync(message?.data as Buffer);
      const batch = decodeEventBatch(bytes);
      messages.push({
        attributes: message?.attributes ?? {},
        events: batch.events.map((row) => readRow('EventLogRow', row)),
        quarantine: batch.quarantine.map((row) => readRow('QuarantineRow', row)),
        state: batch.state,
        bytes: bytes.length,
      });
    }
    await subscriber.acknowledge({
      subscription: subscription.name,
      ackIds: got.map(({ ackId }) => ackId ?? ''),
    });
  }
}

const bodyOf = (row: Record<string, unknown> | undefined): string =>
  Buffer.from(String(row?.body), 'base64').toString();

describe('success', () => {
  test.each(['/up', '//up', '/up/up', '/up/', '/up?appid=shop', '//up?appid=shop'])(
    'POST %s is answered with {"code":200} to the byte, once Pub/Sub has the batch',
    async (path) => {
      const answer = await post(path, gzipSync(JSON.stringify([event()])).toString('base64'));
      expect([answer.status, await answer.text()]).toEqual([200, '{"code":200}']);
      expect(await received()).toMatchObject([
        { events: [{ project: 'shop', name: 'view' }], quarantine: [] },
      ]);
    },
  );

  test.each([
    ['the Java SDK', { 'content-type': 'text/plain; charset=ISO-8859-1', 'content-encoding': 'UTF-8' }],
    ['the Python SDK', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a beacon', { 'content-type': 'text/plain;charset=UTF-8' }],
  ])('the headers of %s are not believed', async (_, headers) => {
    const answer = await post('/up', JSON.stringify([event()]), headers);
    expect(await answer.text()).toBe('{"code":200}');
    expect((await received())[0]?.events).toHaveLength(1);
  });

  test('an empty array publishes nothing', async () => {
    expect((await post('/up', '[]')).status).toBe(200);
    expect(await received()).toEqual([]);
  });

  test('GET / is answered, since SDKs probe it, and any page may read the answers', async () => {
    const answer = await fetch(base);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
  });

  test('one request is one message whose attributes say what it is', async () => {
    await post(
      '/up',
      JSON.stringify([event(), event({ xwhat: '$profile_set', xcontext: { a: 1 } }), event()]),
    );
    const [message, ...more] = await received();
    expect(more).toEqual([]);
    expect(message?.attributes).toMatchObject({
      dialect: 'analysys',
      project: 'shop',
      count: '3',
      encoding: 'zstd',
      schema_version: '2',
    });
    expect(message?.attributes.batch_id).toMatch(/^[0-9a-f]{32}$/);
    expect(message?.state).toEqual([1]);
    expect(message?.events.map((row) => row.batch_index)).toEqual(['0', '1', '2']);
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({
      message: 'batch accepted',
      project: 'shop',
      events: 3,
      quarantined: 0,
    });
  });

  test('a request of many megabytes is split under a megabyte a message, nothing lost', async () => {
    const events = Array.from({ length: 2000 }, (_, index) =>
      event({
        xwhat: index % 3 === 0 ? '$profile_set' : `e${index}`,
        xcontext: { index, pad: 'x'.repeat(1000) },
      }),
    );
    expect((await post('/up', gzipSync(JSON.stringify(events)).toString('base64'))).status).toBe(200);
    const messages = await received();
    expect(messages.length).toBeGreaterThan(2);
    for (const { bytes, events: rows, state } of messages) {
      expect(bytes).toBeLessThanOrEqual(1_000_000);
      expect(state).toEqual(rows.flatMap((row, place) => (row.kind === 'profile_set' ? [place] : [])));
    }
    const places = messages.flatMap((message) => message.events.map((row) => Number(row.batch_index)));
    expect(places.sort((a, b) => a - b)).toEqual(events.map((_, index) => index));
  });
});

describe('what cannot be accepted', () => {
  test('goes to quarantine whole where it cannot be decoded, with all that decoding it again needs', async () => {
    const answer = await post('/up?appid=shop&stm=5', '[{"a":NaN}]', {
      cookie: 'secret',
      authorization: 'secret',
      'user-agent': 'Python-urllib/3.11',
    });
    expect(await answer.text()).toBe('{"code":200}');
    const [message] = await received();
    expect(message?.attributes.count).toBe('0');
    expect(message?.quarantine).toMatchObject([
      {
        project: 'shop',
        dialect: 'analysys',
        method: 'POST',
        path: '/up',
        query: 'appid=shop&stm=5',
        unit: 'request',
        reason: 'invalid_json',
        replayable: true,
      },
    ]);
    expect(bodyOf(message?.quarantine[0])).toBe('[{"a":NaN}]');
    expect(JSON.stringify(message)).not.toContain('secret');
    expect(JSON.parse(String(message?.quarantine[0]?.headers))).toMatchObject({
      'user-agent': 'Python-urllib/3.11',
    });
  });

  test('goes to quarantine event by event, the others of its request are accepted', async () => {
    const bad = event({ xwhen: 5, xcontext: { big: 1 } });
    await post(
      '/up',
      `[${JSON.stringify(event())},${JSON.stringify(bad).replace('"big":1', '"big":12345678901234567890123')},${JSON.stringify(bad)},${JSON.stringify(bad)}]`,
    );
    const [message] = await received();
    expect(message?.events).toHaveLength(1);
    expect(message?.quarantine).toMatchObject([
      {
        unit: 'event',
        place: '1',
        ordinal: '0',
        reason: 'xwhen_outside_window',
        field: 'xwhen',
        project: 'shop',
      },
      { unit: 'event', place: '2', ordinal: '0' },
      { unit: 'event', place: '3', ordinal: '1' },
    ]);
    expect(bodyOf(message?.quarantine[0])).toContain('12345678901234567890123');
    expect(new Set(message?.quarantine.map((row) => row.quarantine_id)).size).toBe(3);
  });

  test('over the cap is answered 413, its beginning kept with length and hash, not replayable', async () => {
    const answer = await post('/up', Buffer.alloc(caps.body + 1, '['));
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining(`${caps.body} bytes`) });
    const [message] = await received();
    expect(message?.quarantine).toMatchObject([
      {
        reason: 'body_too_large',
        replayable: false,
        body_bytes: String(caps.body + 1),
        body_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(bodyOf(message?.quarantine[0])).toHaveLength(64 * 1024);
  });

  test('event by event, keeps the beginning of one that is too large to be carried, whatever is wrong with it', async () => {
    const huge = 'x'.repeat(6_000_000);
    const notes = Object.fromEntries(
      Array.from({ length: 1100 }, (_, index) => [`k${index}`, 'x'.repeat(8000)]),
    );
    const events = [
      event({ xwho: 5, xcontext: { huge } }),
      event({ xcontext: notes }),
      event({ xwho: 6, xcontext: { huge } }),
      event(),
    ];
    const answer = await post('/up', gzipSync(JSON.stringify(events)).toString('base64'));
    expect(await answer.text()).toBe('{"code":200}');
    const messages = await received();
    const kept = messages.flatMap(({ quarantine }) => quarantine);
    expect(kept.map(({ reason, unit, place, replayable }) => [reason, unit, place, replayable])).toEqual([
      ['bad_xwho', 'event', '0', false],
      ['event_too_large', 'event', '1', false],
      ['bad_xwho', 'event', '2', false],
    ]);
    expect(new Set(kept.map((row) => row.quarantine_id)).size).toBe(3);
    for (const row of kept) expect(bodyOf(row)).toHaveLength(64 * 1024);
    expect(messages.flatMap(({ events: rows }) => rows)).toHaveLength(1);
  });

  test('a sender that goes away in the middle of its body leaves nothing behind', async () => {
    const request = httpRequest(`${base}/up`, { method: 'POST', headers: { 'content-length': '1000' } });
    request.on('error', () => {});
    request.write('[{"appid":');
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await received()).toEqual([]);
    expect((await post('/up', '[]')).status).toBe(200);
  });

  test('a path or method that no SDK knows is 404 and says what would be right', async () => {
    const answer = await post('/down', '[]');
    expect([answer.status, await answer.json()]).toEqual([
      404,
      {
        code: 404,
        message:
          'no SDK sends POST /down; events go to POST /up (Analysys), /v3/projects/ID/collect (GrowingIO), /v1/batch (Segment, RudderStack) or /v1/events (our own API)',
      },
    ]);
    const got = await fetch(`${base}/up`, { method: 'PUT' });
    expect([got.status, await got.json()]).toEqual([
      404,
      { code: 404, message: 'no SDK sends PUT /up; it takes GET and POST' },
    ]);
  });
});

describe('settings', () => {
  test('events of a project that is not named are kept in quarantine up to a daily cap', async () => {
    settings = settingsSchema.parse({ projects: { shop: {} }, unknownProjectsPerDay: 2 });
    const stranger = event({ appid: 'stranger' });
    const answer = await post('/up', JSON.stringify([stranger, event(), stranger, stranger]));
    expect(await answer.text()).toBe('{"code":200}');
    const [message] = await received();
    expect(message?.events).toMatchObject([{ project: 'shop' }]);
    expect(message?.quarantine).toMatchObject([
      { project: 'stranger', reason: 'unknown_project', ordinal: '0' },
      { project: 'stranger', reason: 'unknown_project', ordinal: '1' },
    ]);
  });

  test('events in a dialect that the project may not speak are quarantined', async () => {
    settings = settingsSchema.parse({ projects: { shop: { dialects: ['segment'] } } });
    await post('/up', JSON.stringify([event()]));
    expect(await received()).toMatchObject([{ events: [], quarantine: [{ reason: 'dialect_not_allowed' }] }]);
  });
});

test('success is not answered where Pub/Sub does not acknowledge', async () => {
  faults.publishUnavailableRate = 1;
  const answer = await post('/up', JSON.stringify([event()]));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({
    severity: 'ERROR',
    message: 'A batch could not be stored.',
    events: 1,
  });
  expect(logged.join()).not.toContain('device-1');
});

test('a resend has the ids and the request hash of the first, twins in a request stay two', async () => {
  const body = JSON.stringify([event({ xwhen: 1_795_287_694_310 }), event({ xwhen: 1_795_287_694_310 })]);
  await post('/up?stm=1', body);
  await post('/up?stm=2', body);
  const [first, second] = await received();
  const facts = (message: Received | undefined) =>
    message?.events.map((row) => [row.event_id, row.request_hash]);
  expect(facts(second)).toEqual(facts(first));
  expect(new Set(first?.events.map((row) => row.event_id)).size).toBe(2);
  expect(first?.events[0]?.batch_id).not.toBe(second?.events[0]?.batch_id);
});
