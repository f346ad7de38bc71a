import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bench, Case, Observation } from './case.ts';
import { reference } from './case.ts';
import { createPair, describeFailure, eventually, publish, pull, pullForAMoment } from './observe.ts';

interface StreamAnswer {
  readonly receivedMessages?: readonly {
    readonly ackId: string;
    readonly message: { readonly data: Buffer };
  }[];
}

/** A StreamingPull as the wire has it, without the client's own leases and reconnecting. */
function openStream(bench: Bench) {
  const stream = bench.subscriptions.streamingPull();
  const received: { ackId: string; text: string }[] = [];
  let ended: string | undefined;
  stream.on('data', (answer: StreamAnswer) => {
    for (const one of answer.receivedMessages ?? []) {
      received.push({ ackId: one.ackId, text: one.message.data.toString() });
    }
  });
  stream.on('error', (error: unknown) => {
    ended ??= describeFailure(error);
  });
  return {
    received,
    send: (request: object) => {
      stream.write(request);
    },
    /** The code that the stream ended with. */
    ended: () => ended,
    cancel: () => stream.cancel(),
  };
}

const open = { streamAckDeadlineSeconds: 10 };

/**
 * What the stream is refused when these requests are written to it; `open` when it delivers what is published to
 * `events` after that.
 */
async function refusalOf(bench: Bench, ...requests: readonly object[]): Promise<string> {
  const stream = openStream(bench);
  for (const request of requests) {
    stream.send(request);
    await wait(50);
  }
  const text = randomUUID();
  await publish(bench, text);
  const isAlive = () => stream.received.some((one) => one.text === text);
  await eventually(() => isAlive() || stream.ended() !== undefined);
  if (isAlive()) await wait(300);
  const refusal = stream.ended() ?? 'open';
  stream.cancel();
  return refusal;
}

