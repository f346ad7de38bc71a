import { Duration, type v1 } from '@google-cloud/pubsub';
import { afterEach, describe, expect, test } from 'vitest';
import { type Bench, connect, connectSubscriber, openBench, until } from './harness.ts';

let bench: Bench;
let pulls: v1.SubscriberClient;
const subscription = 'projects/local/subscriptions/all';
const topic = 'projects/local/topics/events';

async function start(settings: Parameters<v1.SubscriberClient['createSubscription']>[0] = {}, timeScale = 1) {
  bench = await openBench({ timeScale });
  pulls = connectSubscriber(bench.server.port);
  await bench.client.createTopic('events');
  await pulls.createSubscription({ name: subscription, topic, ...settings });
}

async function publish(...texts: string[]): Promise<string[]> {
  return Promise.all(
    texts.map((text) => bench.client.topic('events').publishMessage({ data: Buffer.from(text) })),
  );
}

async function pull(maxMessages = 100) {
  const [response] = await pulls.pull({ subscription, maxMessages });
  return (response.receivedMessages ?? []).map((received) => ({
    text: Buffer.from(received.message?.data ?? '').toString(),
    ackId: received.ackId ?? '',
    attempt: received.deliveryAttempt ?? 0,
    id: received.message?.messageId ?? '',
  }));
}

afterEach(async () => {
  await pulls?.close();
  await bench.close();
});

