import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { createPublishQueue, type PublishQueueLimits } from './publish.ts';

const limits: PublishQueueLimits = { messages: 3, bytes: 100, underWay: 1, waitingBytes: 1000 };
const message = (bytes: number, number = 0): Message => ({
  data: Buffer.alloc(bytes),
  attributes: { number: String(number) },
});

/** A sender whose requests are answered when the test says so. */
function scripted() {
  const sent: {
    messages: readonly Message[];
    withinMs: number;
    acknowledge: () => void;
    fail: (error: Error) => void;
  }[] = [];
  const send = (messages: readonly Message[], withinMs: number) =>
    new Promise<void>((acknowledge, fail) => sent.push({ messages, withinMs, acknowledge, fail }));
  return { sent, send };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('a lone message goes at once, those that come while it is under way share the next request', async () => {
  const { sent, send } = scripted();
  const queue = createPublishQueue(send, 1000, limits);
  const first = queue.publish(message(1));
  await turn();
  const others = [queue.publish(message(1)), queue.publish(message(1))];
  await turn();
  expect(sent.map(({ messages }) => messages.length)).toEqual([1]);
  sent[0]?.acknowledge();
  await first;
  await turn();
  expect(sent.map(({ messages }) => messages.length)).toEqual([1, 2]);
  sent[1]?.acknowledge();
  await Promise.all(others);
});

test('a failed request fails the messages that shared it, and no others', async () => {
  const { sent, send } = scripted();
  const queue = createPublishQueue(send, 1000, limits);
  const shared = [queue.publish(message(1)), queue.publish(message(1)), queue.publish(message(1))];
  const next = queue.publish(message(1));
  await turn();
  sent[0]?.fail(new Error('down'));
  for (const one of shared) expect(await one).toMatchObject({ kind: 'failed', error: { message: 'down' } });
  await turn();
  sent[1]?.acknowledge();
  expect(await next).toEqual({ kind: 'acknowledged' });
});

test('what would not fit into the memory is not sent', async () => {
  const { send } = scripted();
  const queue = createPublishQueue(send, 1000, limits);
  void queue.publish(message(1000));
  expect(await queue.publish(message(1))).toEqual({
    kind: 'unsent',
    reason: '1000 bytes already wait for Pub/Sub',
  });
});

test('a message that waited beyond the time-out is not sent, and one that waited a while has less time left', async () => {
  const { sent, send } = scripted();
  const queue = createPublishQueue(send, 50, limits);
  const first = queue.publish(message(1));
  await turn();
  const late = queue.publish(message(1));
  await new Promise((resolve) => setTimeout(resolve, 60));
  const fresh = queue.publish(message(1));
  sent[0]?.acknowledge();
  await first;
  expect(await late).toEqual({ kind: 'unsent', reason: 'not sent to Pub/Sub within 50 ms' });
  await turn();
  expect(sent[1]?.messages).toHaveLength(1);
  expect(sent[1]?.withinMs).toBeLessThanOrEqual(50);
  sent[1]?.acknowledge();
  await fresh;
});

test('a sender that never settles holds up nobody beyond the time-out', async () => {
  const { sent, send } = scripted();
  const queue = createPublishQueue(send, 20, limits);
  const stuck = queue.publish(message(1));
  await turn();
  const next = queue.publish(message(1));
  expect(await stuck).toMatchObject({ kind: 'failed' });
  expect(await next).toMatchObject({ kind: 'unsent' });
  const fresh = queue.publish(message(1));
  await turn();
  sent[1]?.acknowledge();
  expect(await fresh).toEqual({ kind: 'acknowledged' });
});

test('what waits can be given up at once, and what comes then is sent again', async () => {
  const { sent, send } = scripted();
  const queue = createPublishQueue(send, 1000, limits);
  const first = queue.publish(message(900));
  await turn();
  const waiting = [queue.publish(message(500)), queue.publish(message(500))];
  queue.giveUpWaiting('trouble');
  expect(await Promise.all(waiting)).toEqual([1, 2].map(() => ({ kind: 'unsent', reason: 'trouble' })));
  sent[0]?.acknowledge();
  expect(await first).toEqual({ kind: 'acknowledged' });
  const next = queue.publish(message(1000));
  await turn();
  sent[1]?.acknowledge();
  expect(await next).toEqual({ kind: 'acknowledged' });
});

test('whatever the sizes, every message is sent once, in order, within the limits of a request', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 30 }), async (sizes) => {
      const requests: (readonly Message[])[] = [];
      const send = async (messages: readonly Message[]) => {
        requests.push(messages);
      };
      const queue = createPublishQueue(send, 10_000, { ...limits, waitingBytes: 1_000_000 });
      await Promise.all(sizes.map((bytes, number) => queue.publish(message(bytes, number))));
      expect(requests.flat().map(({ attributes }) => Number(attributes.number))).toEqual(
        sizes.map((_, number) => number),
      );
      for (const messages of requests) {
        expect(messages.length).toBeLessThanOrEqual(limits.messages);
        const bytes = messages.reduce((sum, { data }) => sum + data.length, 0);
        expect(messages.length === 1 || bytes <= limits.bytes).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