/** StreamingPull. */
export const streamCases: readonly Case[] = [
  {
    name: 'a stream delivers what the client acknowledges once, and what it nacks again',
    from: 'cloud.google.com/pubsub/docs/pull#streamingpull_api',
    documented: { good: 1, bad: 'again' },
    async observe(bench) {
      await createPair(bench);
      const seen: Record<string, number> = { good: 0, bad: 0 };
      const stream = bench.client.subscription('all');
      const failed: unknown[] = [];
      stream.on('error', (error) => failed.push(error));
      stream.on('message', (message) => {
        const text = message.data.toString();
        seen[text] = (seen[text] ?? 0) + 1;
        if (text === 'bad' && seen.bad === 1) message.nack();
        else message.ack();
      });
      await publish(bench, 'good', 'bad');
      await eventually(() => (seen.bad ?? 0) >= 2);
      await wait(300);
      await stream.close();
      if (failed.length > 0) return describeFailure(failed[0]);
      return { good: seen.good ?? 0, bad: (seen.bad ?? 0) >= 2 ? 'again' : 'once' };
    },
  },
  {
    name: 'a stream has no more messages outstanding than it asked for, and more as they are acknowledged',
    from: reference('StreamingPullRequest.max_outstanding_messages'),
    documented: { outstanding: 3, afterAcknowledging: 5 },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, '1', '2', '3', '4', '5');
      const stream = openStream(bench);
      stream.send({ subscription, ...open, maxOutstandingMessages: 3 });
      await eventually(() => stream.received.length >= 3);
      await wait(700);
      const outstanding = stream.received.length;
      stream.send({ ackIds: stream.received.map((one) => one.ackId) });
      await eventually(() => stream.received.length >= 5);
      stream.cancel();
      return { outstanding, afterAcknowledging: stream.received.length };
    },
  },
  {
    name: 'a stream stops at the outstanding bytes it asked for',
    from: reference('StreamingPullRequest.max_outstanding_bytes'),
    documented: ['0123456789012'],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const stream = openStream(bench);
      stream.send({ subscription, ...open, maxOutstandingBytes: 10 });
      await publish(bench, '0123456789012');
      await eventually(() => stream.received.length >= 1);
      await publish(bench, 'next');
      await wait(700);
      stream.cancel();
      return stream.received.map((one) => one.text);
    },
  },
  {
    name: 'a stream with 0 or a negative number of outstanding messages has no limit',
    from: reference('StreamingPullRequest.max_outstanding_messages'),
    documented: { 0: 20, '-1': 20 },
    async observe(bench) {
      const { topic } = await createPair(bench);
      const texts = Array.from({ length: 20 }, (_, index) => String(index));
      const receivedWith = async (maxOutstandingMessages: number, id: string) => {
        const subscription = bench.subscription(id);
        await bench.subscriptions.createSubscription({ name: subscription, topic });
        await publish(bench, ...texts);
        const stream = openStream(bench);
        stream.send({ subscription, ...open, maxOutstandingMessages });
        await eventually(() => stream.received.length >= 20);
        stream.cancel();
        return stream.received.length;
      };
      const [zero, negative] = [await receivedWith(0, 'zero'), await receivedWith(-1, 'negative')];
      return { 0: zero, '-1': negative };
    },
  },
  {
    name: 'a stream tells the delivery attempt when there is a dead-letter policy',
    from: reference('ReceivedMessage.delivery_attempt'),
    documented: [1, 2, 3],
    async observe(bench) {
      const deadLetterTopic = bench.topic('dead');
      await bench.topics.createTopic({ name: deadLetterTopic });
      await createPair(bench, { deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 50 } });
      const attempts: number[] = [];
      const stream = bench.client.subscription('all');
      stream.on('error', () => {});
      stream.on('message', (message) => {
        attempts.push(message.deliveryAttempt);
        if (attempts.length < 3) message.nack();
        else message.ack();
      });
      await publish(bench, 'a');
      await eventually(() => attempts.length >= 3);
      await stream.close();
      return attempts.slice(0, 3);
    },
  },
  {
    name: 'the first request of a stream names a subscription that exists and a deadline of 10 to 600 seconds',
    from: reference('StreamingPullRequest'),
    documented: {
      'no subscription': 'INVALID_ARGUMENT',
      'unknown subscription': 'NOT_FOUND',
      'no deadline': 'INVALID_ARGUMENT',
      '9 s': 'INVALID_ARGUMENT',
      '10 s': 'open',
      '600 s': 'open',
      '601 s': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const seconds = (streamAckDeadlineSeconds: number) =>
        refusalOf(bench, { subscription, streamAckDeadlineSeconds });
      return {
        'no subscription': await refusalOf(bench, open),
        'unknown subscription': await refusalOf(bench, { subscription: bench.subscription('none'), ...open }),
        'no deadline': await refusalOf(bench, { subscription }),
        '9 s': await seconds(9),
        '10 s': await seconds(10),
        '600 s': await seconds(600),
        '601 s': await seconds(601),
      };
    },
  },
  {
    name: 'later requests of a stream may not set what belongs in the first',
    from: reference('StreamingPullRequest'),
    documented: {
      subscription: 'INVALID_ARGUMENT',
      maxOutstandingMessages: 'INVALID_ARGUMENT',
      maxOutstandingBytes: 'INVALID_ARGUMENT',
      protocolVersion: 'INVALID_ARGUMENT',
      streamAckDeadlineSeconds: 'open',
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const later = (request: object) => refusalOf(bench, { subscription, ...open }, request);
      return {
        subscription: await later({ subscription }),
        maxOutstandingMessages: await later({ maxOutstandingMessages: 5 }),
        maxOutstandingBytes: await later({ maxOutstandingBytes: 5 }),
        protocolVersion: await later({ protocolVersion: 1 }),
        streamAckDeadlineSeconds: await later({ streamAckDeadlineSeconds: 20 }),
      };
    },
  },
  {
    name: 'a stream is aborted by a malformed ack id, a negative deadline, and deadlines that are not as many as ids',
    from: reference('StreamingPullRequest'),
    documented: {
      'malformed ack id': 'INVALID_ARGUMENT',
      'deadline -1': 'INVALID_ARGUMENT',
      'fewer deadlines': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const ackId = (await pull(bench, subscription))[0]?.ackId ?? '';
      const later = (request: object) => refusalOf(bench, { subscription, ...open }, request);
      return {
        'malformed ack id': await later({ ackIds: ['Nonsense!'] }),
        'deadline -1': await later({ modifyDeadlineAckIds: [ackId], modifyDeadlineSeconds: [-1] }),
        'fewer deadlines': await later({ modifyDeadlineAckIds: [ackId], modifyDeadlineSeconds: [] }),
      };
    },
  },
  {
    name: 'a stream acknowledges and gives back what was pulled elsewhere',
    from: reference('StreamingPullRequest.ack_ids'),
    documented: { again: ['nacked'] },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'acknowledged', 'nacked');
      const pulled = await pull(bench, subscription, 2);
      const ackIdOf = (text: string) => pulled.find((one) => one.text === text)?.ackId ?? '';
      const stream = openStream(bench);
      stream.send({ subscription, ...open, ackIds: [ackIdOf('acknowledged')] });
      await wait(200);
      stream.send({ modifyDeadlineAckIds: [ackIdOf('nacked')], modifyDeadlineSeconds: [0] });
      await eventually(() => stream.received.length >= 1);
      stream.cancel();
      return { again: stream.received.map((one) => one.text) };
    },
  },
  {
    name: 'what a stream leased comes back when the stream is gone and its deadline passes',
    from: 'cloud.google.com/pubsub/docs/pull#streamingpull_api',
    documented: { leased: 'a', before: [], after: ['a'] },
    async observe(bench) {
      const { subscription } = await createPair(bench, { ackDeadlineSeconds: 600 });
      await publish(bench, 'a');
      const stream = openStream(bench);
      stream.send({ subscription, ...open });
      await eventually(() => stream.received.length >= 1);
      const leased = stream.received[0];
      stream.cancel();
      const before = await pullForAMoment(bench, subscription);
      await bench.subscriptions.modifyAckDeadline({
        subscription,
        ackIds: [leased?.ackId ?? ''],
        ackDeadlineSeconds: 1,
      });
      const after = await pull(bench, subscription);
      return { leased: leased?.text ?? '', before, after: after.map((one) => one.text) };
    },
  },
  {
    name: 'a stream ends with NOT_FOUND when its subscription is deleted, and with FAILED_PRECONDITION when it pushes',
    from: 'cloud.google.com/pubsub/docs/reference/error-codes',
    documented: { deleted: 'NOT_FOUND', push: 'FAILED_PRECONDITION' },
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      const stream = openStream(bench);
      stream.send({ subscription, ...open });
      await wait(300);
      await bench.subscriptions.deleteSubscription({ subscription });
      await eventually(() => stream.ended() !== undefined);
      const deleted = stream.ended() ?? 'open';
      const { url } = await bench.endpoint();
      const push = bench.subscription('push');
      await bench.subscriptions.createSubscription({ name: push, topic, pushConfig: { pushEndpoint: url } });
      return { deleted, push: await refusalOf(bench, { subscription: push, ...open }) };
    },
  },
  {
    name: 'two streams share a backlog without a message going to both',
    from: 'cloud.google.com/pubsub/docs/subscription-overview',
    documented: { received: 40, different: 40 } satisfies Observation,
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const streams = [openStream(bench), openStream(bench)];
      for (const stream of streams) stream.send({ subscription, ...open });
      await wait(200);
      await publish(bench, ...Array.from({ length: 40 }, (_, index) => `m${index}`));
      const texts = () => streams.flatMap((stream) => stream.received.map((one) => one.text));
      await eventually(() => new Set(texts()).size >= 40);
      await wait(200);
      for (const stream of streams) stream.cancel();
      return { received: texts().length, different: new Set(texts()).size };
    },
  },
];
