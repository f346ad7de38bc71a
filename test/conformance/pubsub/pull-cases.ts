import { setTimeout as wait } from 'node:timers/promises';
import { type Case, pages, reference } from './case.ts';
import {
  acknowledge,
  changeDeadline,
  codeOf,
  codesOf,
  createPair,
  publish,
  pull,
  pullForAMoment,
} from './observe.ts';

const deadLetterPolicy = (deadLetterTopic: string) => ({ deadLetterTopic, maxDeliveryAttempts: 50 });

/** Pulling, acknowledging and leases. */
export const pullCases: readonly Case[] = [
  {
    name: 'an acknowledged message is not delivered again',
    from: reference('Subscriber.Acknowledge'),
    documented: { received: 'a', again: [] },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const pulled = await pull(bench, subscription);
      await acknowledge(bench, subscription, pulled);
      // Were it still leased, it would be back after a second.
      await changeDeadline(bench, subscription, pulled, 1);
      await wait(1_000);
      return { received: pulled[0]?.text ?? '', again: await pullForAMoment(bench, subscription) };
    },
  },
  {
    name: 'a message is not delivered again before its deadline passes, and again after it, under the same id',
    from: pages.leases,
    documented: { before: [], after: 'a', sameId: true, sameAckId: false },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const first = await pull(bench, subscription);
      const before = await pullForAMoment(bench, subscription);
      await changeDeadline(bench, subscription, first, 1);
      const [second] = await pull(bench, subscription);
      return {
        before,
        after: second?.text ?? '',
        sameId: second?.id === first[0]?.id,
        sameAckId: second?.ackId === first[0]?.ackId,
      };
    },
  },
  {
    name: 'a deadline of 0 gives a message back at once',
    from: reference('ModifyAckDeadlineRequest.ack_deadline_seconds'),
    documented: ['a'],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      await changeDeadline(bench, subscription, await pull(bench, subscription), 0);
      return (await pull(bench, subscription, 1, 5_000)).map((one) => one.text);
    },
  },
  {
    name: 'a deadline that is moved keeps a message from being delivered again',
    from: pages.leases,
    documented: [],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const pulled = await pull(bench, subscription);
      await changeDeadline(bench, subscription, pulled, 1);
      await changeDeadline(bench, subscription, pulled, 60);
      await wait(1_500);
      return pullForAMoment(bench, subscription);
    },
  },
  {
    name: 'acknowledging twice, or after the deadline, is no error',
    from: reference('Subscriber.Acknowledge'),
    documented: { twice: 'OK', late: 'OK', 'deadline late': 'OK' },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a', 'b');
      const [first, second] = await pull(bench, subscription, 2);
      await acknowledge(bench, subscription, [first!]);
      const twice = await codeOf(acknowledge(bench, subscription, [first!]));
      await changeDeadline(bench, subscription, [second!], 1);
      const [again] = await pull(bench, subscription);
      const late = await codeOf(acknowledge(bench, subscription, [second!]));
      await acknowledge(bench, subscription, [again!]);
      return {
        twice,
        late,
        'deadline late': await codeOf(changeDeadline(bench, subscription, [second!], 10)),
      };
    },
  },
  {
    name: 'ack ids are needed and must be well-formed, deadlines are 0 to 600 seconds',
    from: pages.errors,
    documented: {
      'no ack id': 'INVALID_ARGUMENT',
      'a malformed one': 'INVALID_ARGUMENT',
      'no ack id to extend': 'INVALID_ARGUMENT',
      'a malformed one to extend': 'INVALID_ARGUMENT',
      'deadline -1': 'INVALID_ARGUMENT',
      'deadline 600': 'OK',
      'deadline 601': 'INVALID_ARGUMENT',
    },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const [pulled] = await pull(bench, subscription);
      const acks = (ackIds: string[]) => () => bench.subscriptions.acknowledge({ subscription, ackIds });
      const extend = (ackIds: string[], ackDeadlineSeconds: number) => () =>
        bench.subscriptions.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds });
      const good = [pulled?.ackId ?? ''];
      return codesOf({
        'no ack id': acks([]),
        'a malformed one': acks(['Nonsense!']),
        'no ack id to extend': extend([], 10),
        'a malformed one to extend': extend(['Nonsense!'], 10),
        'deadline -1': extend(good, -1),
        'deadline 600': extend(good, 600),
        'deadline 601': extend(good, 601),
      });
    },
  },
  {
    name: 'a pull asks for a positive number of messages and gets no more than that',
    from: reference('PullRequest.max_messages'),
    documented: { 0: 'INVALID_ARGUMENT', '-1': 'INVALID_ARGUMENT', most: 2 },
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a', 'b', 'c', 'd');
      const ask = (maxMessages: number) => () =>
        bench.subscriptions.pull({ subscription, maxMessages, returnImmediately: true });
      const codes = await codesOf({ 0: ask(0), '-1': ask(-1) });
      await wait(300);
      const [response] = await ask(2)();
      return { ...codes, most: response.receivedMessages?.length ?? 0 };
    },
  },
  {
    name: 'a pull waits for a message',
    from: reference('PullRequest.return_immediately'),
    documented: 'a',
    async observe(bench) {
      const { subscription } = await createPair(bench);
      const waiting = bench.subscriptions.pull({ subscription, maxMessages: 10 }, { timeout: 10_000 });
      await wait(400);
      await publish(bench, 'a');
      const [response] = await waiting;
      return Buffer.from(response.receivedMessages?.[0]?.message?.data ?? '').toString();
    },
  },
  {
    name: 'a message that one has pulled is not given to another',
    from: pages.leases,
    documented: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, ...Array.from({ length: 10 }, (_, index) => String(index)));
      const both = await Promise.all([pull(bench, subscription, 6, 700), pull(bench, subscription, 6, 700)]);
      return both
        .flat()
        .map((one) => one.text)
        .sort();
    },
  },
  {
    name: 'the delivery attempt is counted, by nacks and by deadlines that passed, when there is a dead-letter policy',
    from: reference('ReceivedMessage.delivery_attempt'),
    documented: [1, 2, 3],
    async observe(bench) {
      const { topic, subscription } = await createPair(bench);
      const counted = bench.subscription('counted');
      await bench.subscriptions.createSubscription({
        name: counted,
        topic,
        deadLetterPolicy: deadLetterPolicy(topic),
      });
      await publish(bench, 'a');
      const first = await pull(bench, counted);
      await changeDeadline(bench, counted, first, 0);
      const second = await pull(bench, counted);
      await changeDeadline(bench, counted, second, 1);
      const third = await pull(bench, counted);
      await bench.subscriptions.deleteSubscription({ subscription });
      return [first, second, third].map(([one]) => one?.attempt ?? -1);
    },
  },
  {
    name: 'without a dead-letter policy the delivery attempt is 0',
    from: reference('ReceivedMessage.delivery_attempt'),
    documented: [0, 0],
    async observe(bench) {
      const { subscription } = await createPair(bench);
      await publish(bench, 'a');
      const first = await pull(bench, subscription);
      await changeDeadline(bench, subscription, first, 0);
      const second = await pull(bench, subscription);
      return [first, second].map(([one]) => one?.attempt ?? -1);
    },
  },
  {
    name: 'what is pulled from a push subscription is refused',
    from: pages.errors,
    documented: { pull: 'FAILED_PRECONDITION' },
    async observe(bench) {
      const { url } = await bench.endpoint();
      const { subscription } = await createPair(bench, { pushConfig: { pushEndpoint: url } });
      const request = { subscription, maxMessages: 1, returnImmediately: true };
      return codesOf({ pull: () => bench.subscriptions.pull(request) });
    },
  },
];
