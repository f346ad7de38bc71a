import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packMessages } from '../../shared/batches/pack-messages.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { spilledContentType, toSpilledObject } from '../../shared/spill/spilled-message.ts';
import { accepting, event, ingest } from './quarantined-for-test.ts';
import { eventsOf, type StartedReplay, startReplay } from './start-for-test.ts';

let replay: StartedReplay;
beforeAll(async () => {
  replay = await startReplay({ timeoutSeconds: 70 });
});
afterAll(() => replay.close());
beforeEach(() => {
  replay.logged.length = 0;
});

let lastBatch = 0;

/** A message of one event, in a batch of its own. */
function nextMessage(): Message {
  const batchId = (++lastBatch).toString(16).padStart(32, '0');
  const batch = ingest(JSON.stringify([event({ xwho: batchId })]), accepting);
  const [message] = packMessages(batch, { batchId, dialect: 'analysys', project: 'shop' });
  return message!;
}

const put = (name: string, message: Message) =>
  replay.bucket.write(
    { name, data: message.data, contentType: spilledContentType, metadata: message.attributes },
    '0',
    5_000,
  );

/** Spills as ingest does. */
async function spill(count: number): Promise<Message[]> {
  const messages = Array.from({ length: count }, nextMessage);
  for (const message of messages) await put(toSpilledObject(message, 0).name, message);
  return messages;
}

const left = async () => (await replay.bucket.list({ most: 1_000 }, 5_000)).objects.map(({ name }) => name);
const drain = () => replay.call('/drain', {});
const hexOf = (messages: readonly Message[]) =>
  messages.map(({ data, attributes }) => data.toString('hex') + JSON.stringify(sorted(attributes))).sort();
const sorted = (attributes: object) => Object.entries(attributes).sort();

describe('a drain', () => {
  test('of an empty bucket has nothing to do', async () => {
    expect(await drain()).toEqual({
      status: 200,
      body: { drained: 0, failed: 0, foreign: 0, left: 0 },
    });
  });

  test('publishes every message as it was spilled, data and attributes, and deletes it', async () => {
    const messages = await spill(40);
    expect(await drain()).toEqual({
      status: 200,
      body: { drained: 40, failed: 0, foreign: 0, left: 0 },
    });
    expect(hexOf(await replay.published())).toEqual(hexOf(messages));
    expect(await left()).toEqual([]);
  });

  test('begins with the oldest', async () => {
    const messages = [nextMessage(), nextMessage(), nextMessage()];
    for (const message of messages.toReversed()) {
      await put(toSpilledObject(message, 0).name, message);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await drain();
    const [first] = await replay.published();
    expect(first?.attributes.batch_id).toBe(messages[2]?.attributes.batch_id);
  });

  test('leaves and counts what is not ours, and drains the others', async () => {
    const message = nextMessage();
    await put('notes.txt', message);
    await put(`${'f'.repeat(32)}/0`, message);
    await spill(3);
    expect(await drain()).toMatchObject({ status: 200, body: { drained: 3, foreign: 2, left: 0 } });
    expect(await left()).toEqual(['f'.repeat(32).concat('/0'), 'notes.txt']);
    expect(replay.logged).toMatchObject([
      { severity: 'WARNING', objects: 2 },
      { severity: 'INFO', drained: 3 },
    ]);
    await replay.published();
    for (const { name, generation } of (await replay.bucket.list({ most: 10 }, 5_000)).objects) {
      await replay.bucket.remove(name, generation, 5_000);
    }
  });

  test('beside another one loses nothing, and each event is there once or in copies of one id', async () => {
    const messages = await spill(60);
    const [one, other] = await Promise.all([drain(), drain()]);
    expect([one.status, other.status]).toEqual([200, 200]);
    const published = await replay.published();
    expect([...new Set(hexOf(published))].sort()).toEqual(hexOf(messages));
    expect(eventsOf(published).length).toBeGreaterThanOrEqual(60);
    expect(await left()).toEqual([]);
  });
});

describe('while Pub/Sub is down', () => {
  test('a drain asks once, keeps every object, and the next one brings them all', async () => {
    const messages = await spill(30);
    replay.pubsubFaults.publishUnavailableRate = 1;
    expect(await replay.impatiently(drain)).toMatchObject({
      status: 503,
      body: { drained: 0, failed: 1, left: 29 },
    });
    expect(await left()).toHaveLength(30);
    expect(await replay.published()).toEqual([]);
    replay.pubsubFaults.publishUnavailableRate = 0;
    expect(await drain()).toMatchObject({ status: 200, body: { drained: 30, left: 0 } });
    expect(hexOf(await replay.published())).toEqual(hexOf(messages));
  });
});

describe('while Cloud Storage is down', () => {
  test('a drain says so and loses nothing', async () => {
    const messages = await spill(3);
    replay.storageFaults.unavailableRate = 1;
    expect((await replay.impatiently(drain)).status).toBe(503);
    replay.storageFaults.unavailableRate = 0;
    expect(await drain()).toMatchObject({ status: 200, body: { drained: 3 } });
    expect(hexOf(await replay.published())).toEqual(hexOf(messages));
  });
});
