import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../issuer/index.ts';
import { type Bench, openBench, openEndpoint, type Push, until } from './harness.ts';
import type { PubSubOptions } from './index.ts';

let bench: Bench;
let endpoint: Awaited<ReturnType<typeof openEndpoint>>;
const name = 'projects/local/subscriptions/push';

async function start(
  answer: (push: Push, count: number) => number | undefined,
  settings: object = {},
  options: Partial<PubSubOptions> = {},
) {
  bench = await openBench(options);
  endpoint = await openEndpoint(answer);
  await bench.client.createTopic('events');
  await bench.client.topic('events').createSubscription('push', { pushEndpoint: endpoint.url, ...settings });
}

async function publish(...texts: string[]): Promise<string[]> {
  return Promise.all(
    texts.map((text) =>
      bench.client.topic('events').publishMessage({ data: Buffer.from(text), attributes: { k: 'v"\n' } }),
    ),
  );
}

const counts = () => bench.server.counts().subscriptions[name]!;

afterEach(async () => {
  await bench.close();
  await endpoint.close();
});

describe('a push', () => {
  test('is the JSON envelope in both spellings, posted to the endpoint', async () => {
    await start(() => 204);
    const [id] = await publish('hello');
    await until(() => counts().acknowledged === 1);
    const [push] = endpoint.pushes;
    expect(push?.url).toBe('/push');
    expect(push?.headers['content-type']).toBe('application/json');
    expect(push?.body).toEqual({
      message: {
        attributes: { k: 'v"\n' },
        data: Buffer.from('hello').toString('base64'),
        messageId: id,
        message_id: id,
        publishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        publish_time: expect.any(String),
      },
      subscription: name,
    });
  });

  test('leaves out what is empty', async () => {
    await start(() => 204);
    await bench.client.topic('events').publishMessage({ data: Buffer.from('x') });
    await bench.client.topic('events').publishMessage({ attributes: { only: 'attributes' } });
    await until(() => endpoint.pushes.length === 2);
    expect(endpoint.pushes[0]?.body.message).not.toHaveProperty('attributes');
    expect(endpoint.pushes[1]?.body.message).not.toHaveProperty('data');
  });

  test.each([200, 201, 202, 204])('is acknowledged by %i', async (code) => {
    await start(() => code);
    await publish('a');
    await until(() => counts().backlog === 0);
    expect(counts()).toMatchObject({ acknowledged: 1, failed: 0 });
  });

  test.each([203, 301, 400, 429, 500, 503])('answered %i is sent again', async (code) => {
    await start((_, count) => (count === 1 ? code : 200), {}, { timeScale: 10 });
    await publish('a');
    await until(() => counts().backlog === 0);
    expect(counts()).toMatchObject({ acknowledged: 1, failed: 1 });
    expect(endpoint.pushes[1]?.body.message.messageId).toBe(endpoint.pushes[0]?.body.message.messageId);
  });

  test('without an answer within the ack deadline is sent again', async () => {
    await start(
      (_, count) => (count === 1 ? undefined : 200),
      { ackDeadlineSeconds: 10 },
      { timeScale: 100 },
    );
    await publish('a');
    await until(() => counts().backlog === 0);
    expect(counts()).toMatchObject({ acknowledged: 1, failed: 1 });
  });

  test('to an endpoint that is down is kept and sent when it is back', async () => {
    await start(() => 200, {}, { timeScale: 100 });
    const { url } = endpoint;
    await endpoint.close();
    await publish('a');
    await until(() => counts().failed >= 2);
    endpoint = await openEndpoint(() => 200);
    expect(counts().backlog).toBe(1);
    await bench.client.subscription('push').modifyPushConfig({ pushEndpoint: endpoint.url });
    expect(endpoint.url).not.toBe(url);
    await until(() => counts().backlog === 0);
  });

  test('carries the delivery attempt when there is a dead-letter policy', async () => {
    bench = await openBench({ timeScale: 100 });
    endpoint = await openEndpoint((_, count) => (count < 3 ? 500 : 200));
    await bench.client.createTopic('events');
    await bench.client.createTopic('dead');
    await bench.client.topic('events').createSubscription('push', {
      pushEndpoint: endpoint.url,
      deadLetterPolicy: { deadLetterTopic: 'projects/local/topics/dead', maxDeliveryAttempts: 5 },
    });
    await publish('a');
    await until(() => counts().backlog === 0);
    expect(endpoint.pushes.map((push) => push.body.deliveryAttempt)).toEqual([1, 2, 3]);
  });

  test('goes to few at first and to more as the endpoint answers', async () => {
    let open = 0;
    let most = 0;
    const mostByThen: number[] = [];
    await start(() => undefined);
    await endpoint.close();
    const slow = createServer((_, response) => {
      most = Math.max(most, ++open);
      mostByThen.push(most);
      setTimeout(() => {
        open--;
        response.writeHead(204).end();
      }, 20);
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = slow.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await bench.client.subscription('push').modifyPushConfig({ pushEndpoint: `http://127.0.0.1:${port}/` });
    await publish(...Array.from({ length: 300 }, (_, index) => `m${index}`));
    await until(() => counts().backlog === 0);
    expect(mostByThen[3]).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(30);
    slow.closeAllConnections();
    slow.close();
  });

  test('that fails pauses the whole subscription, not only its message', async () => {
    let failing = true;
    await start(() => (failing ? 500 : 200), {}, { timeScale: 1 });
    await publish('a');
    await until(() => counts().failed >= 4);
    // The pause is now 800 ms; a busy machine only makes it longer.
    const before = endpoint.pushes.length;
    await publish('b', 'c', 'd');
    await until(() => endpoint.pushes.length > before);
    const [last, next] = endpoint.pushes.slice(before - 1);
    expect(next!.at - last!.at).toBeGreaterThan(300);
    failing = false;
    await until(() => counts().backlog === 0);
  });

  test('with an OIDC token carries one that verifies against the issuer, its audience the endpoint by default', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'push-'));
    const issuer = await startIssuer({ port: 0, keyFile: join(folder, 'key.pem') });
    const email = 'pusher@local.iam.gserviceaccount.com';
    await start(
      () => 200,
      { oidcToken: { serviceAccountEmail: email, audience: 'my-audience' } },
      { signToken: (claims) => issuer.sign(claims) },
    );
    await publish('a');
    await until(() => counts().acknowledged === 1);
    await bench.client
      .subscription('push')
      .modifyPushConfig({ pushEndpoint: endpoint.url, oidcToken: { serviceAccountEmail: email } });
    await publish('b');
    await until(() => counts().acknowledged === 2);
    const keys = createRemoteJWKSet(new URL(`${issuer.url}/oauth2/v3/certs`));
    for (const [index, audience] of ['my-audience', endpoint.url].entries()) {
      const token = endpoint.pushes[index]!.headers.authorization!.replace(/^Bearer /, '');
      const { payload } = await jwtVerify(token, keys, { issuer: issuer.url, audience });
      expect(payload).toMatchObject({ email, email_verified: true });
    }
    await issuer.close();
    await rm(folder, { recursive: true });
  });

  test('stops when the subscription is switched to pull, and its messages can be pulled', async () => {
    await start(() => 500, {}, { timeScale: 100 });
    await publish('a');
    await until(() => counts().failed > 0);
    await bench.client.subscription('push').modifyPushConfig({});
    const received = new Promise<string>((resolve) => {
      bench.client.subscription('push').on('message', (message) => {
        message.ack();
        resolve(message.data.toString());
      });
    });
    expect(await received).toBe('a');
    await until(() => counts().backlog === 0);
  });
});
