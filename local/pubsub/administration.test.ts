import { v1 } from '@google-cloud/pubsub';
import { credentials, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, connectSubscriber, openBench } from './harness.ts';
import { page } from './page.ts';

let bench: Bench;
let topics: v1.PublisherClient;
let subscriptions: v1.SubscriberClient;
let made = 0;
const oidc = { oidcToken: { serviceAccountEmail: 'a@b' } };

const topicName = (id: string) => `projects/local/topics/${id}`;
const subscriptionName = (id: string) => `projects/local/subscriptions/${id}`;

beforeAll(async () => {
  bench = await openBench();
  subscriptions = connectSubscriber(bench.server.port);
  topics = new v1.PublisherClient({
    projectId: 'local',
    apiEndpoint: '127.0.0.1',
    port: bench.server.port,
    sslCreds: credentials.createInsecure(),
  });
  await topics.createTopic({ name: topicName('events') });
});

afterAll(async () => {
  await topics.close();
  await subscriptions.close();
  await bench.close();
});

type SubscriptionSettings = NonNullable<Parameters<v1.SubscriberClient['createSubscription']>[0]>;

const create = (settings: SubscriptionSettings) =>
  subscriptions.createSubscription({
    name: subscriptionName(`made-${++made}`),
    topic: topicName('events'),
    ...settings,
  });

async function failureOf(call: Promise<unknown>): Promise<{ code: number; details: string }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'details' in error) {
      return { code: Number(error.code), details: String(error.details) };
    }
    throw error;
  }
  throw new Error('it succeeded');
}

describe('a topic', () => {
  test('keeps its labels and retention, and changes only what the mask names', async () => {
    const name = topicName('changing');
    await topics.createTopic({ name, labels: { team: 'a' }, messageRetentionDuration: { seconds: 600 } });
    await topics.updateTopic({
      topic: { name, labels: { team: 'b' } },
      updateMask: { paths: ['labels'] },
    });
    const [topic] = await topics.getTopic({ topic: name });
    expect(topic.labels).toEqual({ team: 'b' });
    expect(Number(topic.messageRetentionDuration?.seconds)).toBe(600);
    await topics.updateTopic({ topic: { name }, updateMask: { paths: ['message_retention_duration'] } });
    expect((await topics.getTopic({ topic: name }))[0].messageRetentionDuration).toBeNull();
  });

  test('cannot be made twice', async () => {
    expect(await failureOf(topics.createTopic({ name: topicName('events') }))).toEqual({
      code: status.ALREADY_EXISTS,
      details: 'Resource already exists in the project (resource=events).',
    });
  });

  test('that does not exist is not found, by whatever call', async () => {
    const expected = { code: status.NOT_FOUND, details: 'Resource not found (resource=nowhere).' };
    const topic = topicName('nowhere');
    expect(await failureOf(topics.getTopic({ topic }))).toEqual(expected);
    expect(await failureOf(topics.deleteTopic({ topic }))).toEqual(expected);
    expect(await failureOf(topics.publish({ topic, messages: [{ data: Buffer.from('a') }] }))).toEqual(
      expected,
    );
    expect(await failureOf(create({ topic }))).toEqual(expected);
    const deadLetterPolicy = { deadLetterTopic: topic, maxDeliveryAttempts: 5 };
    expect(await failureOf(create({ deadLetterPolicy }))).toEqual(expected);
  });

  test.each(['ab', '1abc', 'googtopic', 'with space', 'a'.repeat(256), 'slash/ed'])(
    'may not be called %s',
    async (id) => {
      const failure = await failureOf(topics.createTopic({ name: topicName(id) }));
      expect(failure.code).toBe(status.INVALID_ARGUMENT);
      expect(failure.details).toContain(`Invalid resource name given (name=${topicName(id)}).`);
    },
  );

  test.each(['abc', `a${'-'.repeat(254)}`, 'A1-_.~+%'])('may be called %s', async (id) => {
    await topics.createTopic({ name: topicName(id) });
    expect((await topics.getTopic({ topic: topicName(id) }))[0].name).toBe(topicName(id));
    await topics.deleteTopic({ topic: topicName(id) });
  });

  test.each([
    ['message_storage_policy', { messageStoragePolicy: { allowedPersistenceRegions: ['europe-west1'] } }],
    ['kms_key_name', { kmsKeyName: 'projects/p/locations/l/keyRings/k/cryptoKeys/c' }],
    ['schema_settings', { schemaSettings: { schema: 'projects/p/schemas/s' } }],
    ['ingestion_data_source_settings', { ingestionDataSourceSettings: { cloudStorage: { bucket: 'b' } } }],
    ['message_transforms', { messageTransforms: [{ disabled: true }] }],
    ['tags', { tags: { '123/a': 'b' } }],
  ])('with %s is refused as unimplemented, by name', async (field, settings) => {
    const failure = await failureOf(topics.createTopic({ name: topicName('refused'), ...settings }));
    expect(failure).toEqual({
      code: status.UNIMPLEMENTED,
      details: `The local Pub/Sub does not implement topic.${field}.`,
    });
  });
});

