import { status } from '@grpc/grpc-js';
import { createBodies } from './bodies.ts';
import { createCommits } from './commits.ts';
import { deletedTopic, type SubscriptionConfig, type TopicConfig } from './config.ts';
import { deadLetterCopy } from './dead-letter.ts';
import type { PubSubFaults } from './faults.ts';
import { createLeases, type Leases } from './leases.ts';
import { createPush } from './push.ts';
import { notFound, refuse } from './refuse.ts';
import { openStore } from './store.ts';
import { createSubscription, type Subscription, type Surroundings } from './subscription.ts';

export interface Topic {
  id: number;
  config: TopicConfig;
  subscriptions: Set<Attached>;
  published: number;
}

/** A subscription with what its delivery needs. */
export interface Attached {
  subscription: Subscription;
  leases: Leases;
}

/** Signs the OIDC token of a push; the subject is the service account of the subscription. */
export type SignToken = (claims: { audience: string; email: string }) => Promise<string>;

/** All state of the server: what exists, and the only ways to change it. */
export interface Broker {
  topics: ReadonlyMap<string, Topic>;
  subscriptions: ReadonlyMap<string, Attached>;
  /** These throw NOT_FOUND. */
  topic(name: string): Topic;
  subscription(name: string): Attached;
  /** Stores the messages and returns their ids once they are durable. */
  publish(topic: string, messages: readonly Buffer[]): Promise<number[]>;
  createTopic(config: TopicConfig): void;
  updateTopic(config: TopicConfig): void;
  deleteTopic(name: string): void;
  createSubscription(config: SubscriptionConfig): void;
  updateSubscription(config: SubscriptionConfig): void;
  deleteSubscription(name: string): void;
  canSign: boolean;
  faults: PubSubFaults;
  /** Ends every delivery under way, so that the server can shut down. */
  stop(): void;
  close(): void;
}

export interface BrokerOptions {
  file: string;
  signToken: SignToken | undefined;
  timeScale: number;
  faults: PubSubFaults;
  log: (line: string) => void;
}

const sweepEvery = 60_000;

