import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Bench, Message, Observation, SubscriptionSettings } from './case.ts';

/** The name of the code a call ends with: OK, or what refused it; UNIMPLEMENTED with its details, which name the thing. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    return describeFailure(error);
  }
}

/** How a gRPC error is observed; any other error is thrown on. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') throw error;
  const name = status[error.code] ?? String(error.code);
  return error.code === status.UNIMPLEMENTED && 'details' in error ? `${name}: ${error.details}` : name;
}

/** The codes of several calls, made one after the other. */
export async function codesOf<Name extends string>(
  calls: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<string, Observation>> {
  const codes: Record<string, Observation> = {};
  for (const [name, call] of Object.entries<() => Promise<unknown>>(calls))
    codes[name] = await codeOf(call());
  return codes;
}

/** Creates the topic `events` and, with these settings, the subscription `all`; both names are answered. */
export async function createPair(bench: Bench, settings: SubscriptionSettings = {}) {
  const topic = bench.topic('events');
  const subscription = bench.subscription('all');
  await bench.topics.createTopic({ name: topic });
  await bench.subscriptions.createSubscription({ name: subscription, topic, ...settings });
  return { topic, subscription };
}

/** Publishes to `events` in one request and answers the ids. */
export async function publish(bench: Bench, ...messages: readonly (Message | string)[]): Promise<string[]> {
  const [response] = await bench.topics.publish({
    topic: bench.topic('events'),
    messages: messages.map((one) => (typeof one === 'string' ? { data: Buffer.from(one) } : one)),
  });
  return response.messageIds ?? [];
}

export interface Pulled {
  readonly ackId: string;
  readonly id: string;
  readonly text: string;
  readonly data: Buffer;
  readonly attributes: Record<string, string>;
  readonly publishSeconds: number;
  readonly orderingKey: string;
  readonly attempt: number;
}

/** Pulls until `count` messages came or the time is over; generous, since only what never comes waits it out. */
export async function pull(
  bench: Bench,
  subscription: string,
  count = 1,
  withinMs = 10_000,
): Promise<Pulled[]> {
  const end = Date.now() + withinMs;
  const pulled: Pulled[] = [];
  for (;;) {
    const [{ receivedMessages }] = await bench.subscriptions.pull({
      subscription,
      maxMessages: count - pulled.length,
      returnImmediately: true,
    });
    for (const { ackId, message, deliveryAttempt } of receivedMessages ?? []) {
      const data = Buffer.from(message?.data ?? '');
      pulled.push({
        ackId: ackId ?? '',
        id: message?.messageId ?? '',
        text: data.toString(),
        data,
        attributes: { ...message?.attributes },
        publishSeconds: Number(message?.publishTime?.seconds ?? 0),
        orderingKey: message?.orderingKey ?? '',
        attempt: deliveryAttempt ?? 0,
      });
    }
    if (pulled.length >= count || Date.now() > end) return pulled;
    await wait(25);
  }
}

/** The texts of what comes within a moment; empty says that nothing does. */
export async function pullForAMoment(bench: Bench, subscription: string): Promise<string[]> {
  const pulled = await pull(bench, subscription, 100, 700);
  return pulled.map((one) => one.text);
}

export async function acknowledge(bench: Bench, subscription: string, pulled: readonly Pulled[]) {
  await bench.subscriptions.acknowledge({ subscription, ackIds: pulled.map((one) => one.ackId) });
}

export async function changeDeadline(
  bench: Bench,
  subscription: string,
  pulled: readonly Pulled[],
  ackDeadlineSeconds: number,
) {
  const ackIds = pulled.map((one) => one.ackId);
  await bench.subscriptions.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds });
}

/** Whether the condition comes to hold; waits ten seconds at most. */
export async function eventually(condition: () => boolean, withinMs = 10_000): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) return false;
    await wait(10);
  }
  return true;
}

/** Every page of a list. */
export async function pagesOf<Item>(
  call: (pageToken: string) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
): Promise<Item[][]> {
  const found: Item[][] = [];
  let token = '';
  do {
    const { items, nextPageToken } = await call(token);
    found.push([...items]);
    token = nextPageToken;
  } while (token !== '' && found.length < 20);
  return found;
}
