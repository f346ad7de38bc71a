import { status } from '@grpc/grpc-js';
import type { Broker } from './broker.ts';
import { type Duration, deletedTopic, type PushConfig, type SubscriptionConfig } from './config.ts';
import { checkMask, type FieldMask } from './field-mask.ts';
import { page } from './page.ts';
import { isSet } from './publisher.ts';
import { alreadyExists, invalidArgument, notFound, refuse, unimplemented } from './refuse.ts';
import {
  checkExpiration,
  checkLabels,
  checkLeaseSeconds,
  checkName,
  checkProject,
  checkPushConfig,
  checkRetention,
  readAckDeadline,
  readMaxDeliveryAttempts,
  readRetryPolicy,
} from './validate.ts';

/** A subscription as a client sends it: settings this server has and those it refuses. */
interface SubscriptionRequest {
  name?: string;
  topic?: string;
  pushConfig?: (PushConfig & { noWrapper?: unknown }) | null;
  ackDeadlineSeconds?: number;
  messageRetentionDuration?: Duration | null;
  labels?: Record<string, string>;
  expirationPolicy?: { ttl?: Duration } | null;
  deadLetterPolicy?: { deadLetterTopic?: string; maxDeliveryAttempts?: number } | null;
  retryPolicy?: { minimumBackoff?: Duration; maximumBackoff?: Duration } | null;
  [refused: string]: unknown;
}

const refusedSettings = {
  bigqueryConfig: 'bigquery_config',
  cloudStorageConfig: 'cloud_storage_config',
  bigtableConfig: 'bigtable_config',
  retainAckedMessages: 'retain_acked_messages',
  enableMessageOrdering: 'enable_message_ordering',
  filter: 'filter',
  enableExactlyOnceDelivery: 'enable_exactly_once_delivery',
  messageTransforms: 'message_transforms',
  detached: 'detached',
  tags: 'tags',
};

const mutableSettings = {
  push_config: 'pushConfig',
  ack_deadline_seconds: 'ackDeadlineSeconds',
  message_retention_duration: 'messageRetentionDuration',
  labels: 'labels',
  expiration_policy: 'expirationPolicy',
  dead_letter_policy: 'deadLetterPolicy',
  retry_policy: 'retryPolicy',
} as const;

/** The unary methods of google.pubsub.v1.Subscriber but Pull; those left out answer UNIMPLEMENTED. */
export function subscriberMethods(broker: Broker) {
  const show = (config: SubscriptionConfig) => {
    const retention = broker.topics.get(config.topic)?.config.messageRetentionDuration;
    return retention === undefined ? config : { ...config, topicMessageRetentionDuration: retention };
  };

  return {
    CreateSubscription(request: SubscriptionRequest) {
      const config = readSubscription(broker, request);
      if (broker.subscriptions.has(config.name)) throw alreadyExists(config.name);
      broker.topic(config.topic);
      checkDeadLetterTopic(broker, config);
      broker.createSubscription(config);
      return show(config);
    },

    GetSubscription({ subscription = '' }: { subscription?: string }) {
      checkName('subscriptions', subscription);
      return show(broker.subscription(subscription).subscription.config);
    },

    UpdateSubscription(request: { subscription?: SubscriptionRequest; updateMask?: FieldMask }) {
      const given = request.subscription ?? {};
      const name = given.name ?? '';
      checkName('subscriptions', name);
      const merged: SubscriptionRequest = { ...broker.subscription(name).subscription.config };
      const paths = checkMask('Subscription', request.updateMask, {
        mutable: [
          ...Object.keys(mutableSettings),
          ...['bigquery_config', 'cloud_storage_config', 'bigtable_config', 'message_transforms'],
          ...['retain_acked_messages', 'enable_exactly_once_delivery'],
        ],
        immutable: ['name', 'topic', 'filter', 'enable_message_ordering', 'detached', 'state', 'tags'],
      });
      for (const path of paths) {
        const field = isMutable(path) ? mutableSettings[path] : undefined;
        if (field === undefined) throw unimplemented(`subscription.${path}`);
        delete merged[field];
        if (isSet(given[field])) Object.assign(merged, { [field]: given[field] });
      }
      const config = readSubscription(broker, merged);
      if (paths.includes('dead_letter_policy')) checkDeadLetterTopic(broker, config);
      broker.updateSubscription(config);
      return show(config);
    },

    ListSubscriptions(request: { project?: string; pageSize?: number; pageToken?: string }) {
      const project = request.project ?? '';
      checkProject(project);
      const names = [...broker.subscriptions.keys()].filter((name) => name.startsWith(`${project}/`));
      const { items, nextPageToken } = page(names, request);
      return {
        subscriptions: items.map((name) => show(broker.subscription(name).subscription.config)),
        nextPageToken,
      };
    },

    DeleteSubscription({ subscription = '' }: { subscription?: string }) {
      checkName('subscriptions', subscription);
      broker.deleteSubscription(subscription);
      return {};
    },

    ModifyPushConfig(request: { subscription?: string; pushConfig?: PushConfig }) {
      const name = request.subscription ?? '';
      checkName('subscriptions', name);
      const { config } = broker.subscription(name).subscription;
      broker.updateSubscription({ ...config, pushConfig: readPushConfig(broker, request.pushConfig) });
      return {};
    },

    Acknowledge({ subscription = '', ackIds = [] }: { subscription?: string; ackIds?: string[] }) {
      checkName('subscriptions', subscription);
      const { leases } = broker.subscription(subscription);
      if (ackIds.length === 0) throw noAckIds();
      leases.check(ackIds);
      leases.acknowledge(ackIds);
      return {};
    },

    ModifyAckDeadline(request: { subscription?: string; ackIds?: string[]; ackDeadlineSeconds?: number }) {
      const { subscription = '', ackIds = [], ackDeadlineSeconds = 0 } = request;
      checkName('subscriptions', subscription);
      const { leases } = broker.subscription(subscription);
      if (ackIds.length === 0) throw noAckIds();
      checkLeaseSeconds(ackDeadlineSeconds);
      leases.check(ackIds);
      for (const ackId of ackIds) leases.extend(ackId, ackDeadlineSeconds);
      return {};
    },
  };
}