/** Opens the store and takes up every subscription where it was left. */
export function openBroker({ file, signToken, timeScale, faults, log }: BrokerOptions): Broker {
  const store = openStore(file);
  const commits = createCommits(store, log);
  const bodies = createBodies(store);
  const topics = new Map<string, Topic>();
  const subscriptions = new Map<string, Attached>();

  /** Stores one message in the running transaction; delivers it once that is committed. */
  const addMessage = (
    topic: Topic,
    bytes: Buffer,
    published: number,
    add: (body: { bytes: Buffer; published: number }, subscriptions: number[]) => number,
  ): (() => number) => {
    const attached = [...topic.subscriptions];
    const body = { bytes, published };
    const message = add(
      body,
      attached.map(({ subscription }) => subscription.id),
    );
    return () => {
      topic.published++;
      if (attached.length > 0) bodies.put(message, body, attached.length);
      for (const { subscription } of attached) subscription.offer(message);
      return message;
    };
  };

  const surroundings: Surroundings = {
    store,
    commits,
    bodies,
    faults,
    timeScale,
    deadLetter(subscription, { entry, body }) {
      const name = subscription.config.deadLetterPolicy?.deadLetterTopic ?? '';
      const topic = topics.get(name);
      if (topic === undefined) {
        log(`pubsub: ${subscription.name} keeps a message, its dead-letter topic ${name} does not exist`);
        return false;
      }
      const copy = deadLetterCopy(body.bytes, {
        subscription: subscription.name,
        deliveries: entry.counted,
        published: body.published,
      });
      commits
        .soon((write) => {
          write.settle(subscription.id, entry.message);
          return addMessage(topic, copy, Date.now(), write.addMessage);
        })
        .catch((error: unknown) =>
          log(`pubsub: ${subscription.name} could not dead-letter ${entry.message}: ${error}`),
        );
      return true;
    },
  };

  const attach = (id: number, config: SubscriptionConfig) => {
    const subscription = createSubscription(id, config, surroundings);
    const attached: Attached = { subscription, leases: createLeases(subscription, timeScale) };
    subscriptions.set(config.name, attached);
    topics.get(config.topic)?.subscriptions.add(attached);
    startPush(attached);
  };

  const startPush = ({ subscription }: Attached) => {
    if (!subscription.config.pushConfig.pushEndpoint) return;
    subscription.add(createPush(subscription, { signToken, timeScale, log }));
  };

  for (const row of store.readTopics()) {
    const config: TopicConfig = JSON.parse(row.config);
    topics.set(config.name, { id: row.id, config, subscriptions: new Set(), published: 0 });
  }
  for (const row of store.readSubscriptions()) {
    const config: SubscriptionConfig = JSON.parse(row.config);
    attach(row.id, row.topic === null ? { ...config, topic: deletedTopic } : config);
  }

  const sweeper = setInterval(
    () => {
      for (const { subscription } of subscriptions.values()) subscription.dropExpired();
    },
    Math.max(50, sweepEvery / timeScale),
  );
  sweeper.unref();

  const broker: Broker = {
    topics,
    subscriptions,
    canSign: signToken !== undefined,
    faults,
    topic(name) {
      const topic = topics.get(name);
      if (topic === undefined) throw notFound(name);
      return topic;
    },
    subscription(name) {
      const attached = subscriptions.get(name);
      if (attached === undefined) throw notFound(name);
      return attached;
    },
    async publish(name, messages) {
      const ids = await commits
        .soon((write) => {
          const topic = topics.get(name);
          if (topic === undefined) return () => undefined;
          const published = Date.now();
          const deliveries = messages.map((bytes) => addMessage(topic, bytes, published, write.addMessage));
          return () => deliveries.map((deliver) => deliver());
        })
        .catch((error: unknown) => {
          throw refuse(status.UNAVAILABLE, `The messages could not be stored: ${error}`);
        });
      if (ids === undefined) throw notFound(name);
      return ids;
    },
    createTopic(config) {
      const id = store.writeTopic(JSON.stringify(config));
      topics.set(config.name, { id, config, subscriptions: new Set(), published: 0 });
    },
    updateTopic(config) {
      const topic = broker.topic(config.name);
      store.writeTopic(JSON.stringify(config), topic.id);
      topic.config = config;
    },
    deleteTopic(name) {
      const topic = broker.topic(name);
      commits.flush();
      store.deleteTopic(topic.id);
      topics.delete(name);
      for (const { subscription } of topic.subscriptions) {
        subscription.config = { ...subscription.config, topic: deletedTopic };
      }
    },
    createSubscription(config) {
      const topic = broker.topic(config.topic);
      commits.flush();
      attach(store.writeSubscription(JSON.stringify(config), topic.id), config);
    },
    updateSubscription(config) {
      const attached = broker.subscription(config.name);
      const { subscription } = attached;
      const topic = topics.get(config.topic)?.id ?? null;
      store.writeSubscription(JSON.stringify(config), topic, subscription.id);
      const before = JSON.stringify(subscription.config.pushConfig);
      subscription.config = config;
      if (before === JSON.stringify(config.pushConfig)) return;
      subscription.stopConsumers('switched');
      startPush(attached);
    },
    deleteSubscription(name) {
      const attached = broker.subscription(name);
      commits.flush();
      subscriptions.delete(name);
      topics.get(attached.subscription.config.topic)?.subscriptions.delete(attached);
      attached.subscription.stopConsumers('deleted');
      attached.leases.close();
      attached.subscription.close();
      store.deleteSubscription(attached.subscription.id);
    },
    stop() {
      clearInterval(sweeper);
      for (const { subscription } of subscriptions.values()) subscription.stopConsumers('closing');
    },
    close() {
      broker.stop();
      for (const { subscription, leases } of subscriptions.values()) {
        leases.close();
        subscription.close();
      }
      commits.flush();
      store.close();
    },
  };
  return broker;
}
