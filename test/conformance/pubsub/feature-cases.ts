import { setTimeout as wait } from 'node:timers/promises';
import {
  type Bench,
  type Case,
  pages,
  reference,
  type SubscriptionSettings,
  type TopicSettings,
} from './case.ts';
import {
  acknowledge,
  codeOf,
  codesOf,
  createPair,
  describeFailure,
  eventually,
  publish,
  pull,
  pullForAMoment,
} from './observe.ts';

const avro = JSON.stringify({
  type: 'record',
  name: 'Visit',
  fields: [{ name: 'page', type: 'string' }],
});

const createSchema = (bench: Bench, schemaId = 'visits', definition = avro) =>
  bench.schemas.createSchema({ parent: bench.project, schemaId, schema: { type: 'AVRO', definition } });

/** Whether a topic with these settings can be created. */
const topicWith = (field: string, from: string, settings: TopicSettings): Case => ({
  name: `a topic may have ${field}`,
  from,
  documented: 'OK',
  observe: (bench) => codeOf(bench.topics.createTopic({ name: bench.topic('events'), ...settings })),
});

/** Whether a subscription with these settings can be created; settings that name other resources need those first. */
const subscriptionWith = (field: string, from: string, settings: SubscriptionSettings): Case => ({
  name: `a subscription may have ${field}`,
  from,
  documented: 'OK',
  observe: (bench) => codeOf(createPair(bench, settings)),
});

