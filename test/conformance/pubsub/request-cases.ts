import { type Case, pages, reference } from './case.ts';
import { codesOf, createPair, publish, pullForAMoment } from './observe.ts';

/** Requests that are out of form, and what Google's client makes of them by itself. */
export const requestCases: readonly Case[] = [
  {
    name: 'a name that is no name of the resource is refused',
    from: pages.names,
    documented: {
      'no name': 'INVALID_ARGUMENT',
      'no project': 'INVALID_ARGUMENT',
      'the name of a subscription': 'INVALID_ARGUMENT',
      'a topic to pull from': 'INVALID_ARGUMENT',
      'a publish to no topic': 'INVALID_ARGUMENT',
      'a subscription to no topic': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      const messages = [{ data: Buffer.from('a') }];
      return codesOf({
        'no name': () => bench.topics.getTopic({ topic: '' }),
        'no project': () => bench.topics.createTopic({ name: 'topics/events' }),
        'the name of a subscription': () => bench.topics.getTopic({ topic: subscription }),
        'a topic to pull from': () =>
          bench.subscriptions.pull({ subscription: topic, maxMessages: 1, returnImmediately: true }),
        'a publish to no topic': () => bench.topics.publish({ topic: 'events', messages }),
        'a subscription to no topic': () =>
          bench.subscriptions.createSubscription({ name: bench.subscription('none'), topic: 'events' }),
      });
    },
  },
  {
    name: 'a negative page size is refused',
    from: 'google.aip.dev/158',
    documented: { listTopics: 'INVALID_ARGUMENT', listSubscriptions: 'INVALID_ARGUMENT' },
    async observe(bench) {
      await createPair(bench);
      const request = { project: bench.project, pageSize: -1 };
      const once = { autoPaginate: false };
      return codesOf({
        listTopics: () => bench.topics.listTopics(request, once),
        listSubscriptions: () => bench.subscriptions.listSubscriptions(request, once),
      });
    },
  },
  {
    name: 'what only the service sets is ignored in a request',
    from: reference('Topic.satisfies_pzs, Subscription.topic_message_retention_duration'),
    documented: { satisfiesPzs: false, topicMessageRetentionDuration: 'none' },
    async observe(bench) {
      const [topic] = await bench.topics.createTopic({ name: bench.topic('events'), satisfiesPzs: true });
      const [subscription] = await bench.subscriptions.createSubscription({
        name: bench.subscription('all'),
        topic: bench.topic('events'),
        topicMessageRetentionDuration: { seconds: 1200 },
      });
      return {
        satisfiesPzs: topic.satisfiesPzs ?? false,
        topicMessageRetentionDuration: subscription.topicMessageRetentionDuration ? 'given' : 'none',
      };
    },
  },
  {
    name: "the conveniences of Google's client work: exists, get with autoCreate, lists, metadata and delete",
    from: 'cloud.google.com/nodejs/docs/reference/pubsub/latest',
    documented: {
      existed: [false, false],
      exist: [true, true],
      topics: ['made'],
      subscriptions: ['made-too'],
      deadline: 30,
      left: [false, false],
    },
    async observe(bench) {
      const { client } = bench;
      const topic = client.topic('made');
      const subscription = topic.subscription('made-too');
      const existing = async () => [(await topic.exists())[0], (await subscription.exists())[0]];
      const idOf = ({ name }: { name: string }) => name.split('/').at(-1) ?? '';
      const existed = await existing();
      await topic.get({ autoCreate: true });
      await subscription.get({ autoCreate: true });
      const exist = await existing();
      const [topics] = await client.getTopics();
      const [subscriptions] = await topic.getSubscriptions();
      await subscription.setMetadata({ ackDeadlineSeconds: 30 });
      const [metadata] = await subscription.getMetadata();
      await subscription.delete();
      await topic.delete();
      return {
        existed,
        exist,
        topics: topics.map(idOf),
        subscriptions: subscriptions.map(idOf),
        deadline: metadata.ackDeadlineSeconds ?? 0,
        left: await existing(),
      };
    },
  },
  {
    name: 'a nack of the streaming client and a deadline of 0 are the same to others who pull',
    from: reference('ModifyAckDeadlineRequest.ack_deadline_seconds'),
    documented: ['a'],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const stream = bench.client.subscription('all', { flowControl: { maxMessages: 1 } });
      stream.on('error', () => {});
      const nacked = new Promise<void>((resolve) => {
        stream.once('message', (message) => {
          message.nack();
          // Closing sends what is still to be sent.
          stream.close().then(resolve, resolve);
        });
      });
      await publish(bench, 'a');
      await nacked;
      return pullForAMoment(bench, subscription);
    },
  },
];