describe('a publish', () => {
  const publish = (...messages: object[]) =>
    failureOf(topics.publish({ topic: topicName('events'), messages }));
  const data = Buffer.from('a');

  test.each([
    ['without messages', [], 'The value for message_count is too small. You passed 0'],
    [
      'of 1,001 messages',
      Array.from({ length: 1001 }, () => ({ data })),
      'message_count is too large. You passed 1001',
    ],
    ['over 10 MB', [{ data: Buffer.alloc(10_000_000) }], 'request_size is too large'],
    ['of an empty message', [{ data }, {}], 'is empty. Each message must contain either non-empty data'],
    [
      'with a key over 256 bytes',
      [{ data, attributes: { ['é'.repeat(129)]: '' } }],
      'attribute_key_size is too large',
    ],
    [
      'with a value over 1,024 bytes',
      [{ data, attributes: { a: 'b'.repeat(1025) } }],
      'attribute_value_size is too large',
    ],
    [
      'with 101 attributes',
      [{ data, attributes: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [n, ''])) }],
      'num_attributes is too large',
    ],
    ['with a reserved key', [{ data, attributes: { googly: '' } }], "keys may not begin with 'goog'"],
  ])('%s is refused', async (_, messages, sentence) => {
    const failure = await publish(...messages);
    expect(failure.code).toBe(status.INVALID_ARGUMENT);
    expect(failure.details).toContain(sentence);
  });

  test('at each of the limits is taken', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 99 }, (_, n) => [n, '']));
    const full = { data, attributes: { ...attributes, ['k'.repeat(256)]: 'v'.repeat(1024) } };
    const messages = [full, ...Array.from({ length: 999 }, () => ({ data }))];
    const [response] = await topics.publish({ topic: topicName('events'), messages });
    expect(new Set(response.messageIds).size).toBe(1000);
  });

  test('with an ordering key is refused as unimplemented', async () => {
    expect(await publish({ data, orderingKey: 'k' })).toEqual({
      code: status.UNIMPLEMENTED,
      details: 'The local Pub/Sub does not implement message.ordering_key.',
    });
  });

  test('does not let the publisher set the id or the time', async () => {
    const name = subscriptionName('forged');
    await create({ name });
    const forged = { data, messageId: 'mine', publishTime: { seconds: 1, nanos: 1 } };
    const [{ messageIds }] = await topics.publish({ topic: topicName('events'), messages: [forged] });
    const [pulled] = await subscriptions.pull({ subscription: name, maxMessages: 1 });
    const message = pulled.receivedMessages?.[0]?.message;
    expect(message?.messageId).toBe(messageIds?.[0]);
    expect(Number(message?.publishTime?.seconds)).toBeGreaterThan(1e9);
    await subscriptions.deleteSubscription({ subscription: name });
  });
});

