import { type Bench, type Case, pages, reference } from './case.ts';
import { changeDeadline, createPair, eventually, publish, pull, pullForAMoment } from './observe.ts';

/** The topic `dead` with the subscription `graves`, and a subscription on `events` that forwards there. */
async function createDeadLetters(bench: Bench, settings: object = {}) {
  const deadLetterTopic = bench.topic('dead');
  const graves = bench.subscription('graves');
  await bench.topics.createTopic({ name: deadLetterTopic });
  await bench.subscriptions.createSubscription({ name: graves, topic: deadLetterTopic });
  const pair = await createPair(bench, {
    deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 5 },
    ...settings,
  });
  return { ...pair, graves, deadLetterTopic };
}

/** Pulls and gives back until no more comes; answers the attempts seen. */
async function nackUntilGone(bench: Bench, subscription: string, most: number): Promise<number[]> {
  const attempts: number[] = [];
  while (attempts.length < most) {
    const pulled = await pull(bench, subscription, 1, 3_000);
    if (pulled[0] === undefined) break;
    attempts.push(pulled[0].attempt);
    await changeDeadline(bench, subscription, pulled, 0);
  }
  return attempts;
}

/** So long that no stall of a busy machine is taken for it. */
const eightSeconds = { minimumBackoff: { seconds: 8 }, maximumBackoff: { seconds: 8 } };

/** Dead letters and the retry policy. */
export const failureCases: readonly Case[] = [
  {
    name: 'a message that fails as often as allowed goes to the dead-letter topic and leaves the subscription',
    from: pages.deadLetters,
    documented: { attempts: [1, 2, 3, 4, 5], forwarded: ['poison'], newId: true, left: [] },
    async observe(bench) {
      const { subscription, graves } = await createDeadLetters(bench);
      const [id] = await publish(bench, 'poison');
      const attempts = await nackUntilGone(bench, subscription, 8);
      const forwarded = await pull(bench, graves);
      return {
        attempts,
        forwarded: forwarded.map((one) => one.text),
        newId: forwarded[0] !== undefined && forwarded[0].id !== id,
        left: await pullForAMoment(bench, subscription),
      };
    },
  },
  {
    name: 'a message whose deadline passes as often as allowed goes to the dead-letter topic too',
    from: reference('DeadLetterPolicy.max_delivery_attempts'),
    documented: { attempts: [1, 2, 3, 4, 5], forwarded: ['slow'] },
    async observe(bench) {
      const { subscription, graves } = await createDeadLetters(bench);
      await publish(bench, 'slow');
      const attempts: number[] = [];
      while (attempts.length < 8) {
        const pulled = await pull(bench, subscription, 1, 5_000);
        if (pulled[0] === undefined) break;
        attempts.push(pulled[0].attempt);
        await changeDeadline(bench, subscription, pulled, 1);
      }
      return { attempts, forwarded: (await pull(bench, graves)).map((one) => one.text) };
    },
  },
  {
    name: 'a dead letter keeps its attributes and says where it came from',
    from: pages.deadLetters,
    documented: {
      mine: 'kept',
      CloudPubSubDeadLetterSourceDeliveryCount: '5',
      CloudPubSubDeadLetterSourceSubscription: 'all',
      CloudPubSubDeadLetterSourceSubscriptionProject: 'own project',
      CloudPubSubDeadLetterSourceTopicPublishTime: 'a time',
    },
    async observe(bench) {
      const { subscription, graves } = await createDeadLetters(bench);
      await publish(bench, { data: Buffer.from('poison'), attributes: { mine: 'kept' } });
      await nackUntilGone(bench, subscription, 8);
      const [forwarded] = await pull(bench, graves);
      const attributes = { ...forwarded?.attributes };
      const project = 'CloudPubSubDeadLetterSourceSubscriptionProject';
      if (`projects/${attributes[project]}` === bench.project) attributes[project] = 'own project';
      const time = 'CloudPubSubDeadLetterSourceTopicPublishTime';
      if (Math.abs(Date.parse(attributes[time] ?? '') - Date.now()) < 300_000) attributes[time] = 'a time';
      return attributes;
    },
  },
  {
    name: 'a message is kept while the dead-letter topic does not exist',
    from: pages.deadLetters,
    documented: { attempts: 'more than 5' },
    async observe(bench) {
      const { subscription, deadLetterTopic } = await createDeadLetters(bench);
      await bench.topics.deleteTopic({ topic: deadLetterTopic });
      await publish(bench, 'poison');
      const attempts = await nackUntilGone(bench, subscription, 7);
      return { attempts: attempts.length > 5 ? 'more than 5' : attempts.length };
    },
  },
  {
    name: 'without a retry policy a message that failed is delivered again at once',
    from: pages.retry,
    documented: ['a'],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      await changeDeadline(bench, subscription, await pull(bench, subscription), 0);
      return pullForAMoment(bench, subscription);
    },
  },
  {
    name: 'with a retry policy a message that failed waits at least the minimum backoff, others do not',
    from: pages.retry,
    documented: { again: 'after the backoff', others: 'meanwhile' },
    async observe(bench) {
      const { subscription } = await createPair(bench, { retryPolicy: eightSeconds });
      await publish(bench, 'failed');
      const failed = await pull(bench, subscription);
      const given = Date.now();
      await changeDeadline(bench, subscription, failed, 0);
      await publish(bench, 'other');
      const texts: string[] = [];
      while (!texts.includes('failed')) {
        const pulled = await pull(bench, subscription, 1, 15_000);
        if (pulled[0] === undefined) return { again: 'never' };
        texts.push(pulled[0].text);
      }
      if (Date.now() - given < 8_000) return { again: 'too soon' };
      return { again: 'after the backoff', others: texts[0] === 'other' ? 'meanwhile' : 'after it' };
    },
  },
  {
    name: 'the retry policy also holds for a message whose deadline passed',
    from: reference('Subscription.retry_policy'),
    documented: 'after the backoff',
    async observe(bench) {
      const { subscription } = await createPair(bench, { retryPolicy: eightSeconds });
      await publish(bench, 'failed');
      const failed = await pull(bench, subscription);
      const given = Date.now();
      await changeDeadline(bench, subscription, failed, 1);
      const again = await pull(bench, subscription, 1, 20_000);
      if (again.length === 0) return 'never';
      return Date.now() - given < 8_000 ? 'too soon' : 'after the backoff';
    },
  },
  {
    name: 'a push that fails as often as allowed goes to the dead-letter topic',
    from: pages.deadLetters,
    documented: { pushes: 5, forwarded: ['poison'] },
    async observe(bench) {
      const endpoint = await bench.endpoint(() => 500);
      const { graves } = await createDeadLetters(bench, { pushConfig: { pushEndpoint: endpoint.url } });
      await publish(bench, 'poison');
      const forwarded = await pull(bench, graves, 1, 20_000);
      await eventually(() => endpoint.pushes.length > 5, 300);
      return { pushes: endpoint.pushes.length, forwarded: forwarded.map((one) => one.text) };
    },
  },
  {
    name: 'a dead-letter policy that is set later counts from then on',
    from: pages.deadLetters,
    documented: { before: 0, after: 1 },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      await publish(bench, 'a');
      const first = await pull(bench, subscription);
      await changeDeadline(bench, subscription, first, 0);
      await bench.subscriptions.updateSubscription({
        subscription: {
          name: subscription,
          deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts: 50 },
        },
        updateMask: { paths: ['dead_letter_policy'] },
      });
      const [second] = await pull(bench, subscription);
      return { before: first[0]?.attempt ?? -1, after: second?.attempt ?? -1 };
    },
  },
];
