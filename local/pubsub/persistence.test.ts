import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, connectSubscriber, openEndpoint, until } from './harness.ts';
import { startPubSub } from './index.ts';

let folder: string;
let file: string;
let child: ChildProcess | undefined;
const subscription = 'projects/local/subscriptions/all';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pubsub-'));
  file = join(folder, 'pubsub.sqlite');
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function spawnServer(): Promise<number> {
  const script = join(import.meta.dirname, 'serve-for-test.ts');
  child = spawn(process.execPath, [script, file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout!, 'data');
  return Number(String(line));
}

async function kill(): Promise<void> {
  child?.kill('SIGKILL');
  await once(child!, 'exit');
}

describe('a server that is killed', () => {
  test('delivers every message that was published and not acknowledged once it is started again', async () => {
    const port = await spawnServer();
    const client = connect(port);
    await client.createTopic('events');
    await client.topic('events').createSubscription('all');
    const topic = client.topic('events', { batching: { maxMessages: 50, maxMilliseconds: 1 } });
    const promised = new Set<string>();
    let killed = false;
    // Whatever was answered before the kill must be there; what was not answered may be.
    const publishWithoutEnd = async () => {
      for (let index = 0; !killed; index++) {
        const id = await topic.publishMessage({ data: Buffer.from(`message ${index}`) });
        if (!killed) promised.add(id);
      }
    };
    for (let publisher = 0; publisher < 200; publisher++) publishWithoutEnd().catch(() => {});
    await until(() => promised.size > 2000);
    await kill();
    killed = true;
    // Not awaited: the client goes on trying to reach the dead server.
    client.close().catch(() => {});

    const server = await startPubSub({ file, port: 0 });
    const second = connect(server.port);
    const delivered = new Set<string>();
    const stream = second.subscription('all');
    stream.on('message', (message) => {
      delivered.add(message.id);
      message.ack();
    });
    await until(() => server.counts().subscriptions[subscription]?.backlog === 0);
    expect([...promised].filter((id) => !delivered.has(id))).toEqual([]);
    // Ids are not used again either.
    const old = new Set(delivered);
    const id = await second.topic('events').publishMessage({ data: Buffer.from('new') });
    expect(old.has(id)).toBe(false);
    await second.close();
    await server.close();
  });

  test('still has its topics, subscriptions and delivery attempts', async () => {
    const port = await spawnServer();
    const client = connect(port);
    const pulls = connectSubscriber(port);
    await client.createTopic('events');
    await client.createTopic('dead');
    await client.topic('events').createSubscription('all', {
      labels: { a: 'b' },
      deadLetterPolicy: { deadLetterTopic: 'projects/local/topics/dead', maxDeliveryAttempts: 9 },
    });
    await client.topic('events').publishMessage({ data: Buffer.from('a') });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [pulled] = await pulls.pull({ subscription, maxMessages: 1 });
      const ackIds = [pulled.receivedMessages?.[0]?.ackId ?? ''];
      await pulls.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 0 });
    }
    // Attempts may be written a moment after the nack.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await kill();
    await client.close();
    await pulls.close();

    const again = await spawnServer();
    const second = connectSubscriber(again);
    const [shown] = await second.getSubscription({ subscription });
    expect(shown).toMatchObject({ labels: { a: 'b' }, deadLetterPolicy: { maxDeliveryAttempts: 9 } });
    const [pulled] = await second.pull({ subscription, maxMessages: 1 });
    expect(pulled.receivedMessages?.[0]?.deliveryAttempt).toBe(4);
    await second.close();
  });
});

