import { setTimeout as wait } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { findFreePorts } from '../../../local/processes/ports.ts';
import { type Bench, type Case, pages, reference } from './case.ts';
import { openEndpoint } from './endpoint.ts';
import { codesOf, createPair, eventually, publish, pull, pullForAMoment } from './observe.ts';

const email = 'pusher@example.iam.gserviceaccount.com';
/** Further claims of the example in the page on authentication. */
const others = ['azp', 'exp', 'iat', 'iss', 'sub'];

/** Pushes one message to an endpoint that answers `status` first and 204 later: how often it was sent. */
async function timesSent(
  bench: Bench,
  { id, status, withinMs }: { id: string; status: number; withinMs: number },
): Promise<'once' | 'again'> {
  const endpoint = await bench.endpoint((count) => (count === 1 ? status : 204));
  const [topic, name] = [bench.topic(id), bench.subscription(id)];
  await bench.topics.createTopic({ name: topic });
  await bench.subscriptions.createSubscription({ name, topic, pushConfig: { pushEndpoint: endpoint.url } });
  await bench.topics.publish({ topic, messages: [{ data: Buffer.from('a') }] });
  await eventually(() => endpoint.pushes.length > 0);
  await eventually(() => endpoint.pushes.length > 1, withinMs);
  return endpoint.pushes.length > 1 ? 'again' : 'once';
}

async function timesSentByStatus(bench: Bench, statuses: readonly number[], withinMs: number) {
  const times = await Promise.all(
    statuses.map(
      async (status) => [status, await timesSent(bench, { id: `s-${status}`, status, withinMs })] as const,
    ),
  );
  return Object.fromEntries(times);
}