describe('a pulled message', () => {
  test('arrives with its data, attributes, id and time', async () => {
    await start();
    const before = Date.now();
    const id = await bench.client
      .topic('events')
      .publishMessage({ data: Buffer.from('héllo'), attributes: { kind: 'ünï', empty: '' } });
    const [response] = await pulls.pull({ subscription, maxMessages: 1 });
    const message = response.receivedMessages?.[0]?.message;
    expect(Buffer.from(message?.data ?? '').toString()).toBe('héllo');
    expect(message?.attributes).toEqual({ kind: 'ünï', empty: '' });
    expect(message?.messageId).toBe(id);
    const published =
      Number(message?.publishTime?.seconds) * 1000 + Number(message?.publishTime?.nanos) / 1e6;
    expect(published).toBeGreaterThanOrEqual(before);
    expect(published).toBeLessThanOrEqual(Date.now());
  });

  test('is not delivered again once acknowledged, and its body is forgotten', async () => {
    await start({ ackDeadlineSeconds: 10 }, 100);
    await publish('a');
    const [first] = await pull();
    await pulls.acknowledge({ subscription, ackIds: [first!.ackId] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [response] = await pulls.pull({ subscription, maxMessages: 1, returnImmediately: true });
    expect(response.receivedMessages).toEqual([]);
    expect(bench.server.counts().subscriptions[subscription]).toMatchObject({ backlog: 0, acknowledged: 1 });
  });

  test('comes back when its deadline passes, and the old ack id then does nothing', async () => {
    await start({ ackDeadlineSeconds: 10 }, 100);
    await publish('a');
    const [first] = await pull();
    const [second] = await pull();
    expect(second?.id).toBe(first?.id);
    expect(second?.ackId).not.toBe(first?.ackId);
    await pulls.acknowledge({ subscription, ackIds: [first!.ackId] });
    expect(bench.server.counts().subscriptions[subscription]?.backlog).toBe(1);
  });

  test('stays leased for as long as its deadline is moved', async () => {
    await start({ ackDeadlineSeconds: 10 }, 100);
    await publish('a');
    const [first] = await pull();
    await pulls.modifyAckDeadline({ subscription, ackIds: [first!.ackId], ackDeadlineSeconds: 600 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await pulls.acknowledge({ subscription, ackIds: [first!.ackId] });
    expect(bench.server.counts().subscriptions[subscription]).toMatchObject({ backlog: 0, delivered: 1 });
  });

  test('comes back at once when given back without a retry policy', async () => {
    await start();
    await publish('a');
    const [first] = await pull();
    await pulls.modifyAckDeadline({ subscription, ackIds: [first!.ackId], ackDeadlineSeconds: 0 });
    const [second] = await pull();
    expect(second?.id).toBe(first?.id);
  });

  test('carries no delivery attempt without a dead-letter policy', async () => {
    await start();
    await publish('a');
    expect((await pull())[0]?.attempt).toBe(0);
  });
});

describe('a subscription', () => {
  test('gets only what is published after it was made', async () => {
    await start();
    await publish('before');
    await bench.client.topic('events').createSubscription('late');
    await publish('after');
    const late = 'projects/local/subscriptions/late';
    const [response] = await pulls.pull({ subscription: late, maxMessages: 10 });
    expect(response.receivedMessages?.map((one) => Buffer.from(one.message?.data ?? '').toString())).toEqual([
      'after',
    ]);
  });

  test('keeps its backlog when the topic is deleted', async () => {
    await start();
    await publish('a');
    await bench.client.topic('events').delete();
    expect((await pull())[0]?.text).toBe('a');
    const [metadata] = await bench.client.subscription('all').getMetadata();
    expect(metadata.topic).toBe('_deleted-topic_');
  });

  test('drops what its retention has passed', async () => {
    await start({ messageRetentionDuration: { seconds: 600 } }, 6000);
    await publish('old');
    await until(() => bench.server.counts().subscriptions[subscription]?.expired === 1);
    expect(bench.server.counts().subscriptions[subscription]?.backlog).toBe(0);
  });

  test('does not deliver again what comes back after its retention', async () => {
    await start({ messageRetentionDuration: { seconds: 600 } }, 6000);
    // A stream stands ready to take it again.
    const stream = bench.client.subscription('all');
    stream.on('message', () => {});
    await publish('old');
    // At this scale its deadline passes every few milliseconds, and after 100 it comes back expired.
    await until(() => bench.server.counts().subscriptions[subscription]?.backlog === 0);
    expect(bench.server.counts().subscriptions[subscription]).toMatchObject({ acknowledged: 0, expired: 1 });
    await stream.close();
  });

  test('delivers every message of a backlog larger than what is kept in memory', async () => {
    await start({ ackDeadlineSeconds: 600 });
    const count = 25_000;
    const data = Buffer.from('x');
    const topicClient = bench.client.topic('events', { batching: { maxMessages: 1000 } });
    await Promise.all(Array.from({ length: count }, () => topicClient.publishMessage({ data })));
    const seen = new Set<string>();
    const stream = bench.client.subscription('all', { flowControl: { maxMessages: 5000 } });
    stream.on('message', (message) => {
      seen.add(message.id);
      message.ack();
    });
    await until(() => bench.server.counts().subscriptions[subscription]?.backlog === 0);
    await stream.close();
    expect(seen.size).toBe(count);
  });
});

describe('a stream', () => {
  test('has no more messages outstanding than it asked for', async () => {
    await start();
    const stream = bench.client.subscription('all', {
      flowControl: { maxMessages: 3 },
      // By default the client opens five streams, each with its own bound.
      streamingOptions: { maxStreams: 1 },
    });
    const held: { ack(): void }[] = [];
    stream.on('message', (message) => held.push(message));
    await publish('1', '2', '3', '4', '5');
    await until(() => held.length === 3);
    expect(bench.server.counts().subscriptions[subscription]?.outstanding).toBe(3);
    for (const message of held) message.ack();
    await until(() => held.length === 5);
    for (const message of held.slice(3)) message.ack();
    await stream.close();
  });

  test('stops at the outstanding bytes it asked for', async () => {
    await start();
    const raw = pulls.streamingPull();
    const texts: string[] = [];
    raw.on('data', (response: { receivedMessages?: { message: { data: Buffer } }[] }) => {
      for (const one of response.receivedMessages ?? []) texts.push(one.message.data.toString());
    });
    raw.on('error', () => {});
    raw.write({ subscription, streamAckDeadlineSeconds: 10, maxOutstandingBytes: 10 });
    await publish('0123456789012');
    await until(() => texts.length === 1);
    await publish('next');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(texts).toEqual(['0123456789012']);
    raw.cancel();
  });

  test('takes acks and deadlines, and is refused when their numbers differ', async () => {
    await start();
    await publish('a', 'b');
    const [first, second] = await pull();
    const raw = pulls.streamingPull();
    const failed = new Promise<{ code: number }>((resolve) => raw.on('error', resolve));
    raw.on('data', () => {});
    raw.write({ subscription, streamAckDeadlineSeconds: 10, ackIds: [first!.ackId] });
    await until(() => bench.server.counts().subscriptions[subscription]?.backlog === 1);
    raw.write({ modifyDeadlineAckIds: [second!.ackId], modifyDeadlineSeconds: [0] });
    await until(() => bench.server.counts().subscriptions[subscription]?.delivered === 3);
    raw.write({ modifyDeadlineAckIds: [second!.ackId], modifyDeadlineSeconds: [] });
    expect((await failed).code).toBe(3);
  });

  test('that ends leaves its messages to others once the deadline it asked for passes', async () => {
    await start({ ackDeadlineSeconds: 600 }, 100);
    await publish('a');
    const raw = pulls.streamingPull();
    raw.on('error', () => {});
    const delivered = new Promise((resolve) =>
      raw.on('data', (response) => response.receivedMessages && resolve(0)),
    );
    raw.write({ subscription, streamAckDeadlineSeconds: 10 });
    await delivered;
    raw.cancel();
    expect((await pull())[0]?.text).toBe('a');
  });

  test('is told that the server lives when it asks with an empty request', async () => {
    await start();
    const raw = pulls.streamingPull();
    let answers = 0;
    raw.on('data', () => answers++);
    raw.on('error', () => {});
    raw.write({ subscription, streamAckDeadlineSeconds: 10, protocolVersion: 1 });
    await until(() => answers === 1);
    raw.write({});
    await until(() => answers === 2);
    raw.cancel();
  });

  test('is refused what belongs in its first request when it comes later', async () => {
    await start();
    const raw = pulls.streamingPull();
    const failed = new Promise<{ code: number }>((resolve) => raw.on('error', resolve));
    raw.on('data', () => {});
    raw.write({ subscription, streamAckDeadlineSeconds: 10 });
    raw.write({ maxOutstandingMessages: 5 });
    expect((await failed).code).toBe(3);
  });

  test('is told when its subscription is deleted', async () => {
    await start();
    const other = connect(bench.server.port);
    const stream = bench.client.subscription('all');
    const failed = new Promise<{ code: number }>((resolve) => stream.on('error', resolve));
    stream.on('message', () => {});
    await publish('a');
    await until(() => bench.server.counts().subscriptions[subscription]?.delivered === 1);
    await other.subscription('all').delete();
    expect((await failed).code).toBe(5);
    await other.close();
  });

  test('shares a backlog with another without a message going to both', async () => {
    await start();
    const seen: string[] = [];
    const streams = [1, 2].map(() => {
      const stream = bench.client.subscription('all', {
        flowControl: { maxMessages: 10 },
        // Nothing comes again because the machine is slow.
        minAckDeadline: Duration.from({ seconds: 600 }),
      });
      stream.on('message', (message) => {
        seen.push(message.id);
        message.ack();
      });
      return stream;
    });
    const ids = await publish(...Array.from({ length: 200 }, (_, index) => `m${index}`));
    await until(() => bench.server.counts().subscriptions[subscription]?.backlog === 0);
    expect(seen.sort()).toEqual(ids.sort());
    await Promise.all(streams.map((stream) => stream.close()));
  });
});