describe('a subscription', () => {
  test('shows the defaults Google gives it', async () => {
    const [shown] = await create({
      retryPolicy: {},
      deadLetterPolicy: { deadLetterTopic: topicName('events') },
    });
    expect(shown.ackDeadlineSeconds).toBe(10);
    expect(Number(shown.messageRetentionDuration?.seconds)).toBe(7 * 86_400);
    expect(Number(shown.expirationPolicy?.ttl?.seconds)).toBe(31 * 86_400);
    expect(Number(shown.retryPolicy?.minimumBackoff?.seconds)).toBe(10);
    expect(Number(shown.retryPolicy?.maximumBackoff?.seconds)).toBe(600);
    expect(shown.deadLetterPolicy?.maxDeliveryAttempts).toBe(5);
    expect(shown.state).toBe('ACTIVE');
  });

  test.each<[string, SubscriptionSettings]>([
    ['an ack deadline of 9 s', { ackDeadlineSeconds: 9 }],
    ['an ack deadline of 601 s', { ackDeadlineSeconds: 601 }],
    [
      '4 delivery attempts',
      { deadLetterPolicy: { deadLetterTopic: topicName('events'), maxDeliveryAttempts: 4 } },
    ],
    [
      '101 delivery attempts',
      { deadLetterPolicy: { deadLetterTopic: topicName('events'), maxDeliveryAttempts: 101 } },
    ],
    ['a backoff over 600 s', { retryPolicy: { maximumBackoff: { seconds: 601 } } }],
    [
      'a minimum backoff over the maximum',
      { retryPolicy: { minimumBackoff: { seconds: 20 }, maximumBackoff: { seconds: 10 } } },
    ],
    ['a retention under 10 min', { messageRetentionDuration: { seconds: 599 } }],
    ['a retention over 31 days', { messageRetentionDuration: { seconds: 31 * 86_400 + 1 } }],
    ['an expiration under a day', { expirationPolicy: { ttl: { seconds: 86_399 } } }],
    ['a push endpoint that is no URL', { pushConfig: { pushEndpoint: 'nowhere' } }],
    ['a label with capitals', { labels: { Team: 'a' } }],
  ])('with %s is refused', async (_, settings) => {
    expect((await failureOf(create(settings))).code).toBe(status.INVALID_ARGUMENT);
  });

  test.each<[string, SubscriptionSettings]>([
    ['bigquery_config', { bigqueryConfig: { table: 'a.b.c' } }],
    ['cloud_storage_config', { cloudStorageConfig: { bucket: 'b' } }],
    ['bigtable_config', { bigtableConfig: { table: 't' } }],
    ['retain_acked_messages', { retainAckedMessages: true }],
    ['enable_message_ordering', { enableMessageOrdering: true }],
    ['filter', { filter: 'attributes:a' }],
    ['enable_exactly_once_delivery', { enableExactlyOnceDelivery: true }],
    ['message_transforms', { messageTransforms: [{ disabled: true }] }],
    ['tags', { tags: { '123/a': 'b' } }],
  ])('with %s is refused as unimplemented, by name', async (field, settings) => {
    expect(await failureOf(create(settings))).toEqual({
      code: status.UNIMPLEMENTED,
      details: `The local Pub/Sub does not implement subscription.${field}.`,
    });
  });

  test('with an unwrapped push, or with a token and nobody to sign it, is refused', async () => {
    const pushEndpoint = 'http://127.0.0.1:9/';
    const unwrapped = await failureOf(
      create({ pushConfig: { pushEndpoint, noWrapper: { writeMetadata: true } } }),
    );
    expect(unwrapped).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining('no_wrapper'),
    });
    const unsigned = await failureOf(create({ pushConfig: { pushEndpoint, ...oidc } }));
    expect(unsigned).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining('oidc_token'),
    });
  });

  test('changes only what the mask names', async () => {
    const name = subscriptionName('changing');
    await create({ name, labels: { a: 'b' }, ackDeadlineSeconds: 20 });
    await subscriptions.updateSubscription({
      subscription: {
        name,
        ackDeadlineSeconds: 30,
        retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 2 } },
        deadLetterPolicy: { deadLetterTopic: topicName('events'), maxDeliveryAttempts: 7 },
        messageRetentionDuration: { seconds: 3600 },
        pushConfig: { pushEndpoint: 'http://127.0.0.1:9/' },
        labels: { ignored: 'yes' },
      },
      updateMask: {
        paths: [
          'ack_deadline_seconds',
          'retry_policy',
          'dead_letter_policy',
          'message_retention_duration',
          'push_config',
        ],
      },
    });
    const [shown] = await subscriptions.getSubscription({ subscription: name });
    expect(shown).toMatchObject({
      labels: { a: 'b' },
      ackDeadlineSeconds: 30,
      deadLetterPolicy: { maxDeliveryAttempts: 7 },
      pushConfig: { pushEndpoint: 'http://127.0.0.1:9/' },
    });
    expect(Number(shown.messageRetentionDuration?.seconds)).toBe(3600);
    await subscriptions.updateSubscription({
      subscription: { name },
      updateMask: { paths: ['retry_policy', 'dead_letter_policy', 'labels'] },
    });
    const [cleared] = await subscriptions.getSubscription({ subscription: name });
    expect(cleared).toMatchObject({ retryPolicy: null, deadLetterPolicy: null, labels: {} });
  });

  test.each([
    ['an empty mask', [], 'must contain a non-empty paths list'],
    ['a fixed field', ['topic'], "the 'topic' field in the Subscription is not mutable"],
    ['an unknown field', ['ackDeadlineSeconds'], "'ackDeadlineSeconds' is not a known Subscription field"],
  ])('is not changed by %s', async (_, paths, sentence) => {
    const name = subscriptionName('fixed');
    await create({ name }).catch(() => {});
    const failure = await failureOf(
      subscriptions.updateSubscription({ subscription: { name }, updateMask: { paths } }),
    );
    expect(failure.code).toBe(status.INVALID_ARGUMENT);
    expect(failure.details).toContain(sentence);
  });

  test('of push cannot be pulled', async () => {
    const name = subscriptionName('pushed');
    await create({ name, pushConfig: { pushEndpoint: 'http://127.0.0.1:9/' } });
    const failure = await failureOf(subscriptions.pull({ subscription: name, maxMessages: 1 }));
    expect(failure.code).toBe(status.FAILED_PRECONDITION);
  });

  test('takes no ack id it cannot have given, no empty list, and no deadline over 600 s', async () => {
    const subscription = subscriptionName('acks');
    await create({ name: subscription });
    expect(await failureOf(subscriptions.acknowledge({ subscription, ackIds: ['Nonsense!'] }))).toEqual({
      code: status.INVALID_ARGUMENT,
      details: 'You have passed an invalid ack ID to the service (ack_id=Nonsense!).',
    });
    expect((await failureOf(subscriptions.acknowledge({ subscription, ackIds: [] }))).code).toBe(3);
    const late = subscriptions.modifyAckDeadline({
      subscription,
      ackIds: ['1-0123456789ab-0'],
      ackDeadlineSeconds: 601,
    });
    expect((await failureOf(late)).code).toBe(status.INVALID_ARGUMENT);
    expect((await failureOf(subscriptions.pull({ subscription, maxMessages: 0 }))).code).toBe(3);
  });
});

