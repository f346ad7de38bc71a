import { setTimeout as wait } from 'node:timers/promises';
import { type Bench, type Case, type Message, pages, reference } from './case.ts';
import { codeOf, codesOf, createPair, eventually, publish, pull, pullForAMoment } from './observe.ts';

const data = Buffer.from('a');

/** Answers a function that tries to publish messages to a topic with a subscription. */
async function tryOut(bench: Bench) {
  const { topic } = await createPair(bench);
  return (...messages: Message[]) =>
    () =>
      bench.topics.publish({ topic, messages });
}

/** What a publisher may send and what becomes of it. */
export const publishCases: readonly Case[] = [
  {
    name: 'a message arrives with its data, its attributes, an id and a time',
    from: reference('PubsubMessage'),
    documented: {
      data: Buffer.from([0, 255, 254, 10]).toString('base64'),
      attributes: { ключ: 'значение', quoted: '"\n' },
      sameId: true,
      recent: true,
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const attributes = { ключ: 'значение', quoted: '"\n' };
      const [id] = await publish(bench, { data: Buffer.from([0, 255, 254, 10]), attributes });
      const [pulled] = await pull(bench, subscription);
      return {
        data: pulled?.data.toString('base64') ?? '',
        attributes: pulled?.attributes ?? {},
        sameId: id !== undefined && pulled?.id === id,
        recent: Math.abs(Date.now() / 1000 - (pulled?.publishSeconds ?? 0)) < 300,
      };
    },
  },
  {
    name: 'the ids of a publish are as many as its messages, in their order, and unique within the topic',
    from: reference('PublishResponse.message_ids'),
    documented: { ids: 6, unique: 6, inOrder: true },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const first = await publish(bench, 'a', 'b', 'c');
      const ids = [...first, ...(await publish(bench, 'd', 'e', 'f'))];
      const pulled = await pull(bench, subscription, 6);
      const textOf = new Map(pulled.map((one) => [one.id, one.text]));
      const texts = ids.map((id) => textOf.get(id)).join('');
      return { ids: ids.length, unique: new Set(ids).size, inOrder: texts === 'abcdef' };
    },
  },
  {
    name: 'a publisher cannot set the id or the time of a message',
    from: reference('PubsubMessage.message_id'),
    documented: { id: 'of the server', time: 'of the server' },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, { data, messageId: 'mine', publishTime: { seconds: 1, nanos: 1 } });
      const [pulled] = await pull(bench, subscription);
      return {
        id: pulled?.id === 'mine' ? 'of the publisher' : 'of the server',
        time: (pulled?.publishSeconds ?? 0) < 1e9 ? 'of the publisher' : 'of the server',
      };
    },
  },
  {
    name: 'a message has data or at least one attribute',
    from: reference('PubsubMessage.data'),
    documented: {
      'data only': 'OK',
      'attributes only': 'OK',
      neither: 'INVALID_ARGUMENT',
      'one of two is empty': 'INVALID_ARGUMENT',
      'no message': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const send = await tryOut(bench);
      return codesOf({
        'data only': send({ data }),
        'attributes only': send({ attributes: { a: '' } }),
        neither: send({}),
        'one of two is empty': send({ data }, {}),
        'no message': send(),
      });
    },
  },
  {
    name: 'a publish with a message that is refused stores none of its messages',
    from: pages.errors,
    documented: { code: 'INVALID_ARGUMENT', received: [] },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      const code = await codeOf(bench.topics.publish({ topic, messages: [{ data }, {}] }));
      return { code, received: await pullForAMoment(bench, subscription) };
    },
  },
  {
    name: 'a publish holds at most 1,000 messages',
    from: pages.limits,
    documented: { '1,000': 'OK', '1,001': 'INVALID_ARGUMENT' },
    async observe(bench) {
      const send = await tryOut(bench);
      const many = (count: number) => Array.from({ length: count }, () => ({ data }));
      return codesOf({ '1,000': send(...many(1000)), '1,001': send(...many(1001)) });
    },
  },
  {
    name: 'a publish holds at most 10 MB',
    from: pages.limits,
    documented: {
      'just below': 'OK',
      'one message above': 'INVALID_ARGUMENT',
      'two above': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const send = await tryOut(bench);
      const large = (bytes: number) => ({ data: Buffer.alloc(bytes, 'x') });
      return codesOf({
        'just below': send(large(9_999_000)),
        'one message above': send(large(10_000_001)),
        'two above': send(large(5_000_001), large(5_000_001)),
      });
    },
  },
  {
    name: 'a message of nearly 10 MB can be pulled and pushed',
    from: pages.limits,
    documented: { pulled: 9_990_000, pushed: 9_990_000 },
    async observe(bench) {
      const endpoint = await bench.endpoint();
      const { topic, subscription } = await createPair(bench);
      await bench.subscriptions.createSubscription({
        name: bench.subscription('push'),
        topic,
        pushConfig: { pushEndpoint: endpoint.url },
      });
      await publish(bench, { data: Buffer.alloc(9_990_000, 'x') });
      const [pulled] = await pull(bench, subscription);
      await eventually(() => endpoint.pushes.length > 0);
      const pushed = Buffer.from(String(endpoint.pushes[0]?.body.message.data), 'base64');
      return { pulled: pulled?.data.length ?? 0, pushed: pushed.length };
    },
  },
  {
    name: 'a message has at most 100 attributes, with keys up to 256 and values up to 1,024 bytes',
    from: pages.limits,
    documented: {
      'key of 256 bytes': 'OK',
      'key of 257 bytes': 'INVALID_ARGUMENT',
      'key of 129 letters of 2 bytes': 'INVALID_ARGUMENT',
      'value of 1,024 bytes': 'OK',
      'value of 1,025 bytes': 'INVALID_ARGUMENT',
      '100 attributes': 'OK',
      '101 attributes': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const send = await tryOut(bench);
      const many = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, '']));
      return codesOf({
        'key of 256 bytes': send({ data, attributes: { ['k'.repeat(256)]: '' } }),
        'key of 257 bytes': send({ data, attributes: { ['k'.repeat(257)]: '' } }),
        'key of 129 letters of 2 bytes': send({ data, attributes: { ['é'.repeat(129)]: '' } }),
        'value of 1,024 bytes': send({ data, attributes: { k: 'v'.repeat(1024) } }),
        'value of 1,025 bytes': send({ data, attributes: { k: 'v'.repeat(1025) } }),
        '100 attributes': send({ data, attributes: many(100) }),
        '101 attributes': send({ data, attributes: many(101) }),
      });
    },
  },
  {
    name: 'an attribute key is not empty and does not begin with goog',
    from: 'cloud.google.com/pubsub/docs/publisher#using-attributes',
    documented: { empty: 'INVALID_ARGUMENT', goog: 'INVALID_ARGUMENT', 'goog inside': 'OK' },
    async observe(bench) {
      const send = await tryOut(bench);
      return codesOf({
        empty: send({ data, attributes: { '': 'a' } }),
        goog: send({ data, attributes: { googly: 'a' } }),
        'goog inside': send({ data, attributes: { 'a-goog': 'a' } }),
      });
    },
  },
  {
    name: 'a message reaches every subscription of its topic under the same id',
    from: pages.overview,
    documented: { first: ['a'], second: ['a'], sameId: true },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      const second = bench.subscription('second');
      await bench.subscriptions.createSubscription({ name: second, topic });
      await publish(bench, 'a');
      const [one, other] = [await pull(bench, subscription), await pull(bench, second)];
      return {
        first: one.map(({ text }) => text),
        second: other.map(({ text }) => text),
        sameId: one[0]?.id === other[0]?.id,
      };
    },
  },
  {
    name: 'a subscription receives what is published after it was created',
    from: 'cloud.google.com/pubsub/docs/create-subscription',
    documented: ['after'],
    async observe(bench) {
      const topic = bench.topic('events');
      const subscription = bench.subscription('late');
      await bench.topics.createTopic({ name: topic });
      await publish(bench, 'before');
      await wait(50);
      await bench.subscriptions.createSubscription({ name: subscription, topic });
      await publish(bench, 'after');
      await pull(bench, subscription, 1).then(async (pulled) => {
        if (pulled[0] !== undefined) {
          const ackIds = [pulled[0].ackId];
          await bench.subscriptions.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 0 });
        }
      });
      return pullForAMoment(bench, subscription);
    },
  },
  {
    name: 'what the batching client publishes arrives whole',
    from: 'cloud.google.com/pubsub/docs/batch-messaging',
    documented: { ids: 250, received: 250 },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const topic = bench.client.topic('events', { batching: { maxMessages: 100, maxMilliseconds: 20 } });
      const ids = await Promise.all(
        Array.from({ length: 250 }, (_, index) => topic.publishMessage({ data: Buffer.from(`m${index}`) })),
      );
      const pulled = await pull(bench, subscription, 250);
      return { ids: new Set(ids).size, received: new Set(pulled.map((one) => one.text)).size };
    },
  },
];
