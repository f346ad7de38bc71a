import type { PubSubServer } from './pubsub/index.ts';

type Administration = PubSubServer['administration'];
type Subscription = Parameters<Administration['CreateSubscription']>[0];

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

const SEVEN_DAYS = { seconds: String(7 * 24 * 3600) };
const NEVER = {};

/**
 * Makes the topics and subscriptions that the queues need, as Terraform does: a push with a token, a backoff of 10 to
 * 600 seconds, and after 100 attempts a dead-letter topic that keeps its messages for seven days. What exists is changed
 * to what is wanted.
 */
export function createQueues(pubsub: Administration, project: string, queues: readonly Queue[]): void {
  const nameOf = (kind: 'topics' | 'subscriptions', id: string) => `projects/${project}/${kind}/${id}`;
  for (const { topic } of queues) {
    for (const id of [topic, deadLetterTopic(topic)]) {
      unlessExists(() => pubsub.CreateTopic({ name: nameOf('topics', id) }));
    }
  }
  for (const queue of queues) {
    const dead = nameOf('topics', deadLetterTopic(queue.topic));
    createSubscription(pubsub, {
      name: nameOf('subscriptions', queue.subscription),
      topic: nameOf('topics', queue.topic),
      pushConfig: {
        pushEndpoint: queue.endpoint,
        oidcToken: { audience: queue.audience, serviceAccountEmail: queue.serviceAccount },
      },
      ackDeadlineSeconds: queue.ackDeadlineSeconds,
      retryPolicy: { minimumBackoff: { seconds: '10' }, maximumBackoff: { seconds: '600' } },
      deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 100 },
      expirationPolicy: NEVER,
      messageRetentionDuration: SEVEN_DAYS,
    });
    createSubscription(pubsub, {
      name: nameOf('subscriptions', deadLetterHold(queue.topic)),
      topic: dead,
      expirationPolicy: NEVER,
      messageRetentionDuration: SEVEN_DAYS,
    });
  }
}

export const deadLetterTopic = (topic: string): string => `${topic}-dead`;
/** Holds what is in the dead-letter topic: without a subscription it would be lost. */
export const deadLetterHold = (topic: string): string => `${topic}-dead-hold`;

function createSubscription(pubsub: Administration, wanted: Subscription): void {
  if (unlessExists(() => pubsub.CreateSubscription(wanted))) return;
  const { topic: _, ...subscription } = wanted;
  const fields = Object.keys(subscription).filter((field) => field !== 'name');
  const paths = fields.map((field) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  pubsub.UpdateSubscription({ subscription, updateMask: { paths } });
}

const ALREADY_EXISTS = 6;

function unlessExists(create: () => unknown): boolean {
  try {
    create();
    return true;
  } catch (error) {
    if (isCoded(error) && error.code === ALREADY_EXISTS) return false;
    throw error;
  }
}

const isCoded = (error: unknown): error is { code: unknown } =>
  typeof error === 'object' && error !== null && 'code' in error;
