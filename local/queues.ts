import type { CreateSubscriptionOptions, PubSub } from '@google-cloud/pubsub';

/** A topic whose messages are pushed to one function. */
export interface Queue {
  topic: string;
  subscription: string;
  /** URL of the function. */
  endpoint: string;
  audience: string;
  /** Email of the service account that pushes. */
  serviceAccount: string;
  ackDeadlineSeconds: number;
}

const SEVEN_DAYS = { seconds: 7 * 24 * 3600 };
const NEVER = {};

/**
 * Makes the topics and subscriptions that the queues need, as Terraform does: a push with a token, a backoff of 10 to
 * 600 seconds, and after 100 attempts a dead-letter topic that keeps its messages for seven days. What exists is changed
 * to what is wanted.
 */
export async function createQueues(pubsub: PubSub, queues: readonly Queue[]): Promise<void> {
  const names = queues.flatMap(({ topic }) => [topic, deadLetterTopic(topic)]);
  await Promise.all([...new Set(names)].map((name) => unlessExists(pubsub.createTopic(name))));
  await Promise.all(queues.flatMap((queue) => [createPush(pubsub, queue), createHold(pubsub, queue)]));
}

export const deadLetterTopic = (topic: string): string => `${topic}-dead`;
/** Holds what is in the dead-letter topic: without a subscription it would be lost. */
export const deadLetterHold = (topic: string): string => `${topic}-dead-hold`;

function createPush(pubsub: PubSub, queue: Queue): Promise<void> {
  return createSubscription(pubsub, queue.topic, queue.subscription, {
    pushConfig: {
      pushEndpoint: queue.endpoint,
      oidcToken: { audience: queue.audience, serviceAccountEmail: queue.serviceAccount },
    },
    ackDeadlineSeconds: queue.ackDeadlineSeconds,
    retryPolicy: { minimumBackoff: { seconds: 10 }, maximumBackoff: { seconds: 600 } },
    deadLetterPolicy: {
      deadLetterTopic: pubsub.topic(deadLetterTopic(queue.topic)).name,
      maxDeliveryAttempts: 100,
    },
    expirationPolicy: NEVER,
    messageRetentionDuration: SEVEN_DAYS,
  });
}

function createHold(pubsub: PubSub, { topic }: Queue): Promise<void> {
  return createSubscription(pubsub, deadLetterTopic(topic), deadLetterHold(topic), {
    expirationPolicy: NEVER,
    messageRetentionDuration: SEVEN_DAYS,
  });
}

async function createSubscription(
  pubsub: PubSub,
  topic: string,
  name: string,
  options: CreateSubscriptionOptions,
): Promise<void> {
  const created = await unlessExists(pubsub.topic(topic).createSubscription(name, options));
  if (!created) await pubsub.subscription(name).setMetadata(options);
}

const ALREADY_EXISTS = 6;

async function unlessExists(creating: Promise<unknown>): Promise<boolean> {
  try {
    await creating;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === ALREADY_EXISTS) return false;
    throw error;
  }
}