/** What Pub/Sub offers beyond topics, subscriptions and their messages. */
export const featureCases: readonly Case[] = [
  topicWith('a message_storage_policy', reference('Topic.message_storage_policy'), {
    messageStoragePolicy: { allowedPersistenceRegions: ['europe-west1'] },
  }),
  topicWith('a kms_key_name', reference('Topic.kms_key_name'), {
    kmsKeyName: 'projects/p/locations/l/keyRings/k/cryptoKeys/c',
  }),
  topicWith('ingestion_data_source_settings', reference('Topic.ingestion_data_source_settings'), {
    ingestionDataSourceSettings: { cloudStorage: { bucket: 'some-bucket', textFormat: {} } },
  }),
  topicWith('message_transforms', reference('Topic.message_transforms'), {
    messageTransforms: [
      { javascriptUdf: { functionName: 'f', code: 'function f(message, metadata) { return message; }' } },
    ],
  }),
  subscriptionWith('a bigquery_config', reference('Subscription.bigquery_config'), {
    bigqueryConfig: { table: 'project.dataset.table' },
  }),
  subscriptionWith('a cloud_storage_config', reference('Subscription.cloud_storage_config'), {
    cloudStorageConfig: { bucket: 'some-bucket' },
  }),
  subscriptionWith('message_transforms', reference('Subscription.message_transforms'), {
    messageTransforms: [
      { javascriptUdf: { functionName: 'f', code: 'function f(message, metadata) { return message; }' } },
    ],
  }),
  {
    name: 'a filter lets through the messages whose attributes match',
    from: pages.filter,
    documented: ['red'],
    async observe(bench) {
      const { subscription } = await createPair(bench, { filter: 'attributes.colour = "red"' });
      await publish(
        bench,
        { data: Buffer.from('blue'), attributes: { colour: 'blue' } },
        { data: Buffer.from('red'), attributes: { colour: 'red' } },
        'none',
      );
      return (await pullForAMoment(bench, subscription)).sort();
    },
  },
  {
    name: 'a filter that cannot be parsed is refused',
    from: pages.filter,
    documented: 'INVALID_ARGUMENT',
    observe: (bench) => codeOf(createPair(bench, { filter: 'attributes.colour === red' })),
  },
  {
    name: 'messages of one ordering key are delivered in the order in which they were published',
    from: pages.ordering,
    documented: ['0', '1', '2', '3', '4'],
    async observe(bench) {
      const { subscription } = await createPair(bench, { enableMessageOrdering: true });
      for (let index = 0; index < 5; index++) {
        await publish(bench, { data: Buffer.from(String(index)), orderingKey: 'one' });
      }
      const texts: string[] = [];
      while (texts.length < 5) {
        const pulled = await pull(bench, subscription, 1, 3_000);
        if (pulled.length === 0) break;
        texts.push(...pulled.map((one) => one.text));
        await acknowledge(bench, subscription, pulled);
      }
      return texts;
    },
  },
  {
    name: 'a message may have an ordering key though the subscription is not ordered',
    from: reference('PubsubMessage.ordering_key'),
    documented: 'one',
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, { data: Buffer.from('a'), orderingKey: 'one' });
      return (await pull(bench, subscription))[0]?.orderingKey ?? '';
    },
  },
  {
    name: 'a subscription delivers exactly once when it is asked to: a late acknowledgement is refused',
    from: pages.exactlyOnce,
    documented: { inTime: 'OK', late: 'FAILED_PRECONDITION' },
    async observe(bench) {
      const { subscription } = await createPair(bench, { enableExactlyOnceDelivery: true });
      await publish(bench, 'a', 'b');
      const [first, second] = await pull(bench, subscription, 2);
      const inTime = await codeOf(acknowledge(bench, subscription, [first!]));
      await bench.subscriptions.modifyAckDeadline({
        subscription,
        ackIds: [second!.ackId],
        ackDeadlineSeconds: 1,
      });
      await wait(2_000);
      return { inTime, late: await codeOf(acknowledge(bench, subscription, [second!])) };
    },
  },
  {
    name: 'a seek to a time before brings back what was acknowledged, where that is retained',
    from: pages.replay,
    documented: { before: [], after: ['a'] },
    async observe(bench) {
      const { subscription } = await createPair(bench, { retainAckedMessages: true });
      const start = Math.floor(Date.now() / 1000) - 60;
      await publish(bench, 'a');
      await acknowledge(bench, subscription, await pull(bench, subscription));
      const before = await pullForAMoment(bench, subscription);
      await bench.subscriptions.seek({ subscription, time: { seconds: start } });
      const after = await pull(bench, subscription);
      return { before, after: after.map((one) => one.text) };
    },
  },
  {
    name: 'a seek to a time to come acknowledges the backlog',
    from: pages.replay,
    documented: [],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a', 'b');
      const time = { seconds: Math.floor(Date.now() / 1000) + 60 };
      await bench.subscriptions.seek({ subscription, time });
      return pullForAMoment(bench, subscription);
    },
  },
  {
    name: 'a seek to a snapshot brings back what was not acknowledged when it was taken',
    from: pages.replay,
    documented: { listed: 1, after: ['a'], deleted: 'NOT_FOUND' },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const snapshot = `${bench.project}/snapshots/taken`;
      await publish(bench, 'a');
      await bench.subscriptions.createSnapshot({ name: snapshot, subscription });
      const [listed] = await bench.subscriptions.listSnapshots({ project: bench.project });
      await acknowledge(bench, subscription, await pull(bench, subscription));
      await bench.subscriptions.seek({ subscription, snapshot });
      const after = await pull(bench, subscription);
      await bench.subscriptions.deleteSnapshot({ snapshot });
      const deleted = await codeOf(bench.subscriptions.getSnapshot({ snapshot }));
      return { listed: listed.length, after: after.map((one) => one.text), deleted };
    },
  },
  {
    name: 'a snapshot of a topic is listed with it, and its labels can be changed',
    from: reference('Subscriber.UpdateSnapshot'),
    documented: { ofTopic: 1, labels: { a: 'b' } },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      const name = `${bench.project}/snapshots/taken`;
      await bench.subscriptions.createSnapshot({ name, subscription });
      const [ofTopic] = await bench.topics.listTopicSnapshots({ topic });
      const [updated] = await bench.subscriptions.updateSnapshot({
        snapshot: { name, labels: { a: 'b' } },
        updateMask: { paths: ['labels'] },
      });
      return { ofTopic: ofTopic.length, labels: { ...updated.labels } };
    },
  },
  {
    name: 'a schema can be created, shown, listed, committed to, validated and deleted',
    from: pages.schemas,
    documented: {
      create: 'OK',
      twice: 'ALREADY_EXISTS',
      get: 'OK',
      list: 'OK',
      commit: 'OK',
      valid: 'OK',
      invalid: 'INVALID_ARGUMENT',
      delete: 'OK',
      deleted: 'NOT_FOUND',
    },
    async observe(bench) {
      const name = `${bench.project}/schemas/visits`;
      const definition = avro.replace('}]', ',"default":""}]');
      return codesOf({
        create: () => createSchema(bench),
        twice: () => createSchema(bench),
        get: () => bench.schemas.getSchema({ name }),
        list: () => bench.schemas.listSchemas({ parent: bench.project }),
        commit: () => bench.schemas.commitSchema({ name, schema: { name, type: 'AVRO', definition } }),
        valid: () =>
          bench.schemas.validateSchema({ parent: bench.project, schema: { type: 'AVRO', definition: avro } }),
        invalid: () =>
          bench.schemas.validateSchema({
            parent: bench.project,
            schema: { type: 'AVRO', definition: '{"type":"nonsense"}' },
          }),
        delete: () => bench.schemas.deleteSchema({ name }),
        deleted: () => bench.schemas.getSchema({ name }),
      });
    },
  },
  {
    name: 'a topic with a schema takes messages that match it and refuses others',
    from: pages.schemas,
    documented: { matching: 'OK', other: 'INVALID_ARGUMENT' },
    async observe(bench) {
      await createSchema(bench);
      const topic = bench.topic('events');
      await bench.topics.createTopic({
        name: topic,
        schemaSettings: { schema: `${bench.project}/schemas/visits`, encoding: 'JSON' },
      });
      const send = (text: string) => () =>
        bench.topics.publish({ topic, messages: [{ data: Buffer.from(text) }] });
      return codesOf({ matching: send('{"page":"/home"}'), other: send('{"colour":1}') });
    },
  },
  {
    name: 'a topic cannot have a schema that does not exist',
    from: reference('SchemaSettings.schema'),
    documented: 'NOT_FOUND',
    observe: (bench) =>
      codeOf(
        bench.topics.createTopic({
          name: bench.topic('events'),
          schemaSettings: { schema: `${bench.project}/schemas/nowhere`, encoding: 'JSON' },
        }),
      ),
  },
  {
    name: 'a subscription that is detached has no backlog and refuses to be pulled',
    from: pages.detach,
    documented: { detached: true, pull: 'FAILED_PRECONDITION', listed: [] },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      await publish(bench, 'a');
      await bench.topics.detachSubscription({ subscription });
      const [shown] = await bench.subscriptions.getSubscription({ subscription });
      const request = { subscription, maxMessages: 1, returnImmediately: true };
      const codes = await codesOf({ pull: () => bench.subscriptions.pull(request) });
      const [listed] = await bench.topics.listTopicSubscriptions({ topic });
      return { detached: shown.detached ?? false, ...codes, listed };
    },
  },
  {
    name: 'the policy of a topic can be read',
    from: 'google.iam.v1.IAMPolicy.GetIamPolicy',
    documented: 'OK',
    async observe(bench) {
      await bench.topics.createTopic({ name: bench.topic('events') });
      return codeOf(bench.client.topic('events').iam.getPolicy());
    },
  },
  {
    name: 'the streaming client learns from the server that its subscription is ordered and exactly once',
    from: reference('StreamingPullResponse.SubscriptionProperties'),
    documented: { exactlyOnceDeliveryEnabled: true, messageOrderingEnabled: true },
    async observe(bench) {
      const { subscription } = await createPair(bench, {
        enableMessageOrdering: true,
        enableExactlyOnceDelivery: true,
      });
      const stream = bench.subscriptions.streamingPull();
      let ended: string | undefined;
      let properties: Record<string, boolean> | undefined;
      stream.on('error', (error: unknown) => {
        ended ??= describeFailure(error);
      });
      stream.on('data', (answer: { subscriptionProperties?: Record<string, boolean> }) => {
        properties ??= answer.subscriptionProperties;
      });
      stream.write({ subscription, streamAckDeadlineSeconds: 60 });
      // Some servers only answer once there is something to say.
      await publish(bench, 'a');
      await eventually(() => properties !== undefined || ended !== undefined, 3_000);
      stream.cancel();
      return {
        exactlyOnceDeliveryEnabled: properties?.exactlyOnceDeliveryEnabled ?? false,
        messageOrderingEnabled: properties?.messageOrderingEnabled ?? false,
      };
    },
  },
];
