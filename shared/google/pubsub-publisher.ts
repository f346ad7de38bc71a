import { PublisherClient } from '@google-cloud/pubsub-api/build/src/v1/publisher_client.js';
import { credentials, status } from '@grpc/grpc-js';
import { readLocalEndpoint } from './endpoints.ts';

export interface Message {
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Sends messages in one request; resolves when Pub/Sub has acknowledged all, rejects after `withinMs` at the latest. */
export type SendMessages = (messages: readonly Message[], withinMs: number) => Promise<void>;

export interface Publisher {
  send: SendMessages;
  /** The headers that authorize a request to any of Google's APIs: the client's own credentials, so already at hand. */
  authorize(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/**
 * Publishes to one topic through the generated client of Pub/Sub.
 *
 * The client around it rewrites every request in search of a project id and gathers by time alone, which costs
 * ingest a tenth of its CPU. `topic` is a short name or projects/P/topics/T.
 */
export function createPublisher(projectId: string, topic: string, environment: NodeJS.ProcessEnv): Publisher {
  const local = readLocalEndpoint('LOCAL_PUBSUB', environment);
  const client = new PublisherClient({
    // Named, since else the token of a service account's key is good for Pub/Sub alone.
    scopes: ['https://www.googleapis.com/auth/cloud-platform'],
    // After an outage the channel is there again within seconds; the default waits up to two minutes.
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(local && {
      apiEndpoint: local.host,
      port: local.port,
      sslCreds: credentials.createInsecure(),
      projectId,
    }),
  });
  const name = topic.startsWith('projects/') ? topic : `projects/${projectId}/topics/${topic}`;
  return {
    async send(messages, withinMs) {
      const [answer] = await client.publish({ topic: name, messages: [...messages] }, callOptions(withinMs));
      const acknowledged = answer.messageIds?.length ?? 0;
      if (acknowledged !== messages.length) {
        throw new Error(`Pub/Sub acknowledged ${acknowledged} of ${messages.length} messages`);
      }
    },
    authorize: async () => Object.fromEntries(await client.auth.getRequestHeaders()),
    close: () => client.close(),
  };
}

/** A publish that is repeated is a copy, which event ids absorb, so everything that may pass is tried again. */
function callOptions(withinMs: number) {
  const totalTimeoutMillis = Math.max(1, Math.floor(withinMs));
  const rpcTimeoutMillis = Math.min(totalTimeoutMillis, 5_000);
  return {
    timeout: totalTimeoutMillis,
    retry: {
      retryCodes: retried,
      backoffSettings: {
        initialRetryDelayMillis: 50,
        retryDelayMultiplier: 1.5,
        maxRetryDelayMillis: 1_000,
        initialRpcTimeoutMillis: rpcTimeoutMillis,
        rpcTimeoutMultiplier: 1,
        maxRpcTimeoutMillis: rpcTimeoutMillis,
        totalTimeoutMillis,
      },
    },
  };
}

const retried = [
  status.ABORTED,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.RESOURCE_EXHAUSTED,
  status.UNAVAILABLE,
  status.UNKNOWN,
];