/** Push subscriptions. */
export const pushCases: readonly Case[] = [
  {
    name: 'a push is a POST of a JSON envelope',
    from: pages.push,
    documented: {
      path: '/push?some=query',
      contentType: 'application/json',
      message: {
        attributes: { key: 'value' },
        data: 'SGVsbG8=',
        messageId: 'the id',
        message_id: 'the id',
        publishTime: 'a time',
        publish_time: 'a time',
      },
      subscription: 'all',
    },
    async observe(bench) {
      const endpoint = await bench.endpoint();
      await createPair(bench, { pushConfig: { pushEndpoint: endpoint.url } });
      const message = { data: Buffer.from('Hello'), attributes: { key: 'value' } };
      const [id] = await publish(bench, message);
      await eventually(() => endpoint.pushes.length > 0);
      const push = endpoint.pushes[0];
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
      const entries = Object.entries(push?.body.message ?? {}).map(([key, value]) => {
        if (value === id) return [key, 'the id'];
        return [key, typeof value === 'string' && time.test(value) ? 'a time' : value];
      });
      const [name] = push?.body.subscription?.split('/').slice(-1) ?? [];
      const { body } = push ?? {};
      return {
        path: push?.url ?? '',
        contentType: push?.headers['content-type'] ?? '',
        message: Object.fromEntries(entries),
        subscription: name ?? '',
        ...(body?.deliveryAttempt !== undefined && { deliveryAttempt: body.deliveryAttempt }),
      };
    },
  },
  {
    name: 'a push leaves out the attributes or the data that a message has not',
    from: reference('PubsubMessage, in the JSON form of protobuf'),
    documented: { 'data only': ['data'], 'attributes only': ['attributes'] },
    async observe(bench) {
      const endpoint = await bench.endpoint();
      await createPair(bench, { pushConfig: { pushEndpoint: endpoint.url } });
      await publish(bench, 'data');
      await eventually(() => endpoint.pushes.length > 0);
      await publish(bench, { attributes: { key: 'value' } });
      await eventually(() => endpoint.pushes.length > 1);
      const partsOf = (index: number) =>
        Object.keys(endpoint.pushes[index]?.body.message ?? {})
          .filter((key) => key === 'data' || key === 'attributes')
          .sort();
      return { 'data only': partsOf(0), 'attributes only': partsOf(1) };
    },
  },
  {
    name: 'a push is acknowledged by 102, 200, 201, 202 and 204',
    from: pages.push,
    documented: { 102: 'once', 200: 'once', 201: 'once', 202: 'once', 204: 'once' },
    observe: (bench) => timesSentByStatus(bench, [102, 200, 201, 202, 204], 3_000),
  },
  {
    name: 'a push that is answered anything else is sent again',
    from: pages.push,
    documented: {
      203: 'again',
      205: 'again',
      301: 'again',
      400: 'again',
      404: 'again',
      429: 'again',
      500: 'again',
      503: 'again',
    },
    observe: (bench) => timesSentByStatus(bench, [203, 205, 301, 400, 404, 429, 500, 503], 10_000),
  },
  {
    name: 'a push that is not answered within the ack deadline is sent again',
    from: reference('Subscription.ack_deadline_seconds'),
    documented: { before: 1, after: 'again' },
    async observe(bench) {
      const endpoint = await bench.endpoint((count) => (count === 1 ? 'nothing' : 204));
      await createPair(bench, { ackDeadlineSeconds: 10, pushConfig: { pushEndpoint: endpoint.url } });
      await publish(bench, 'a');
      await eventually(() => endpoint.pushes.length > 0);
      await wait(5_000);
      const before = endpoint.pushes.length;
      await eventually(() => endpoint.pushes.length > 1, 12_000);
      return { before, after: endpoint.pushes.length > 1 ? 'again' : 'never' };
    },
  },
  {
    name: 'a push to an endpoint that is down is sent again until it is up',
    from: pages.push,
    documented: ['a'],
    async observe(bench) {
      // Not one of those that the endpoints of other cases get, which would take it meanwhile.
      const gone = await openEndpoint(() => 204, (await findFreePorts(1))[0]);
      await gone.close();
      await createPair(bench, { pushConfig: { pushEndpoint: gone.url } });
      await publish(bench, 'a');
      await wait(700);
      const back = await openEndpoint(() => 204, gone.port);
      await eventually(() => back.pushes.length > 0, 15_000);
      await back.close();
      return back.pushes.map((push) => Buffer.from(String(push.body.message.data), 'base64').toString());
    },
  },
  {
    name: 'a push tells the delivery attempt when there is a dead-letter policy',
    from: pages.deadLetters,
    documented: [1, 2],
    async observe(bench) {
      const endpoint = await bench.endpoint((count) => (count === 1 ? 500 : 204));
      const deadLetterTopic = bench.topic('dead');
      await bench.topics.createTopic({ name: deadLetterTopic });
      await createPair(bench, {
        pushConfig: { pushEndpoint: endpoint.url },
        deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 5 },
      });
      await publish(bench, 'a');
      await eventually(() => endpoint.pushes.length > 1);
      return endpoint.pushes.map((push) => push.body.deliveryAttempt ?? 'none');
    },
  },
  {
    name: 'a push with an OIDC token carries a JWT of the service account for the audience, by default the endpoint',
    from: pages.pushToken,
    documented: {
      given: { aud: 'my-audience', email, email_verified: true, scheme: 'Bearer', others },
      default: { aud: 'the endpoint', email, email_verified: true, scheme: 'Bearer', others },
    },
    async observe(bench) {
      const topic = bench.topic('events');
      await bench.topics.createTopic({ name: topic });
      const claimsWith = async (id: string, audience: string | undefined) => {
        const endpoint = await bench.endpoint();
        const oidcToken = { serviceAccountEmail: email, ...(audience !== undefined && { audience }) };
        await bench.subscriptions.createSubscription({
          name: bench.subscription(id),
          topic,
          pushConfig: { pushEndpoint: endpoint.url, oidcToken },
        });
        await publish(bench, 'a');
        await eventually(() => endpoint.pushes.length > 0);
        const [scheme = '', token = ''] = endpoint.pushes[0]?.headers.authorization?.split(' ') ?? [];
        if (token === '') return 'no token';
        const { aud, ...claims } = decodeJwt(token);
        return {
          aud: aud === endpoint.url ? 'the endpoint' : String(aud),
          email: String(claims.email),
          email_verified: claims.email_verified === true,
          scheme,
          others: others.filter((claim) => claims[claim] !== undefined),
        };
      };
      return {
        given: await claimsWith('given', 'my-audience'),
        default: await claimsWith('default', undefined),
      };
    },
  },
  {
    name: 'a push configuration has a URL, and a token a service account',
    from: reference('PushConfig'),
    documented: { 'no URL': 'INVALID_ARGUMENT', 'token of nobody': 'INVALID_ARGUMENT', URL: 'OK' },
    async observe(bench) {
      const topic = bench.topic('events');
      await bench.topics.createTopic({ name: topic });
      const { url } = await bench.endpoint();
      const create = (id: string, pushConfig: object) => () =>
        bench.subscriptions.createSubscription({ name: bench.subscription(id), topic, pushConfig });
      return codesOf({
        'no URL': create('no-url', { pushEndpoint: 'nowhere' }),
        'token of nobody': create('nobody', { pushEndpoint: url, oidcToken: { audience: 'a' } }),
        URL: create('url', { pushEndpoint: url }),
      });
    },
  },
  {
    name: 'a push subscription shows the version of the format, v1 when none was asked for, and may ask for the wrapper',
    from: reference('PushConfig.attributes'),
    documented: { default: 'v1', given: 'v1beta2', wrapper: 'OK' },
    async observe(bench) {
      const topic = bench.topic('events');
      await bench.topics.createTopic({ name: topic });
      const { url: pushEndpoint } = await bench.endpoint();
      const create = (id: string, settings: object) =>
        bench.subscriptions.createSubscription({
          name: bench.subscription(id),
          topic,
          pushConfig: { pushEndpoint, ...settings },
        });
      const versionOf = async (id: string) => {
        const [shown] = await bench.subscriptions.getSubscription({ subscription: bench.subscription(id) });
        return shown.pushConfig?.attributes?.['x-goog-version'] ?? 'none';
      };
      await create('default', {});
      await create('given', { attributes: { 'x-goog-version': 'v1beta2' } });
      return {
        default: await versionOf('default'),
        given: await versionOf('given'),
        ...(await codesOf({ wrapper: () => create('wrapper', { pubsubWrapper: {} }) })),
      };
    },
  },
  {
    name: 'clearing the push configuration pauses delivery, messages can be pulled, and setting it resumes',
    from: reference('Subscriber.ModifyPushConfig'),
    documented: { paused: 0, pulled: ['kept'], resumed: 'pushed' },
    async observe(bench) {
      const endpoint = await bench.endpoint();
      const pushConfig = { pushEndpoint: endpoint.url };
      const { subscription } = await createPair(bench, { pushConfig });
      await bench.subscriptions.modifyPushConfig({ subscription, pushConfig: {} });
      await publish(bench, 'kept');
      await wait(700);
      const paused = endpoint.pushes.length;
      const pulled = await pull(bench, subscription);
      const ackIds = pulled.map((one) => one.ackId);
      await bench.subscriptions.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 0 });
      await bench.subscriptions.modifyPushConfig({ subscription, pushConfig });
      await eventually(() => endpoint.pushes.length > 0);
      return {
        paused,
        pulled: pulled.map((one) => one.text),
        resumed: endpoint.pushes.length > 0 ? 'pushed' : 'not pushed',
      };
    },
  },
  {
    name: 'a pull subscription that is given a push configuration pushes its backlog',
    from: reference('Subscriber.ModifyPushConfig'),
    documented: 'pushed',
    async observe(bench) {
      const endpoint = await bench.endpoint();
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const pushConfig = { pushEndpoint: endpoint.url };
      await bench.subscriptions.modifyPushConfig({ subscription, pushConfig });
      await eventually(() => endpoint.pushes.length > 0);
      return endpoint.pushes.length > 0 ? 'pushed' : 'not pushed';
    },
  },
  {
    name: 'an update with the path push_config does the same as ModifyPushConfig',
    from: reference('Subscriber.UpdateSubscription'),
    documented: { pushed: true, cleared: '', pulled: ['b'] },
    async observe(bench) {
      const endpoint = await bench.endpoint();
      const { subscription } = await createPair(bench);
      const update = (pushConfig: object) =>
        bench.subscriptions.updateSubscription({
          subscription: { name: subscription, pushConfig },
          updateMask: { paths: ['push_config'] },
        });
      await update({ pushEndpoint: endpoint.url });
      await publish(bench, 'a');
      const pushed = await eventually(() => endpoint.pushes.length > 0);
      await wait(200);
      await update({});
      await publish(bench, 'b');
      const [shown] = await bench.subscriptions.getSubscription({ subscription });
      return {
        pushed,
        cleared: shown.pushConfig?.pushEndpoint ?? '',
        pulled: await pullForAMoment(bench, subscription),
      };
    },
  },
  {
    name: 'an unwrapped push is the data alone, with the metadata and the attributes as headers',
    from: pages.unwrapping,
    documented: { body: 'Hello', attribute: 'value', messageId: 'the id' },
    async observe(bench) {
      const endpoint = await bench.endpoint();
      const pushConfig = { pushEndpoint: endpoint.url, noWrapper: { writeMetadata: true } };
      await createPair(bench, { pushConfig });
      const [id] = await publish(bench, { data: Buffer.from('Hello'), attributes: { key: 'value' } });
      await eventually(() => endpoint.pushes.length > 0);
      const push = endpoint.pushes[0];
      const messageId = String(push?.headers['x-goog-pubsub-message-id'] ?? '');
      return {
        body: push?.text ?? '',
        attribute: String(push?.headers.key ?? ''),
        messageId: messageId === id ? 'the id' : messageId,
      };
    },
  },
];
