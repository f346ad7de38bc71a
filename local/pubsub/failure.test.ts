import type { v1 } from '@google-cloud/pubsub';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { afterFailure, afterSuccess, pauseOf, retryDelay, startPace } from './backoff.ts';
import { type Bench, connectSubscriber, openBench, until } from './harness.ts';
import type { PubSubOptions } from './index.ts';

let bench: Bench;
let pulls: v1.SubscriberClient;
const topic = 'projects/local/topics/events';
const dead = 'projects/local/topics/dead';
const subscription = 'projects/local/subscriptions/all';
const graves = 'projects/local/subscriptions/graves';

async function start(
  settings: Parameters<v1.SubscriberClient['createSubscription']>[0],
  options: Partial<PubSubOptions> = {},
) {
  bench = await openBench(options);
  pulls = connectSubscriber(bench.server.port);
  await bench.client.createTopic('events');
  await bench.client.createTopic('dead');
  await pulls.createSubscription({ name: graves, topic: dead });
  await pulls.createSubscription({ name: subscription, topic, ...settings });
}

async function pullOne(from = subscription) {
  const [response] = await pulls.pull({ subscription: from, maxMessages: 1 });
  const received = response.receivedMessages?.[0];
  return { ...received, ackId: received?.ackId ?? '' };
}

async function nackOne(): Promise<number> {
  const { ackId, deliveryAttempt } = await pullOne();
  await pulls.modifyAckDeadline({ subscription, ackIds: [ackId], ackDeadlineSeconds: 0 });
  return deliveryAttempt ?? 0;
}

const publish = (text: string) =>
  bench.client.topic('events').publishMessage({ data: Buffer.from(text), attributes: { mine: 'kept' } });
const counts = () => bench.server.counts().subscriptions[subscription]!;

afterEach(async () => {
  await pulls?.close();
  await bench?.close();
});

describe('a message that keeps failing', () => {
  test('waits the minimum backoff, then twice as long each time, up to the maximum', async () => {
    await start(
      { retryPolicy: { minimumBackoff: { seconds: 10 }, maximumBackoff: { seconds: 40 } } },
      { timeScale: 100 },
    );
    await publish('a');
    let { ackId } = await pullOne();
    // 10, 20, 40, 40 seconds on a clock a hundred times as fast.
    for (const shortest of [100, 200, 400, 400]) {
      const nacked = Date.now();
      await pulls.modifyAckDeadline({ subscription, ackIds: [ackId], ackDeadlineSeconds: 0 });
      ackId = (await pullOne()).ackId;
      expect(Date.now() - nacked).toBeGreaterThanOrEqual(shortest);
    }
  });

  test('does not hold up others while it waits', async () => {
    await start({ retryPolicy: { minimumBackoff: { seconds: 600 }, maximumBackoff: { seconds: 600 } } });
    await publish('bad');
    await nackOne();
    await publish('good');
    expect(Buffer.from((await pullOne()).message?.data ?? '').toString()).toBe('good');
  });

  test('counts its attempts, by nacks and by deadlines that passed', async () => {
    await start(
      { ackDeadlineSeconds: 10, deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 50 } },
      { timeScale: 100 },
    );
    await publish('a');
    expect(await nackOne()).toBe(1);
    expect((await pullOne()).deliveryAttempt).toBe(2);
    expect((await pullOne()).deliveryAttempt).toBe(3);
  });

  test('is counted from when there is a dead-letter policy, while its backoff grows from the first failure', async () => {
    await start(
      { retryPolicy: { minimumBackoff: { seconds: 10 }, maximumBackoff: { seconds: 600 } } },
      { timeScale: 100 },
    );
    await publish('a');
    expect(await nackOne()).toBe(0);
    expect(await nackOne()).toBe(0);
    await bench.client.subscription('all').setMetadata({
      deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 5 },
    });
    const { ackId, deliveryAttempt } = await pullOne();
    expect(deliveryAttempt).toBe(1);
    const nacked = Date.now();
    await pulls.modifyAckDeadline({ subscription, ackIds: [ackId], ackDeadlineSeconds: 0 });
    expect((await pullOne()).deliveryAttempt).toBe(2);
    // The third failure: four times ten seconds on a clock a hundred times as fast.
    expect(Date.now() - nacked).toBeGreaterThanOrEqual(400);
  });

  test('is moved to the dead-letter topic after its last attempt, saying where it came from', async () => {
    await start({ deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 5 } });
    const before = new Date().toISOString();
    const id = await publish('poison');
    for (let attempt = 1; attempt <= 5; attempt++) expect(await nackOne()).toBe(attempt);
    const { message } = await pullOne(graves);
    expect(Buffer.from(message?.data ?? '').toString()).toBe('poison');
    expect(message?.messageId).not.toBe(id);
    expect(message?.attributes).toEqual({
      mine: 'kept',
      CloudPubSubDeadLetterSourceDeliveryCount: '5',
      CloudPubSubDeadLetterSourceSubscription: 'all',
      CloudPubSubDeadLetterSourceSubscriptionProject: 'local',
      CloudPubSubDeadLetterSourceTopicPublishTime: expect.stringMatching(/\+00:00$/),
    });
    const attributes: Record<string, string> = message?.attributes ?? {};
    expect(attributes.CloudPubSubDeadLetterSourceTopicPublishTime! >= before.replace('Z', '')).toBe(true);
    expect(counts()).toMatchObject({ backlog: 0, deadLettered: 1 });
  });

  test('stays when the dead-letter topic is gone, and goes there once it is back', async () => {
    await start({ deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 5 } });
    await bench.client.topic('dead').delete();
    await bench.client.subscription('all').setMetadata({ labels: { still: 'changeable' } });
    await publish('poison');
    for (let attempt = 1; attempt <= 7; attempt++) expect(await nackOne()).toBe(attempt);
    expect(counts()).toMatchObject({ backlog: 1, deadLettered: 0 });
    await bench.client.createTopic('dead');
    await bench.client.topic('dead').createSubscription('new-graves');
    await nackOne();
    await until(() => counts().deadLettered === 1);
    expect((await pullOne('projects/local/subscriptions/new-graves')).message?.attributes).toMatchObject({
      CloudPubSubDeadLetterSourceDeliveryCount: '8',
    });
  });
});

describe('backoff', () => {
  test('never leaves its bounds and never shrinks as failures grow', () => {
    fc.assert(
      fc.property(fc.nat(600_000), fc.nat(600_000), fc.integer({ min: 1, max: 5000 }), (a, b, failures) => {
        const [minimum, maximum] = [Math.min(a, b), Math.max(a, b)];
        const delay = retryDelay(failures, minimum, maximum);
        expect(delay).toBeGreaterThanOrEqual(minimum);
        expect(delay).toBeLessThanOrEqual(maximum);
        expect(retryDelay(failures + 1, minimum, maximum)).toBeGreaterThanOrEqual(delay);
      }),
    );
  });

  test('of a push stays between 100 ms and 60 s after a failure, with 1 to 1,000 pushes outstanding', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 3000 }), (successes) => {
        let pace = startPace();
        for (const success of successes) {
          pace = success ? afterSuccess(pace) : afterFailure(pace);
          expect(pace.window).toBeGreaterThanOrEqual(1);
          expect(pace.window).toBeLessThanOrEqual(1000);
          if (!success) expect(pauseOf(pace)).toBeGreaterThanOrEqual(100);
          expect(pauseOf(pace)).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });
});
