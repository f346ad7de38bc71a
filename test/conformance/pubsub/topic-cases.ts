import { type Case, pages, reference } from './case.ts';
import { codeOf, codesOf, createPair, pagesOf, publish, pull, pullForAMoment } from './observe.ts';

/** Making, showing, listing, changing and deleting topics. */
export const topicCases: readonly Case[] = [
  {
    name: 'a topic that was created is shown as it was given',
    from: reference('Publisher.GetTopic'),
    documented: { labels: { team: 'a' }, retention: '600', state: 'ACTIVE' },
    async observe(bench) {
      const name = bench.topic('events');
      await bench.topics.createTopic({
        name,
        labels: { team: 'a' },
        messageRetentionDuration: { seconds: 600 },
      });
      const [topic] = await bench.topics.getTopic({ topic: name });
      return {
        labels: { ...topic.labels },
        retention: String(topic.messageRetentionDuration?.seconds),
        state: String(topic.state),
      };
    },
  },
  {
    name: 'a topic cannot be created twice',
    from: pages.errors,
    documented: 'ALREADY_EXISTS',
    async observe(bench) {
      await bench.topics.createTopic({ name: bench.topic('events') });
      return codeOf(bench.topics.createTopic({ name: bench.topic('events') }));
    },
  },
  {
    name: 'a topic that does not exist is not found, by whatever call',
    from: pages.errors,
    documented: {
      get: 'NOT_FOUND',
      delete: 'NOT_FOUND',
      update: 'NOT_FOUND',
      publish: 'NOT_FOUND',
      subscribe: 'NOT_FOUND',
      listSubscriptions: 'NOT_FOUND',
    },
    observe(bench) {
      const topic = bench.topic('nowhere');
      return codesOf({
        get: () => bench.topics.getTopic({ topic }),
        delete: () => bench.topics.deleteTopic({ topic }),
        update: () =>
          bench.topics.updateTopic({
            topic: { name: topic, labels: { a: 'b' } },
            updateMask: { paths: ['labels'] },
          }),
        publish: () => bench.topics.publish({ topic, messages: [{ data: Buffer.from('a') }] }),
        subscribe: () => bench.subscriptions.createSubscription({ name: bench.subscription('all'), topic }),
        listSubscriptions: () => bench.topics.listTopicSubscriptions({ topic }),
      });
    },
  },
  {
    name: 'a resource name has 3 to 255 of certain characters, begins with a letter and not with goog',
    from: pages.names,
    documented: {
      abc: 'OK',
      'A1-_.~+%': 'OK',
      '255 characters': 'OK',
      '256 characters': 'INVALID_ARGUMENT',
      ab: 'INVALID_ARGUMENT',
      '1abc': 'INVALID_ARGUMENT',
      googtopic: 'INVALID_ARGUMENT',
      'with space': 'INVALID_ARGUMENT',
      'slash/ed': 'INVALID_ARGUMENT',
    },
    observe(bench) {
      const create = (id: string) => () => bench.topics.createTopic({ name: bench.topic(id) });
      const ids = ['abc', 'A1-_.~+%', 'ab', '1abc', 'googtopic', 'with space', 'slash/ed'];
      return codesOf({
        ...Object.fromEntries(ids.map((id) => [id, create(id)])),
        '255 characters': create('a'.repeat(255)),
        '256 characters': create('a'.repeat(256)),
      });
    },
  },
  {
    name: 'topics are listed in pages, each topic once, and only those of the project',
    from: reference('Publisher.ListTopics'),
    documented: { pages: [2, 2, 1], topics: ['t-1', 't-2', 't-3', 't-4', 't-5'] },
    async observe(bench) {
      for (const id of ['t-1', 't-2', 't-3', 't-4', 't-5']) {
        await bench.topics.createTopic({ name: bench.topic(id) });
      }
      await bench.topics.createTopic({ name: `${bench.project}-other/topics/other` });
      const found = await pagesOf(async (pageToken) => {
        const request = { project: bench.project, pageSize: 2, pageToken };
        const [topics, , response] = await bench.topics.listTopics(request, { autoPaginate: false });
        return { items: topics, nextPageToken: response?.nextPageToken ?? '' };
      });
      return {
        pages: found.map((page) => page.length),
        topics: found
          .flat()
          .map((topic) => topic.name?.split('/').at(-1) ?? '')
          .sort(),
      };
    },
  },
  {
    name: 'a page token that was never given is refused',
    from: pages.errors,
    documented: { listTopics: 'INVALID_ARGUMENT', listSubscriptions: 'INVALID_ARGUMENT' },
    async observe(bench) {
      await createPair(bench);
      const request = { project: bench.project, pageSize: 1, pageToken: 'never given' };
      const once = { autoPaginate: false };
      return codesOf({
        listTopics: () => bench.topics.listTopics(request, once),
        listSubscriptions: () => bench.subscriptions.listSubscriptions(request, once),
      });
    },
  },
  {
    name: 'an update of a topic changes what its mask names and nothing else',
    from: reference('Publisher.UpdateTopic'),
    documented: { labels: { team: 'a' }, retention: '1200', cleared: true },
    async observe(bench) {
      const name = bench.topic('events');
      await bench.topics.createTopic({
        name,
        labels: { team: 'a' },
        messageRetentionDuration: { seconds: 600 },
      });
      const updateMask = { paths: ['message_retention_duration'] };
      await bench.topics.updateTopic({
        topic: { name, labels: { team: 'b' }, messageRetentionDuration: { seconds: 1200 } },
        updateMask,
      });
      const [first] = await bench.topics.getTopic({ topic: name });
      await bench.topics.updateTopic({ topic: { name }, updateMask });
      const [second] = await bench.topics.getTopic({ topic: name });
      return {
        labels: { ...first.labels },
        retention: String(first.messageRetentionDuration?.seconds),
        cleared: second.messageRetentionDuration === null,
      };
    },
  },
  {
    name: 'an update changes the labels of a topic and of a subscription',
    from: pages.labels,
    documented: { topic: 'OK', subscription: 'OK', shown: { team: 'b' } },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench, { labels: { team: 'a' } });
      const labels = { team: 'b' };
      const updateMask = { paths: ['labels'] };
      const codes = await codesOf({
        topic: () => bench.topics.updateTopic({ topic: { name: topic, labels }, updateMask }),
        subscription: () =>
          bench.subscriptions.updateSubscription({
            subscription: { name: subscription, labels },
            updateMask,
          }),
      });
      const [shown] = await bench.subscriptions.getSubscription({ subscription });
      return { ...codes, shown: { ...shown.labels } };
    },
  },
  {
    name: 'an update of a topic needs a mask of known fields that may change',
    from: reference('UpdateTopicRequest'),
    documented: { empty: 'INVALID_ARGUMENT', unknown: 'INVALID_ARGUMENT', name: 'INVALID_ARGUMENT' },
    async observe(bench) {
      const name = bench.topic('events');
      await bench.topics.createTopic({ name });
      const update = (paths: string[]) => () =>
        bench.topics.updateTopic({ topic: { name, labels: { a: 'b' } }, updateMask: { paths } });
      return codesOf({ empty: update([]), unknown: update(['colour']), name: update(['name']) });
    },
  },
  {
    name: 'a topic retains messages for 10 minutes to 31 days',
    from: reference('Topic.message_retention_duration'),
    documented: {
      '599 s': 'INVALID_ARGUMENT',
      '600 s': 'OK',
      '31 days': 'OK',
      '31 days and 1 s': 'INVALID_ARGUMENT',
    },
    observe(bench) {
      const create = (id: string, seconds: number) => () =>
        bench.topics.createTopic({ name: bench.topic(id), messageRetentionDuration: { seconds } });
      return codesOf({
        '599 s': create('short', 599),
        '600 s': create('shortest', 600),
        '31 days': create('longest', 31 * 86_400),
        '31 days and 1 s': create('long', 31 * 86_400 + 1),
      });
    },
  },
  {
    name: 'labels are at most 64, of lower case letters, digits, underscores and dashes, keys beginning with a letter',
    from: pages.labels,
    documented: {
      '64 labels': 'OK',
      '65 labels': 'INVALID_ARGUMENT',
      'of 63 characters': 'OK',
      'key of 64 characters': 'INVALID_ARGUMENT',
      'value of 64 characters': 'INVALID_ARGUMENT',
      'capital in a key': 'INVALID_ARGUMENT',
      'capital in a value': 'INVALID_ARGUMENT',
      'digit first': 'INVALID_ARGUMENT',
    },
    observe(bench) {
      let made = 0;
      const create = (labels: Record<string, string>) => () =>
        bench.topics.createTopic({ name: bench.topic(`t-${++made}-made`), labels });
      const many = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
      return codesOf({
        '64 labels': create(many(64)),
        '65 labels': create(many(65)),
        'of 63 characters': create({ ['k'.repeat(63)]: 'v'.repeat(63) }),
        'key of 64 characters': create({ ['k'.repeat(64)]: 'v' }),
        'value of 64 characters': create({ k: 'v'.repeat(64) }),
        'capital in a key': create({ Team: 'a' }),
        'capital in a value': create({ team: 'A' }),
        'digit first': create({ '1team': 'a' }),
      });
    },
  },
  {
    name: 'a topic that is deleted leaves its subscriptions, with their backlog, to _deleted-topic_',
    from: reference('Publisher.DeleteTopic'),
    documented: { topic: '_deleted-topic_', backlog: ['kept'], listed: 1 },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      await publish(bench, 'kept');
      await bench.topics.deleteTopic({ topic });
      const [shown] = await bench.subscriptions.getSubscription({ subscription });
      const [listed] = await bench.subscriptions.listSubscriptions({ project: bench.project });
      const backlog = await pull(bench, subscription, 1, 2_000);
      return { topic: shown.topic ?? '', backlog: backlog.map((one) => one.text), listed: listed.length };
    },
  },
  {
    name: 'a topic created again under the name of a deleted one is new, without its subscriptions',
    from: reference('Publisher.DeleteTopic'),
    documented: { attached: [], received: [] },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      await bench.topics.deleteTopic({ topic });
      await bench.topics.createTopic({ name: topic });
      await publish(bench, 'to the new one');
      const [attached] = await bench.topics.listTopicSubscriptions({ topic });
      return { attached, received: await pullForAMoment(bench, subscription) };
    },
  },
  {
    name: 'the subscriptions of a topic are listed in pages',
    from: reference('Publisher.ListTopicSubscriptions'),
    documented: { pages: [2, 1], subscriptions: ['s-1', 's-2', 's-3'] },
    async observe(bench) {
      const topic = bench.topic('events');
      const other = bench.topic('other');
      await bench.topics.createTopic({ name: topic });
      await bench.topics.createTopic({ name: other });
      for (const id of ['s-1', 's-2', 's-3']) {
        await bench.subscriptions.createSubscription({ name: bench.subscription(id), topic });
      }
      await bench.subscriptions.createSubscription({ name: bench.subscription('other'), topic: other });
      const found = await pagesOf(async (pageToken) => {
        const request = { topic, pageSize: 2, pageToken };
        const [names, , response] = await bench.topics.listTopicSubscriptions(request, {
          autoPaginate: false,
        });
        return { items: names, nextPageToken: response?.nextPageToken ?? '' };
      });
      return {
        pages: found.map((page) => page.length),
        subscriptions: found
          .flat()
          .map((name) => name.split('/').at(-1) ?? '')
          .sort(),
      };
    },
  },
];
