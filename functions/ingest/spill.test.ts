import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Message, Publisher } from '../../shared/google/pubsub-publisher.ts';
import { settingsSchema } from '../../shared/settings/settings.ts';
import { readSpilledObject } from '../../shared/spill/spilled-message.ts';
import { decodeEventBatch } from '../../shared/warehouse/event-batch.ts';
import { readRow } from '../../shared/warehouse/read-row-for-test.ts';
import { analysys } from '../../shared/wire/analysys/decode.ts';
import { createHandleRequest } from './handle-request.ts';
import type { PublishQueueLimits } from './publish.ts';
import { createMessageStore, type MessageStore } from './publish-or-spill.ts';
import type { SpillLimits } from './spill.ts';
import { startGoogle } from './start-google-for-test.ts';

let google: Awaited<ReturnType<typeof startGoogle>>;
let messages: MessageStore;
let logged: string[] = [];
let clock = 0;
let puts = 0;
let server: Server;
let base: string;

beforeAll(async () => {
  google = await startGoogle();
});

afterAll(() => google.close());

interface Serving {
  readonly publish?: Partial<PublishQueueLimits>;
  readonly spill?: Partial<SpillLimits> | 'none';
}

async function serve({ publish = {}, spill = {} }: Serving = {}): Promise<void> {
  const send: Publisher['send'] = (batch, withinMs) => {
    puts += batch.length;
    return google.publisher.send(batch, withinMs);
  };
  messages = createMessageStore({
    queue: google.createQueue(send, publish),
    spill: spill === 'none' ? undefined : google.createSpill(spill),
    log: (severity, message, fields) => logged.push(JSON.stringify({ severity, message, ...fields })),
    now: () => clock,
  });
  const handle = createHandleRequest({
    dialects: [analysys],
    settings: { current: () => settingsSchema.parse({}) },
    store: messages.store,
    log: (severity, message, fields) => logged.push(JSON.stringify({ severity, message, ...fields })),
    logBatches: false,
    now: Date.now,
    caps: { body: 5_000_000, inflated: 30_000_000, events: 5000 },
  });
  server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  Object.assign(google.pubsubFaults, { publishUnavailableRate: 0, publishDelayMs: 0, random: Math.random });
  Object.assign(google.storageFaults, {
    unavailableRate: 0,
    delayMs: 0,
    storedThenLostRate: 0,
    random: Math.random,
  });
  logged = [];
  puts = 0;
  await google.files.deleteFiles();
  await published();
});

afterEach(async () => {
  await messages.drained();
  server.closeAllConnections();
  server.close();
});

let number = 0;
const event = (change: object = {}) => ({
  appid: 'shop',
  xwho: 'device-1',
  xwhat: `event_${number++}`,
  xwhen: Date.now(),
  xcontext: {},
  ...change,
});
const post = async (...events: object[]) => {
  const answer = await fetch(`${base}/up`, { method: 'POST', body: JSON.stringify(events) });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: await answer.text() };
};
const success = { status: 200, retryAfter: null, body: '{"code":200}' };

const namesIn = ({ data }: { data: Buffer }): unknown[] =>
  decodeEventBatch(zstdDecompressSync(data)).events.map((row) => readRow('EventLogRow', row).name);

/** The messages in the bucket, as Google's own client reads them. */
async function spilled(): Promise<{ name: string; message: Message }[]> {
  const [files] = await google.files.getFiles();
  return Promise.all(
    files.map(async (file) => {
      const [[data], [{ metadata = {} }]] = await Promise.all([file.download(), file.getMetadata()]);
      const attributes = Object.fromEntries(
        Object.entries(metadata).map(([key, value]) => [key, String(value)]),
      );
      const message = readSpilledObject({ name: file.name, metadata: attributes, data });
      if (message === undefined) throw new Error(`${file.name} is no spilled message`);
      return { name: file.name, message };
    }),
  );
}

/** The names of the events in Pub/Sub, which is empty then. */
async function published(): Promise<unknown[]> {
  return (await google.takePublished()).flatMap((data) => namesIn({ data }));
}

describe('while Pub/Sub acknowledges', () => {
  test('nothing is spilled', async () => {
    await serve();
    expect(await post(event({ xwhat: 'one' }))).toEqual(success);
    expect(await published()).toEqual(['one']);
    expect(await spilled()).toEqual([]);
  });
});

