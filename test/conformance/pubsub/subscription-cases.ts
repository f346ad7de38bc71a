import { type Bench, type Case, pages, reference, type SubscriptionSettings } from './case.ts';
import { codeOf, codesOf, createPair, pagesOf } from './observe.ts';

/** Creates the topic `events` and answers a function that tries subscriptions with settings on it. */
async function tryOut(bench: Bench) {
  const topic = bench.topic('events');
  await bench.topics.createTopic({ name: topic });
  let made = 0;
  return (settings: SubscriptionSettings) => () =>
    bench.subscriptions.createSubscription({
      name: bench.subscription(`made-${++made}`),
      topic,
      ...settings,
    });
}

/** Making, showing, listing, changing and deleting subscriptions. */
export const subscriptionCases: readonly Case[] = [
  {
    name: 'a subscription without settings has the defaults',
    from: reference('Subscription'),
    documented: {
      topic: 'events',
      ackDeadlineSeconds: 10,
      retention: String(7 * 86_400),
      expiration: String(31 * 86_400),
      state: 'ACTIVE',
      retryPolicy: false,
      deadLetterPolicy: false,
      pushEndpoint: '',
      detached: false,
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const [shown] = await bench.subscriptions.getSubscription({ subscription });
      return {
        topic: shown.topic?.split('/').at(-1) ?? '',
        ackDeadlineSeconds: shown.ackDeadlineSeconds ?? 0,
        retention: String(shown.messageRetentionDuration?.seconds),
        expiration: String(shown.expirationPolicy?.ttl?.seconds),
        state: String(shown.state),
        retryPolicy: shown.retryPolicy !== null,
        deadLetterPolicy: shown.deadLetterPolicy !== null,
        pushEndpoint: shown.pushConfig?.pushEndpoint ?? '',
        detached: shown.detached ?? false,
      };
    },
  },
  {
    name: 'a subscription cannot be created twice',
    from: pages.errors,
    documented: 'ALREADY_EXISTS',
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      return codeOf(bench.subscriptions.createSubscription({ name: subscription, topic }));
    },
  },
  {
    name: 'a subscription that does not exist is not found, by whatever call',
    from: pages.errors,
    documented: {
      get: 'NOT_FOUND',
      delete: 'NOT_FOUND',
      update: 'NOT_FOUND',
      pull: 'NOT_FOUND',
      acknowledge: 'NOT_FOUND',
      modifyAckDeadline: 'NOT_FOUND',
      modifyPushConfig: 'NOT_FOUND',
    },
    async observe(bench) {
      const { subscription: other } = await createPair(bench);
      await bench.topics.publish({ topic: bench.topic('events'), messages: [{ data: Buffer.from('a') }] });
      const [response] = await bench.subscriptions.pull({ subscription: other, maxMessages: 1 });
      const ackIds = [response.receivedMessages?.[0]?.ackId ?? ''];
      const subscription = bench.subscription('nowhere');
      return codesOf({
        get: () => bench.subscriptions.getSubscription({ subscription }),
        delete: () => bench.subscriptions.deleteSubscription({ subscription }),
        update: () =>
          bench.subscriptions.updateSubscription({
            subscription: { name: subscription, ackDeadlineSeconds: 20 },
            updateMask: { paths: ['ack_deadline_seconds'] },
          }),
        pull: () => bench.subscriptions.pull({ subscription, maxMessages: 1 }),
        acknowledge: () => bench.subscriptions.acknowledge({ subscription, ackIds }),
        modifyAckDeadline: () =>
          bench.subscriptions.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 10 }),
        modifyPushConfig: () => bench.subscriptions.modifyPushConfig({ subscription, pushConfig: {} }),
      });
    },
  },
  {
    name: 'the ack deadline of a subscription is 10 to 600 seconds',
    from: reference('Subscription.ack_deadline_seconds'),
    documented: {
      '-1': 'INVALID_ARGUMENT',
      9: 'INVALID_ARGUMENT',
      10: 'OK',
      600: 'OK',
      601: 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const create = await tryOut(bench);
      const deadline = (ackDeadlineSeconds: number) => create({ ackDeadlineSeconds });
      return codesOf({
        '-1': deadline(-1),
        9: deadline(9),
        10: deadline(10),
        600: deadline(600),
        601: deadline(601),
      });
    },
  },
  {
    name: 'a subscription retains messages for 10 minutes to 31 days',
    from: reference('Subscription.message_retention_duration'),
    documented: {
      '599 s': 'INVALID_ARGUMENT',
      '600 s': 'OK',
      '31 days': 'OK',
      '31 days and 1 s': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const create = await tryOut(bench);
      const retain = (seconds: number) => create({ messageRetentionDuration: { seconds } });
      return codesOf({
        '599 s': retain(599),
        '600 s': retain(600),
        '31 days': retain(31 * 86_400),
        '31 days and 1 s': retain(31 * 86_400 + 1),
      });
    },
  },
  {
    name: 'a subscription expires after a day or more without use, or never',
    from: reference('Subscription.expiration_policy'),
    documented: { 'a day less 1 s': 'INVALID_ARGUMENT', 'a day': 'OK', never: 'OK', shownAs: 'no ttl' },
    async observe(bench) {
      const create = await tryOut(bench);
      const codes = await codesOf({
        'a day less 1 s': create({ expirationPolicy: { ttl: { seconds: 86_399 } } }),
        'a day': create({ expirationPolicy: { ttl: { seconds: 86_400 } } }),
        never: create({ expirationPolicy: {} }),
      });
      const [shown] = await bench.subscriptions.getSubscription({
        subscription: bench.subscription('made-3'),
      });
      const { expirationPolicy } = shown;
      return { ...codes, shownAs: expirationPolicy && !expirationPolicy.ttl ? 'no ttl' : 'a ttl' };
    },
  },
  {
    name: 'a dead-letter policy allows 5 to 100 delivery attempts, 0 meaning 5, to a topic that exists',
    from: reference('DeadLetterPolicy'),
    documented: {
      4: 'INVALID_ARGUMENT',
      5: 'OK',
      100: 'OK',
      101: 'INVALID_ARGUMENT',
      0: 'OK',
      shownFor0: 5,
      'no such topic': 'NOT_FOUND',
      'no name': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const create = await tryOut(bench);
      const attempts = (maxDeliveryAttempts: number, deadLetterTopic = bench.topic('events')) =>
        create({ deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts } });
      const codes = await codesOf({
        4: attempts(4),
        5: attempts(5),
        100: attempts(100),
        101: attempts(101),
        'no such topic': attempts(5, bench.topic('nowhere')),
        'no name': attempts(5, 'nonsense'),
      });
      const [shown] = await attempts(0)();
      return { ...codes, 0: 'OK', shownFor0: shown.deadLetterPolicy?.maxDeliveryAttempts ?? 0 };
    },
  },
  {
    name: 'a retry policy waits 0 to 600 seconds, by default 10 to 600',
    from: reference('RetryPolicy'),
    documented: {
      '0 to 600': 'OK',
      '600 to 600': 'OK',
      'minimum 601': 'INVALID_ARGUMENT',
      'maximum 601': 'INVALID_ARGUMENT',
      'minimum -1': 'INVALID_ARGUMENT',
      'minimum over maximum': 'INVALID_ARGUMENT',
      default: ['10', '600'],
    },
    async observe(bench) {
      const create = await tryOut(bench);
      const backoff = (minimum: number, maximum: number) =>
        create({
          retryPolicy: { minimumBackoff: { seconds: minimum }, maximumBackoff: { seconds: maximum } },
        });
      const codes = await codesOf({
        '0 to 600': backoff(0, 600),
        '600 to 600': backoff(600, 600),
        'minimum 601': backoff(601, 601),
        'maximum 601': backoff(10, 601),
        'minimum -1': backoff(-1, 10),
        'minimum over maximum': backoff(20, 10),
      });
      const [{ retryPolicy }] = await create({ retryPolicy: {} })();
      const shown = [retryPolicy?.minimumBackoff?.seconds, retryPolicy?.maximumBackoff?.seconds];
      return { ...codes, default: shown.map(String) };
    },
  },
  {
    name: 'an update of a subscription changes what its mask names and nothing else',
    from: reference('Subscriber.UpdateSubscription'),
    documented: {
      changed: { ackDeadlineSeconds: 30, retention: '3600', attempts: 7, labels: { a: 'b' } },
      cleared: { retryPolicy: false, deadLetterPolicy: false, ackDeadlineSeconds: 30 },
    },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench, { labels: { a: 'b' }, ackDeadlineSeconds: 20 });
      await bench.subscriptions.updateSubscription({
        subscription: {
          name: subscription,
          ackDeadlineSeconds: 30,
          retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 2 } },
          deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts: 7 },
          messageRetentionDuration: { seconds: 3600 },
          labels: { ignored: 'yes' },
        },
        updateMask: {
          paths: ['ack_deadline_seconds', 'retry_policy', 'dead_letter_policy', 'message_retention_duration'],
        },
      });
      const [changed] = await bench.subscriptions.getSubscription({ subscription });
      await bench.subscriptions.updateSubscription({
        subscription: { name: subscription },
        updateMask: { paths: ['retry_policy', 'dead_letter_policy'] },
      });
      const [cleared] = await bench.subscriptions.getSubscription({ subscription });
      return {
        changed: {
          ackDeadlineSeconds: changed.ackDeadlineSeconds ?? 0,
          retention: String(changed.messageRetentionDuration?.seconds),
          attempts: changed.deadLetterPolicy?.maxDeliveryAttempts ?? 0,
          labels: { ...changed.labels },
        },
        cleared: {
          retryPolicy: cleared.retryPolicy !== null,
          deadLetterPolicy: cleared.deadLetterPolicy !== null,
          ackDeadlineSeconds: cleared.ackDeadlineSeconds ?? 0,
        },
      };
    },
  },
  {
    name: 'an update of a subscription needs a mask of known fields that may change',
    from: reference('UpdateSubscriptionRequest'),
    documented: {
      empty: 'INVALID_ARGUMENT',
      unknown: 'INVALID_ARGUMENT',
      name: 'INVALID_ARGUMENT',
      topic: 'INVALID_ARGUMENT',
      filter: 'INVALID_ARGUMENT',
      'a bad value': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const update =
        (paths: string[], settings: object = {}) =>
        () =>
          bench.subscriptions.updateSubscription({
            subscription: { name: subscription, ackDeadlineSeconds: 20, ...settings },
            updateMask: { paths },
          });
      return codesOf({
        empty: update([]),
        unknown: update(['colour']),
        name: update(['name']),
        topic: update(['topic'], { topic: bench.topic('other') }),
        filter: update(['filter'], { filter: 'attributes:a' }),
        'a bad value': update(['ack_deadline_seconds'], { ackDeadlineSeconds: 5 }),
      });
    },
  },
  {
    name: 'an update may not name a dead-letter topic that does not exist, and does not need the topic of the subscription',
    from: reference('DeadLetterPolicy.dead_letter_topic'),
    documented: { 'no such topic': 'NOT_FOUND', 'topic deleted': 'OK' },
    async observe(bench) {
      const { topic, subscription: name } = await createPair(bench);
      const deadLetterPolicy = { deadLetterTopic: bench.topic('nowhere'), maxDeliveryAttempts: 5 };
      const update = (path: string, settings: object) =>
        bench.subscriptions.updateSubscription({
          subscription: { name, ...settings },
          updateMask: { paths: [path] },
        });
      const code = await codeOf(update('dead_letter_policy', { deadLetterPolicy }));
      await bench.topics.deleteTopic({ topic });
      return {
        'no such topic': code,
        'topic deleted': await codeOf(update('ack_deadline_seconds', { ackDeadlineSeconds: 30 })),
      };
    },
  },
  {
    name: 'subscriptions are listed in pages, each once, and only those of the project',
    from: reference('Subscriber.ListSubscriptions'),
    documented: { pages: [2, 1], subscriptions: ['s-1', 's-2', 's-3'] },
    async observe(bench) {
      const topic = bench.topic('events');
      await bench.topics.createTopic({ name: topic });
      for (const id of ['s-1', 's-2', 's-3']) {
        await bench.subscriptions.createSubscription({ name: bench.subscription(id), topic });
      }
      const other = `${bench.project}-other/subscriptions/other`;
      await bench.subscriptions.createSubscription({ name: other, topic });
      const found = await pagesOf(async (pageToken) => {
        const request = { project: bench.project, pageSize: 2, pageToken };
        const once = { autoPaginate: false };
        const [listed, , response] = await bench.subscriptions.listSubscriptions(request, once);
        return { items: listed, nextPageToken: response?.nextPageToken ?? '' };
      });
      return {
        pages: found.map((page) => page.length),
        subscriptions: found
          .flat()
          .map((one) => one.name?.split('/').at(-1) ?? '')
          .sort(),
      };
    },
  },
  {
    name: "a subscription shows its topic's retention",
    from: reference('Subscription.topic_message_retention_duration'),
    documented: '1200',
    async observe(bench) {
      const topic = bench.topic('events');
      const subscription = bench.subscription('all');
      await bench.topics.createTopic({ name: topic, messageRetentionDuration: { seconds: 1200 } });
      await bench.subscriptions.createSubscription({ name: subscription, topic });
      const [shown] = await bench.subscriptions.getSubscription({ subscription });
      return String(shown.topicMessageRetentionDuration?.seconds);
    },
  },
  {
    name: 'a deleted subscription is gone with its messages, and its name may be used again',
    from: reference('Subscriber.DeleteSubscription'),
    documented: { get: 'NOT_FOUND', again: 'OK', received: 0 },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      await bench.topics.publish({ topic, messages: [{ data: Buffer.from('a') }] });
      await bench.subscriptions.deleteSubscription({ subscription });
      const codes = await codesOf({
        get: () => bench.subscriptions.getSubscription({ subscription }),
        again: () => bench.subscriptions.createSubscription({ name: subscription, topic }),
      });
      const [response] = await bench.subscriptions.pull({
        subscription,
        maxMessages: 1,
        returnImmediately: true,
      });
      return { ...codes, received: response.receivedMessages?.length ?? 0 };
    },
  },
];