/** Throws FAILED_PRECONDITION unless messages of the subscription are pulled. */
export function checkPulled(config: SubscriptionConfig): void {
  if (!config.pushConfig.pushEndpoint) return;
  throw refuse(status.FAILED_PRECONDITION, 'This method is not supported for this subscription type.');
}

function noAckIds() {
  return invalidArgument('You have not specified an ack ID in the request.');
}

function isMutable(path: string): path is keyof typeof mutableSettings {
  return path in mutableSettings;
}

function readSubscription(broker: Broker, request: SubscriptionRequest): SubscriptionConfig {
  const { name = '', topic = '', labels, deadLetterPolicy, retryPolicy } = request;
  checkName('subscriptions', name);
  if (topic !== deletedTopic) checkName('topics', topic);
  for (const [key, field] of Object.entries(refusedSettings)) {
    if (isSet(request[key])) throw unimplemented(`subscription.${field}`);
  }
  if (labels) checkLabels(labels);
  const messageRetentionDuration = request.messageRetentionDuration ?? { seconds: String(7 * 86_400) };
  checkRetention(messageRetentionDuration);
  const expirationPolicy = request.expirationPolicy ?? { ttl: { seconds: String(31 * 86_400) } };
  checkExpiration(expirationPolicy);
  return {
    name,
    topic,
    pushConfig: readPushConfig(broker, request.pushConfig),
    ackDeadlineSeconds: readAckDeadline(request.ackDeadlineSeconds),
    messageRetentionDuration,
    expirationPolicy,
    ...(labels && { labels }),
    ...(deadLetterPolicy && { deadLetterPolicy: readDeadLetterPolicy(deadLetterPolicy) }),
    ...(retryPolicy && { retryPolicy: readRetryPolicy(retryPolicy) }),
    state: 'ACTIVE',
  };
}

function readPushConfig(broker: Broker, push: SubscriptionRequest['pushConfig']): PushConfig {
  if (!push) return {};
  if (isSet(push.noWrapper)) throw unimplemented('push_config.no_wrapper');
  const version = push.attributes?.['x-goog-version'];
  if (version !== undefined && version !== 'v1' && version !== 'v1beta2') {
    throw unimplemented(`push_config.attributes["x-goog-version"] = ${JSON.stringify(version)}`);
  }
  checkPushConfig(push);
  if (push.oidcToken && !broker.canSign) throw unimplemented('push_config.oidc_token without a token issuer');
  const { pushEndpoint, attributes, oidcToken, pubsubWrapper } = push;
  if (!pushEndpoint) return {};
  return {
    pushEndpoint,
    attributes: attributes ?? { 'x-goog-version': 'v1' },
    ...(oidcToken && { oidcToken }),
    ...(pubsubWrapper && { pubsubWrapper }),
  };
}

function readDeadLetterPolicy(
  policy: NonNullable<SubscriptionRequest['deadLetterPolicy']>,
): NonNullable<SubscriptionConfig['deadLetterPolicy']> {
  const deadLetterTopic = policy.deadLetterTopic ?? '';
  checkName('topics', deadLetterTopic);
  return { deadLetterTopic, maxDeliveryAttempts: readMaxDeliveryAttempts(policy.maxDeliveryAttempts) };
}

/** It must exist when the policy is set (pubsub.proto); deleted later, the messages stay where they are. */
function checkDeadLetterTopic(broker: Broker, { deadLetterPolicy }: SubscriptionConfig): void {
  if (deadLetterPolicy === undefined || broker.topics.has(deadLetterPolicy.deadLetterTopic)) return;
  throw notFound(deadLetterPolicy.deadLetterTopic);
}
