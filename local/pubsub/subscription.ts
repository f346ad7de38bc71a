import { randomBytes } from 'node:crypto';
import { retryDelay } from './backoff.ts';
import type { Bodies } from './bodies.ts';
import type { Commits } from './commits.ts';
import { milliseconds, type SubscriptionConfig } from './config.ts';
import { createDeadlines } from './deadlines.ts';
import type { PubSubFaults } from './faults.ts';
import { createQueue } from './queue.ts';
import type { Body, Store } from './store.ts';

/** A message that one subscription still has to get acknowledged. */
export interface Entry {
  message: number;
  /** Deliveries that ended in a nack or an expired deadline. */
  failures: number;
  /** Those of them that happened while there was a dead-letter policy: Google counts only then. */
  counted: number;
  /** Milliseconds since the epoch before which it is not delivered again. */
  notBefore: number;
  /** True once acknowledged, dead-lettered or expired. */
  settled: boolean;
}

/** A message handed to a consumer, who acknowledges or fails the entry. */
export interface Taken {
  entry: Entry;
  body: Body;
}

/** Whoever takes messages from a subscription: a waiting pull, a stream, or the push dispatcher. */
export interface Consumer {
  /** How much it takes now; no messages when 0. */
  wants(): { messages: number; bytes: number };
  receive(taken: Taken[]): void;
  /** The subscription was deleted or changed between push and pull. */
  stop(reason: 'deleted' | 'switched' | 'closing'): void;
}

export interface SubscriptionCounts {
  topic: string;
  backlog: number;
  oldestUnackedSeconds: number;
  outstanding: number;
  delivered: number;
  acknowledged: number;
  failed: number;
  deadLettered: number;
  expired: number;
}

export interface Subscription {
  readonly id: number;
  readonly name: string;
  config: SubscriptionConfig;
  /** A message of its topic was committed. */
  offer(message: number): void;
  add(consumer: Consumer): void;
  remove(consumer: Consumer): void;
  /** A consumer may want more than it did. */
  wake(): void;
  acknowledge(entry: Entry): void;
  /** A nack or an expired deadline: dead-letters, delays or redelivers. */
  fail(taken: Taken): void;
  /** How many times the message was delivered, this time included; 0 without a dead-letter policy, as on Google. */
  deliveryAttempt(entry: Entry): number;
  dropExpired(): void;
  stopConsumers(reason: 'deleted' | 'switched' | 'closing'): void;
  /** Names this subscription in ack ids; new in every process, so that old ids stay unknown. */
  readonly ackPrefix: string;
  counts(): SubscriptionCounts;
  close(): void;
}

export interface Surroundings {
  store: Store;
  commits: Commits;
  bodies: Bodies;
  faults: PubSubFaults;
  timeScale: number;
  /** Publishes the copy and settles the original in one transaction; false when the dead-letter topic is missing. */
  deadLetter(subscription: Subscription, taken: Taken): boolean;
}

/** Entries kept in memory beyond those delivered; the rest of a backlog waits in the store. */
const windowSize = 20_000;
const batchMessages = 500;
const batchBytes = 2 * 1024 * 1024;

