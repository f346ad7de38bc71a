import { addAttributes } from './wire.ts';

/**
 * The message as it is published to the dead-letter topic: the original with where it came from, in the attributes of
 * cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts. `published` is in milliseconds.
 */
export function deadLetterCopy(
  bytes: Buffer,
  source: { subscription: string; deliveries: number; published: number },
): Buffer {
  const [, project = '', , subscription = ''] = source.subscription.split('/');
  return addAttributes(bytes, {
    CloudPubSubDeadLetterSourceDeliveryCount: String(source.deliveries),
    CloudPubSubDeadLetterSourceSubscription: subscription,
    CloudPubSubDeadLetterSourceSubscriptionProject: project,
    CloudPubSubDeadLetterSourceTopicPublishTime: new Date(source.published)
      .toISOString()
      .replace('Z', '+00:00'),
  });
}