describe('while Pub/Sub is down', () => {
  test('success is answered and the message is in the bucket as Pub/Sub would have got it', async () => {
    await serve();
    google.pubsubFaults.publishUnavailableRate = 1;
    expect(await post(event({ xwhat: 'one', appid: '店铺' }))).toEqual(success);
    const [object, ...more] = await spilled();
    expect(more).toEqual([]);
    expect(object?.message.attributes).toMatchObject({
      batch_id: object?.name.split('/')[0],
      dialect: 'analysys',
      project: '店铺',
      count: '1',
      encoding: 'zstd',
    });
    expect(object?.name).toMatch(/^[0-9a-f]{32}\/0$/);
    expect(namesIn(object?.message ?? { data: Buffer.alloc(0) })).toEqual(['one']);
    expect(await published()).toEqual([]);
    expect(logged.join()).not.toContain('device-1');
  });

  test('a request of several messages is spilled part by part', async () => {
    await serve();
    google.pubsubFaults.publishUnavailableRate = 1;
    const events = Array.from({ length: 2500 }, (_, index) =>
      event({ xwhat: `e${index}`, xcontext: { pad: 'x'.repeat(1000) } }),
    );
    expect(await post(...events)).toEqual(success);
    const objects = await spilled();
    expect(objects.length).toBeGreaterThan(2);
    expect(objects.map(({ name }) => Number(name.split('/')[1])).sort((a, b) => a - b)).toEqual(
      objects.map((_, part) => part),
    );
    expect(objects.flatMap(({ message }) => namesIn(message)).sort()).toEqual(
      events.map(({ xwhat }) => xwhat).sort(),
    );
  });

  test('only the first request waits for it, and one a second finds out whether it is back', async () => {
    await serve();
    google.pubsubFaults.publishDelayMs = 1_000;
    expect(await post(event())).toEqual(success);
    expect(puts).toBe(1);
    for (let times = 0; times < 5; times++) expect(await post(event())).toEqual(success);
    expect(puts).toBe(1);
    clock += 1_000;
    expect(await Promise.all([post(event()), post(event()), post(event())])).toEqual([
      success,
      success,
      success,
    ]);
    expect(puts).toBe(2);
    expect(await spilled()).toHaveLength(9);
    expect(logged).toHaveLength(1);
  });

  test('and back, messages are published again', async () => {
    await serve();
    google.pubsubFaults.publishUnavailableRate = 1;
    await post(event({ xwhat: 'during' }));
    google.pubsubFaults.publishUnavailableRate = 0;
    clock += 1_000;
    expect(await post(event({ xwhat: 'probe' }))).toEqual(success);
    expect(await Promise.all([post(event({ xwhat: 'after' })), post(event({ xwhat: 'then' }))])).toEqual([
      success,
      success,
    ]);
    const objects = await spilled();
    expect(objects.flatMap(({ message }) => namesIn(message))).toEqual(['during']);
    const names = await published();
    expect(names).toEqual(expect.arrayContaining(['probe', 'after', 'then']));
    expect(names).not.toContain('during');
    expect(logged.map((line) => JSON.parse(line).message)).toEqual([
      'Pub/Sub does not acknowledge; batches go to the spill bucket until it does.',
      'Pub/Sub acknowledges again.',
    ]);
  });

  test('what waits in the queue is spilled with the first that failed', async () => {
    await serve({ publish: { underWay: 1, messages: 1 } });
    google.pubsubFaults.publishDelayMs = 1_000;
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(event())));
    expect(answers).toEqual(answers.map(() => success));
    expect(puts).toBe(1);
    expect(await spilled()).toHaveLength(10);
  });

  test('and back while the bucket is not, messages are published even before it was found to be back', async () => {
    await serve();
    google.pubsubFaults.publishUnavailableRate = 1;
    expect(await post(event())).toEqual(success);
    google.pubsubFaults.publishUnavailableRate = 0;
    google.storageFaults.unavailableRate = 1;
    expect(await post(event({ xwhat: 'rescued' }))).toEqual(success);
    expect(await published()).toContain('rescued');
  });

  test('an upload whose answer is lost counts as stored', async () => {
    await serve();
    const rolls = [0];
    google.pubsubFaults.publishUnavailableRate = 1;
    Object.assign(google.storageFaults, { storedThenLostRate: 0.5, random: () => rolls.shift() ?? 1 });
    expect(await post(event())).toEqual(success);
    expect(rolls).toEqual([]);
    expect(await spilled()).toHaveLength(1);
  });
});

test('Pub/Sub that is slow but within its time is no reason to spill', async () => {
  await serve();
  google.pubsubFaults.publishDelayMs = 100;
  const answers = await Promise.all(Array.from({ length: 30 }, () => post(event())));
  expect(answers).toEqual(answers.map(() => success));
  expect(await spilled()).toEqual([]);
});

test('what the queue has no room for is spilled, and the rest published', async () => {
  await serve({ publish: { waitingBytes: 0 } });
  expect(await post(event())).toEqual(success);
  expect(await spilled()).toHaveLength(1);
  expect(logged).toEqual([]);
});

describe('503 is answered', () => {
  const refused = { status: 503, retryAfter: '1', body: expect.stringContaining('send them again') };

  test('when both Pub/Sub and the bucket are down', async () => {
    await serve();
    google.pubsubFaults.publishUnavailableRate = 1;
    google.storageFaults.unavailableRate = 1;
    expect(await post(event())).toEqual(refused);
    expect(JSON.parse(logged.at(-1) ?? '')).toMatchObject({
      severity: 'ERROR',
      message: 'A batch could not be stored.',
      error: {
        message: expect.stringMatching(/neither spilled \(Cloud Storage answered 503.* nor published/),
      },
    });
    google.storageFaults.unavailableRate = 0;
    expect(await post(event())).toEqual(success);
  });

  test('when the bucket does not answer in time', async () => {
    await serve();
    google.pubsubFaults.publishUnavailableRate = 1;
    google.storageFaults.delayMs = 2_000;
    expect(await post(event())).toEqual(refused);
  });

  test('when more is under way to the bucket than memory is set aside for', async () => {
    await serve({ spill: { messages: 1 } });
    google.pubsubFaults.publishUnavailableRate = 1;
    await post(event());
    google.storageFaults.delayMs = 200;
    const answers = await Promise.all([post(event()), post(event())]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 503]);
    google.storageFaults.delayMs = 0;
    expect(await post(event())).toEqual(success);
  });

  test('when one of several messages of a request is neither published nor spilled', async () => {
    await serve({ spill: { messages: 1 } });
    google.pubsubFaults.publishUnavailableRate = 1;
    const pad = 'x'.repeat(1000);
    const events = Array.from({ length: 2500 }, () => event({ xcontext: { pad } }));
    expect(await post(...events)).toEqual(refused);
  });

  test('when there is no bucket and Pub/Sub is down', async () => {
    await serve({ spill: 'none' });
    google.pubsubFaults.publishUnavailableRate = 1;
    expect(await post(event())).toEqual(refused);
    google.pubsubFaults.publishUnavailableRate = 0;
    expect(await post(event())).toEqual(success);
  });
});