/** Starts delivering a subscription. What the store holds for it is its backlog. */
export function createSubscription(
  id: number,
  config: SubscriptionConfig,
  { store, commits, bodies, faults, timeScale, deadLetter }: Surroundings,
): Subscription {
  const stored = store.readBacklog(id);
  const tally = { delivered: 0, acknowledged: 0, failed: 0, deadLettered: 0, expired: 0 };
  const consumers: Consumer[] = [];
  let backlog = stored.count;
  let outstanding = 0;
  // Messages up to loadedThrough are in memory (or settled); those after it, up to newest, only in the store.
  let loadedThrough = 0;
  let newest = stored.newest;
  const fresh = createQueue<Entry>();
  const retries = createQueue<Entry>();
  let planned = false;
  let closed = false;

  const delayed = createDeadlines<Entry>(
    (entry) => entry.notBefore,
    (entry) => !entry.settled,
    (entry) => {
      retries.push(entry);
      subscription.wake();
    },
  );

  const refill = () => {
    if (newest <= loadedThrough || fresh.length >= windowSize / 4) return;
    const page = store.readPending(id, loadedThrough, windowSize);
    const now = Date.now();
    for (const row of page) {
      const entry: Entry = { ...row, settled: false };
      if (entry.notBefore > now) delayed.add(entry);
      else fresh.push(entry);
    }
    loadedThrough = page.length < windowSize ? newest : page.at(-1)!.message;
  };

  const next = (): Entry | undefined => {
    const retry = retries.shift();
    if (retry !== undefined) return retry;
    refill();
    return fresh.shift();
  };

  const settle = (entry: Entry) => {
    entry.settled = true;
    backlog--;
    bodies.release(entry.message);
  };

  const take = (wanted: { messages: number; bytes: number }): Taken[] => {
    const taken: Taken[] = [];
    const oldestKept = Date.now() - milliseconds(subscription.config.messageRetentionDuration) / timeScale;
    let bytes = Math.min(wanted.bytes, batchBytes);
    for (let left = Math.min(wanted.messages, batchMessages); left > 0 && bytes > 0; ) {
      const entry = next();
      if (entry === undefined) break;
      if (entry.settled) continue;
      const body = bodies.get(entry.message);
      if (body === undefined || body.published < oldestKept) {
        expire(entry);
        continue;
      }
      taken.push({ entry, body });
      bytes -= body.bytes.length;
      left--;
    }
    outstanding += taken.length;
    tally.delivered += taken.length;
    return taken;
  };

  const expire = (entry: Entry) => {
    settle(entry);
    tally.expired++;
    commits.eventually((write) => write.settle(id, entry.message));
  };

  const dispatch = () => {
    planned = false;
    let hungry = !closed;
    while (hungry) {
      hungry = false;
      // Each consumer in turn gets a batch, so that two streams share a backlog.
      for (const consumer of [...consumers]) {
        const wanted = consumer.wants();
        if (wanted.messages <= 0 || wanted.bytes <= 0) continue;
        const taken = take(wanted);
        if (taken.length === 0) return;
        consumer.receive(taken);
        hungry = true;
      }
    }
  };

  const subscription: Subscription = {
    id,
    name: config.name,
    config,
    ackPrefix: `${id.toString(36)}-${randomBytes(6).toString('hex')}-`,
    offer(message) {
      backlog++;
      const caughtUp = loadedThrough >= newest;
      newest = message;
      if (caughtUp && fresh.length < windowSize) {
        fresh.push({ message, failures: 0, counted: 0, notBefore: 0, settled: false });
        loadedThrough = message;
      }
      subscription.wake();
    },
    add(consumer) {
      consumers.push(consumer);
      subscription.wake();
    },
    remove(consumer) {
      const index = consumers.indexOf(consumer);
      if (index >= 0) consumers.splice(index, 1);
    },
    wake() {
      if (planned || closed || consumers.length === 0) return;
      planned = true;
      setImmediate(dispatch);
    },
    acknowledge(entry) {
      outstanding--;
      if (entry.settled || closed) return;
      tally.acknowledged++;
      if (faults.redeliverRate > 0 && faults.random() < faults.redeliverRate) {
        retries.push(entry);
        subscription.wake();
        return;
      }
      settle(entry);
      commits.eventually((write) => write.settle(id, entry.message));
    },
    fail(taken) {
      const { entry } = taken;
      outstanding--;
      if (entry.settled || closed) return;
      tally.failed++;
      entry.failures++;
      const { deadLetterPolicy, retryPolicy } = subscription.config;
      if (deadLetterPolicy !== undefined) entry.counted++;
      if (
        deadLetterPolicy !== undefined &&
        entry.counted >= deadLetterPolicy.maxDeliveryAttempts &&
        deadLetter(subscription, taken)
      ) {
        tally.deadLettered++;
        settle(entry);
        return;
      }
      const delay =
        retryPolicy === undefined
          ? 0
          : retryDelay(
              entry.failures,
              milliseconds(retryPolicy.minimumBackoff),
              milliseconds(retryPolicy.maximumBackoff),
            ) / timeScale;
      entry.notBefore = Date.now() + delay;
      const { message, failures, counted, notBefore } = entry;
      commits.eventually((write) => write.noteFailure(id, { message, failures, counted, notBefore }));
      if (delay > 0) delayed.add(entry);
      else retries.push(entry);
      subscription.wake();
    },
    deliveryAttempt: (entry) => (subscription.config.deadLetterPolicy === undefined ? 0 : entry.counted + 1),
    dropExpired() {
      const before = Date.now() - milliseconds(subscription.config.messageRetentionDuration) / timeScale;
      const expired = new Set(store.readExpired(id, before, 1000));
      if (expired.size === 0) return;
      for (const entry of fresh) {
        if (expired.has(entry.message) && !entry.settled) expire(entry);
      }
      for (const message of expired) {
        if (message <= loadedThrough) continue;
        backlog--;
        tally.expired++;
        commits.eventually((write) => write.settle(id, message));
      }
      // Before the next page is read, else it would hold them still.
      commits.flush();
    },
    stopConsumers(reason) {
      for (const consumer of consumers.splice(0)) consumer.stop(reason);
    },
    counts() {
      commits.flush();
      const oldest = backlog === 0 ? undefined : store.readOldest(id);
      return {
        topic: subscription.config.topic,
        backlog,
        oldestUnackedSeconds: oldest === undefined ? 0 : Math.max(0, Date.now() - oldest) / 1000,
        outstanding,
        ...tally,
      };
    },
    close() {
      closed = true;
      delayed.close();
    },
  };
  return subscription;
}
