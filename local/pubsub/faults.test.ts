import { v1 } from '@google-cloud/pubsub';
import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noFaults, type PubSubFaults } from './faults.ts';
import { type Bench, connectSubscriber, openBench, until } from './harness.ts';

let bench: Bench;
let pulls: v1.SubscriberClient;
let publisher: v1.PublisherClient;
let faults: PubSubFaults;
const topic = 'projects/local/topics/events';
const subscription = 'projects/local/subscriptions/all';

beforeEach(async () => {
  faults = noFaults();
  bench = await openBench({ faults });
  pulls = connectSubscriber(bench.server.port);
  publisher = new v1.PublisherClient({
    projectId: 'local',
    apiEndpoint: '127.0.0.1',
    port: bench.server.port,
    sslCreds: credentials.createInsecure(),
  });
  await bench.client.createTopic('events');
  await bench.client.topic('events').createSubscription('all');
});

afterEach(async () => {
  await pulls.close();
  await publisher.close();
  await bench.close();
});

const messages = [{ data: Buffer.from('a') }];
const counts = () => bench.server.counts().subscriptions[subscription]!;

/** One publish without another try: the code it fails with, undefined when it does not. */
async function publishOnce(to = topic, timeout = 30_000): Promise<number | undefined> {
  try {
    await publisher.publish({ topic: to, messages }, { timeout, retry: null });
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? Number(error.code) : undefined;
  }
}

async function pullOne() {
  const [response] = await pulls.pull({ subscription, maxMessages: 1 });
  const received = response.receivedMessages?.[0];
  return { id: received?.message?.messageId, ackId: received?.ackId ?? '' };
}

/** Answers the given numbers, and then one that no rate reaches. */
const sequence =
  (...rolls: number[]) =>
  () =>
    rolls.shift() ?? 0.999;

test('an acknowledged message is delivered again at the rate asked for', async () => {
  await publishOnce();
  Object.assign(faults, { redeliverRate: 0.5, random: sequence(0.4, 0.6) });
  const first = await pullOne();
  await pulls.acknowledge({ subscription, ackIds: [first.ackId] });
  const second = await pullOne();
  expect(second.id).toBe(first.id);
  await pulls.acknowledge({ subscription, ackIds: [second.ackId] });
  expect(counts().backlog).toBe(0);
});

describe('an outage of publishing', () => {
  test('answers UNAVAILABLE at once, stores nothing, and is over when it is over', async () => {
    faults.publishUnavailableRate = 1;
    expect(await publishOnce()).toBe(status.UNAVAILABLE);
    expect(counts().backlog).toBe(0);
    faults.publishUnavailableRate = 0;
    expect(await publishOnce()).toBeUndefined();
    expect(counts().backlog).toBe(1);
  });

  test('hides whether there is such a topic', async () => {
    const nowhere = 'projects/local/topics/nowhere';
    faults.publishUnavailableRate = 1;
    expect(await publishOnce(nowhere)).toBe(status.UNAVAILABLE);
    faults.publishUnavailableRate = 0;
    expect(await publishOnce(nowhere)).toBe(status.NOT_FOUND);
  });

  test('leaves the other calls alone', async () => {
    await publishOnce();
    faults.publishUnavailableRate = 1;
    expect((await publisher.getTopic({ topic }))[0].name).toBe(topic);
    expect((await pullOne()).id).toBeDefined();
  });

  test('of one publish in two is got through by trying again', async () => {
    const rolls = [0, 0, 0.9];
    Object.assign(faults, { publishUnavailableRate: 0.5, random: () => rolls.shift() ?? 0.9 });
    await bench.client.topic('events').publishMessage({ data: Buffer.from('a') });
    expect(rolls).toEqual([]);
    expect(counts().backlog).toBe(1);
  });
});

describe('a publish whose answer is lost', () => {
  test('is stored, and its call may break', async () => {
    Object.assign(faults, { publishStoredThenLostRate: 1, random: sequence(0, 0.4) });
    expect(await publishOnce()).toBe(status.UNAVAILABLE);
    expect(counts().backlog).toBe(1);
  });

  test('is stored, and its call may hang until the client gives up', async () => {
    Object.assign(faults, { publishStoredThenLostRate: 1, random: sequence(0, 0.6) });
    expect(await publishOnce(topic, 500)).toBe(status.DEADLINE_EXCEEDED);
    expect(counts().backlog).toBe(1);
  });

  test('makes a copy when the client tries again, under an id of its own', async () => {
    Object.assign(faults, { publishStoredThenLostRate: 0.5, random: sequence(0.4, 0.4, 0.9) });
    const id = await bench.client.topic('events').publishMessage({ data: Buffer.from('a') });
    await until(() => counts().backlog === 2);
    const [first, second] = [await pullOne(), await pullOne()];
    expect(first.id).not.toBe(second.id);
    expect([first.id, second.id]).toContain(id);
  });

  test('was stored: what is refused is answered as ever', async () => {
    faults.publishStoredThenLostRate = 1;
    expect(await publishOnce('projects/local/topics/nowhere')).toBe(status.NOT_FOUND);
  });

  test('does not keep the server from stopping while a call hangs', async () => {
    Object.assign(faults, { publishStoredThenLostRate: 1, random: sequence(0, 0.6) });
    const hanging = publishOnce();
    await until(() => counts().backlog === 1);
    await bench.server.close();
    expect(await hanging).toBe(status.CANCELLED);
  });
});