describe('what Google has and this server has not', () => {
  test('snapshots, seek, detach and schemas are refused as unimplemented', async () => {
    const subscription = subscriptionName('changing');
    const schemas = new v1.SchemaServiceClient({
      projectId: 'local',
      apiEndpoint: '127.0.0.1',
      port: bench.server.port,
      sslCreds: credentials.createInsecure(),
    });
    const calls = [
      () => subscriptions.createSnapshot({ name: 'projects/local/snapshots/one', subscription }),
      () => subscriptions.listSnapshots({ project: 'projects/local' }),
      () => subscriptions.seek({ subscription, time: { seconds: 1 } }),
      () => topics.detachSubscription({ subscription }),
      () => topics.listTopicSnapshots({ topic: topicName('events') }),
      () => schemas.listSchemas({ parent: 'projects/local' }),
    ];
    for (const call of calls) expect((await failureOf(call())).code).toBe(status.UNIMPLEMENTED);
    await schemas.close();
  });
});

describe('a list', () => {
  test('comes in pages of the size asked for, and only of the project asked for', async () => {
    const ids = ['one', 'two', 'three', 'four', 'five'].map((id) => `projects/paged/topics/${id}`);
    for (const name of ids) await topics.createTopic({ name });
    const [first, , response] = await topics.listTopics(
      { project: 'projects/paged', pageSize: 2 },
      { autoPaginate: false },
    );
    expect(first).toHaveLength(2);
    expect(response?.nextPageToken).not.toBe('');
    const [all] = await topics.listTopics({ project: 'projects/paged', pageSize: 2 }, { autoPaginate: true });
    expect(all.map((topic) => topic.name).sort()).toEqual([...ids].sort());

    const topic = ids[0]!;
    const names = ['aaa', 'bbb', 'ccc'].map((id) => `projects/paged/subscriptions/${id}`);
    for (const name of names) await create({ name, topic });
    const [listed] = await subscriptions.listSubscriptions({ project: 'projects/paged', pageSize: 1 });
    expect(listed.map((one) => one.name)).toEqual(names);
    expect((await topics.listTopicSubscriptions({ topic, pageSize: 2 }))[0]).toEqual(names);
  });

  test('is refused with a token it never gave', async () => {
    const listing = topics.listTopics(
      { project: 'projects/local', pageToken: 'bogus' },
      { autoPaginate: false },
    );
    expect((await failureOf(listing)).code).toBe(status.INVALID_ARGUMENT);
  });

  test('gives every name once, whatever the page size', () => {
    const id = fc.stringMatching(/^[a-z]{3,6}$/).map((text) => `projects/p/topics/${text}`);
    fc.assert(
      fc.property(
        fc.uniqueArray(id, { maxLength: 30 }),
        fc.integer({ min: 1, max: 10 }),
        (names, pageSize) => {
          const seen: string[] = [];
          let pageToken = '';
          do {
            const next = page(names, { pageSize, pageToken });
            seen.push(...next.items);
            pageToken = next.nextPageToken;
          } while (pageToken !== '');
          expect(seen).toEqual([...names].sort());
        },
      ),
    );
  });
});
