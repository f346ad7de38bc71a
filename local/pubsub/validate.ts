import { type Duration, milliseconds, type PushConfig } from './config.ts';
import { invalidArgument } from './refuse.ts';
import { longestAttributeKey, longestAttributeValue, type ScannedPublish } from './wire.ts';

/** Limits from pubsub.proto and cloud.google.com/pubsub/quotas; the sentences are those Google answers with. */
const mostMessages = 1000;
const mostBytes = 10_000_000;
const mostAttributes = 100;
const second = 1000;
const day = 86_400 * second;

const resourceId = /^[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$/;

/** Throws INVALID_ARGUMENT unless it is `projects/{project}/{collection}/{id}` by the rules for resource names. */
export function checkName(collection: 'topics' | 'subscriptions', name: string): void {
  const [projects, project, kind, id, ...rest] = name.split('/');
  const good =
    projects === 'projects' &&
    project !== undefined &&
    project !== '' &&
    kind === collection &&
    id !== undefined &&
    resourceId.test(id) &&
    !id.startsWith('goog') &&
    rest.length === 0;
  if (good) return;
  throw invalidArgument(
    `Invalid resource name given (name=${name}). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information.`,
  );
}

/** Throws INVALID_ARGUMENT unless it is `projects/{project}`. */
export function checkProject(name: string): void {
  if (/^projects\/[^/]+$/.test(name)) return;
  throw invalidArgument(`Invalid project name given (name=${name}). The format is projects/{project}.`);
}

/** Throws INVALID_ARGUMENT for what Google refuses in a publish; ordering keys are judged elsewhere. */
export function checkPublish({ messages, size }: ScannedPublish): void {
  if (messages.length === 0) throw tooSmall('message_count', 0, 1);
  if (messages.length > mostMessages) throw tooLarge('message_count', messages.length, mostMessages);
  if (size > mostBytes) throw tooLarge('request_size', size, mostBytes);
  for (const message of messages) {
    if (message.dataLength === 0 && message.attributeCount === 0) {
      throw invalidArgument(
        'One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute.',
      );
    }
    if (message.attributeCount > mostAttributes) {
      throw tooLarge('num_attributes', message.attributeCount, mostAttributes);
    }
    const bad = message.badAttribute;
    if (bad === undefined) continue;
    switch (bad.problem) {
      case 'empty key':
        throw invalidArgument('Message attribute keys must be non-empty.');
      case 'long key':
        throw tooLarge('attribute_key_size', bad.length, longestAttributeKey);
      case 'long value':
        throw tooLarge('attribute_value_size', bad.length, longestAttributeValue);
      case 'reserved key':
        throw invalidArgument(`The attribute key '${bad.key}' is reserved; keys may not begin with 'goog'.`);
    }
  }
}

/** The ack deadline of a subscription in seconds; 0 or absent means 10. */
export function readAckDeadline(seconds: number | undefined): number {
  if (!seconds) return 10;
  if (seconds >= 10 && seconds <= 600) return seconds;
  throw invalidArgument(
    `Invalid ack deadline given (ack_deadline=${seconds}). The ack deadline must be between 10 and 600 seconds.`,
  );
}

/** A deadline given for leased messages, 0 to 600 seconds. */
export function checkLeaseSeconds(seconds: number): void {
  if (seconds >= 0 && seconds <= 600) return;
  throw invalidArgument(
    `Invalid ack deadline given (ack_deadline=${seconds}). The ack deadline must be between 0 and 600 seconds.`,
  );
}

export function checkRetention(duration: Duration): void {
  const given = milliseconds(duration);
  if (given >= 600 * second && given <= 31 * day) return;
  throw invalidArgument(
    `The value for message retention duration is out of bounds. You passed ${given / second}s in the request, but the value must be between 10m and 744h.`,
  );
}

/** Both 0 to 600 seconds, by default 10 and 600, and the minimum not above the maximum. */
export function readRetryPolicy(policy: { minimumBackoff?: Duration; maximumBackoff?: Duration }) {
  const minimumBackoff = policy.minimumBackoff ?? { seconds: '10' };
  const maximumBackoff = policy.maximumBackoff ?? { seconds: '600' };
  for (const [field, backoff] of Object.entries({
    minimum_backoff: minimumBackoff,
    maximum_backoff: maximumBackoff,
  })) {
    const given = milliseconds(backoff);
    if (given < 0 || given > 600 * second) {
      throw invalidArgument(
        `The value for retry_policy.${field} is out of bounds. You passed ${given / second}s in the request, but the value must be between 0s and 600s.`,
      );
    }
  }
  if (milliseconds(minimumBackoff) > milliseconds(maximumBackoff)) {
    throw invalidArgument(
      'The retry_policy.minimum_backoff must not be greater than retry_policy.maximum_backoff.',
    );
  }
  return { minimumBackoff, maximumBackoff };
}

/** 5 to 100 attempts, 0 or absent means 5. */
export function readMaxDeliveryAttempts(attempts: number | undefined): number {
  if (!attempts) return 5;
  if (attempts >= 5 && attempts <= 100) return attempts;
  throw invalidArgument(
    `The value for max_delivery_attempts is out of bounds. You passed ${attempts} in the request, but the value must be between 5 and 100.`,
  );
}

/** At least a day; without ttl the subscription never expires. */
export function checkExpiration(policy: { ttl?: Duration }): void {
  if (policy.ttl === undefined || milliseconds(policy.ttl) >= day) return;
  throw invalidArgument('The value for expiration_policy.ttl must be at least 24h.');
}

export function checkPushConfig(push: PushConfig): void {
  if (push.oidcToken !== undefined && !push.oidcToken.serviceAccountEmail) {
    throw invalidArgument(
      'You have passed an invalid argument to the service (argument=PushConfig::oidc_token::service_account_email).',
    );
  }
  if (!push.pushEndpoint) return;
  const url = URL.canParse(push.pushEndpoint) ? new URL(push.pushEndpoint) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return;
  throw invalidArgument(
    `Invalid push endpoint given (endpoint=${push.pushEndpoint}). Refer to https://cloud.google.com/pubsub/docs/push for more information.`,
  );
}

/** Rules of cloud.google.com/pubsub/docs/labels: at most 64 labels, keys and values up to 63 characters. */
export function checkLabels(labels: Record<string, string>): void {
  const entries = Object.entries(labels);
  if (entries.length > 64) throw tooLarge('num_labels', entries.length, 64);
  for (const [key, value] of entries) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key)) {
      throw invalidArgument(
        `You have passed an invalid argument to the service (argument=Invalid labels: Invalid field "labels"; key "${key}" does not conform to regular expression "[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}").`,
      );
    }
    if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)) {
      throw invalidArgument(
        `You have passed an invalid argument to the service (argument=Invalid labels: Invalid field "labels.${key}"; value "${value}" does not conform to regular expression "[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}").`,
      );
    }
  }
}

function tooSmall(what: string, given: number, minimum: number) {
  return invalidArgument(
    `The value for ${what} is too small. You passed ${given} in the request, but the minimum value is ${minimum}.`,
  );
}

function tooLarge(what: string, given: number, maximum: number) {
  return invalidArgument(
    `The value for ${what} is too large. You passed ${given} in the request, but the maximum value is ${maximum}.`,
  );
}