describe('a server that is stopped', () => {
  test('does not deliver again what was acknowledged, and goes on pushing what was not', async () => {
    const first = await startPubSub({ file, port: 0 });
    const client = connect(first.port);
    let code = 200;
    const endpoint = await openEndpoint(() => code);
    await client.createTopic('events');
    await client.topic('events').createSubscription('all', { pushEndpoint: endpoint.url });
    await client.topic('events').publishMessage({ data: Buffer.from('done') });
    await until(() => first.counts().subscriptions[subscription]?.backlog === 0);
    code = 500;
    await client.topic('events').publishMessage({ data: Buffer.from('open') });
    await until(() => first.counts().subscriptions[subscription]?.failed === 1);
    await client.close();
    await first.close();
    const before = endpoint.pushes.length;
    code = 200;
    const second = await startPubSub({ file, port: 0 });
    await until(() => second.counts().subscriptions[subscription]?.acknowledged === 1);
    expect(
      endpoint.pushes.slice(before).map((push) => Buffer.from(push.body.message.data!, 'base64').toString()),
    ).toEqual(['open']);
    await second.close();
    await endpoint.close();
  });

  test('has what it dead-lettered in the dead-letter topic and no longer where it failed', async () => {
    const first = await startPubSub({ file, port: 0, timeScale: 100 });
    const client = connect(first.port);
    const endpoint = await openEndpoint(() => 500);
    await client.createTopic('events');
    await client.createTopic('dead');
    await client.topic('dead').createSubscription('graves');
    await client.topic('events').createSubscription('all', {
      pushEndpoint: endpoint.url,
      deadLetterPolicy: { deadLetterTopic: 'projects/local/topics/dead', maxDeliveryAttempts: 5 },
    });
    await client.topic('events').publishMessage({ data: Buffer.from('poison') });
    await until(() => first.counts().subscriptions[subscription]?.deadLettered === 1);
    await client.close();
    await first.close();
    const second = await startPubSub({ file, port: 0 });
    const { subscriptions } = second.counts();
    expect(subscriptions[subscription]?.backlog).toBe(0);
    expect(subscriptions['projects/local/subscriptions/graves']?.backlog).toBe(1);
    await second.close();
    await endpoint.close();
  });

  test('keeps the backlog of a subscription whose topic was deleted', async () => {
    const first = await startPubSub({ file, port: 0 });
    const client = connect(first.port);
    await client.createTopic('events');
    await client.topic('events').createSubscription('all');
    await client.topic('events').publishMessage({ data: Buffer.from('left') });
    await client.topic('events').delete();
    await client.close();
    await first.close();
    const second = await startPubSub({ file, port: 0 });
    const counts = second.counts();
    expect(counts.subscriptions[subscription]).toMatchObject({ backlog: 1, topic: '_deleted-topic_' });
    expect(counts.topics).toEqual({});
    await second.close();
  });

  test('does not push without the token a subscription asks for', async () => {
    const endpoint = await openEndpoint(() => 200);
    const first = await startPubSub({ file, port: 0, signToken: async () => 'token' });
    const client = connect(first.port);
    await client.createTopic('events');
    await client.topic('events').createSubscription('all', {
      pushEndpoint: endpoint.url,
      oidcToken: { serviceAccountEmail: 'a@b' },
    });
    await client.close();
    await first.close();
    const second = await startPubSub({ file, port: 0 });
    const again = connect(second.port);
    await again.topic('events').publishMessage({ data: Buffer.from('a') });
    await until(() => second.counts().subscriptions[subscription]?.failed === 1);
    expect(endpoint.pushes).toEqual([]);
    await again.close();
    await second.close();
    await endpoint.close();
  });

  test('takes up a file in which failures under a dead-letter policy were not yet counted apart', async () => {
    const old = new DatabaseSync(file);
    old.exec(`
      CREATE TABLE topics (id INTEGER PRIMARY KEY AUTOINCREMENT, config TEXT NOT NULL);
      CREATE TABLE subscriptions (
        id INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER, config TEXT NOT NULL);
      CREATE TABLE bodies (
        id INTEGER PRIMARY KEY, published INTEGER NOT NULL, remaining INTEGER NOT NULL, bytes BLOB NOT NULL);
      CREATE TABLE pending (
        subscription INTEGER NOT NULL, message INTEGER NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (subscription, message)) WITHOUT ROWID;
      CREATE TABLE counter (next INTEGER NOT NULL);
      INSERT INTO counter VALUES (8);
      INSERT INTO bodies VALUES (7, ${Date.now()}, 1, x'0a0161');
      INSERT INTO pending VALUES (1, 7, 3, 0);`);
    const topic = 'projects/local/topics/events';
    const config = {
      name: subscription,
      topic,
      pushConfig: {},
      ackDeadlineSeconds: 10,
      messageRetentionDuration: { seconds: '604800' },
      expirationPolicy: {},
      deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts: 10 },
      state: 'ACTIVE',
    };
    old
      .prepare('INSERT INTO topics (config) VALUES (?)')
      .run(JSON.stringify({ name: topic, state: 'ACTIVE' }));
    old.prepare('INSERT INTO subscriptions (topic, config) VALUES (1, ?)').run(JSON.stringify(config));
    old.close();
    const server = await startPubSub({ file, port: 0 });
    const pulls = connectSubscriber(server.port);
    const [{ receivedMessages }] = await pulls.pull({ subscription, maxMessages: 1 });
    expect(receivedMessages?.[0]).toMatchObject({ deliveryAttempt: 4, message: { messageId: '7' } });
    await pulls.close();
    await server.close();
  });

  test('holds its file alone', async () => {
    const first = await startPubSub({ file, port: 0 });
    await expect(startPubSub({ file, port: 0 })).rejects.toThrow('locked');
    await first.close();
  });
});
