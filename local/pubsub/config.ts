/** The resources as protoLoader decodes them with `defaults: false`: what was not sent is absent. */
export interface Duration {
  seconds?: string;
  nanos?: number;
}

export interface TopicConfig {
  name: string;
  labels?: Record<string, string>;
  messageRetentionDuration?: Duration;
  state: 'ACTIVE';
}

export interface PushConfig {
  pushEndpoint?: string;
  attributes?: Record<string, string>;
  oidcToken?: { serviceAccountEmail?: string; audience?: string };
  pubsubWrapper?: Record<string, never>;
}

export interface SubscriptionConfig {
  name: string;
  topic: string;
  pushConfig: PushConfig;
  ackDeadlineSeconds: number;
  messageRetentionDuration: Duration;
  labels?: Record<string, string>;
  expirationPolicy: { ttl?: Duration };
  deadLetterPolicy?: { deadLetterTopic: string; maxDeliveryAttempts: number };
  retryPolicy?: { minimumBackoff: Duration; maximumBackoff: Duration };
  state: 'ACTIVE';
}

/** What GetSubscription shows in place of a topic that was deleted. */
export const deletedTopic = '_deleted-topic_';

export function milliseconds(duration: Duration): number {
  return Number(duration.seconds ?? 0) * 1000 + (duration.nanos ?? 0) / 1e6;
}
