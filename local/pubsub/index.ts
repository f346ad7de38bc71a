import { openBroker } from './broker.ts';
import { noFaults, type PubSubFaults } from './faults.ts';
import { publisherMethods } from './publisher.ts';
import { serve } from './server.ts';
import { subscriberMethods } from './subscriber.ts';
import type { SubscriptionCounts } from './subscription.ts';

export { noFaults, type PubSubFaults } from './faults.ts';

export interface PubSubOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** 0 takes any free port. */
  port: number;
  /** The SQLite file, or ':memory:'. */
  file: string;
  /** Signs the token of pushes with an oidc_token; without it such subscriptions are refused. */
  signToken?: (claims: { audience: string; email: string }) => Promise<string>;
  /** 60 lets an hour of backoff, leases and retention pass in a minute. Default 1. */
  timeScale?: number;
  faults?: PubSubFaults;
  log?: (line: string) => void;
}

type Publisher = ReturnType<typeof publisherMethods>;
type Subscriber = ReturnType<typeof subscriberMethods>;

export interface PubSubServer {
  port: number;
  /**
   * Methods of the API for whoever runs it in one process, without the wire: to load a client of Google's takes half a
   * second of CPU. They throw what a client would be answered, with its `code`.
   */
  administration: Pick<Publisher, 'CreateTopic'> &
    Pick<Subscriber, 'CreateSubscription' | 'UpdateSubscription'>;
  close(): Promise<void>;
  /** Since the start of this process, except the backlog. Keyed by full resource name. */
  counts(): {
    topics: Record<string, { published: number }>;
    subscriptions: Record<string, SubscriptionCounts>;
  };
}

/**
 * Starts a local Google Cloud Pub/Sub on gRPC without TLS. Point clients at it with PUBSUB_EMULATOR_HOST. Everything
 * published stays in the file until it is acknowledged by every subscription or its retention has passed.
 * Rejects when the port or the file is taken.
 */
export async function startPubSub(options: PubSubOptions): Promise<PubSubServer> {
  const { host = '127.0.0.1', port, file, signToken, timeScale = 1, log = () => {} } = options;
  const faults = options.faults ?? noFaults();
  const broker = openBroker({ file, signToken, timeScale, faults, log });
  const server = await serve(broker, { host, port, log }).catch((error: unknown) => {
    broker.close();
    throw error;
  });
  const stop = async () => {
    broker.stop();
    await server.close();
    broker.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    port: server.port,
    administration: { ...publisherMethods(broker), ...subscriberMethods(broker) },
    close() {
      stopped ??= stop();
      return stopped;
    },
    counts: () => ({
      topics: Object.fromEntries(
        [...broker.topics].map(([name, topic]) => [name, { published: topic.published }]),
      ),
      subscriptions: Object.fromEntries(
        [...broker.subscriptions].map(([name, { subscription }]) => [name, subscription.counts()]),
      ),
    }),
  };
}
