import type { PubSub, v1 } from '@google-cloud/pubsub';
import type { Endpoint } from './endpoint.ts';

/** What a behaviour looks like from outside, as JSON, so that it can be compared and listed. */
export type Observation =
  | string
  | number
  | boolean
  | null
  | readonly Observation[]
  | { readonly [key: string]: Observation };

/** One behaviour that Google documents, with how to observe it over the wire. */
export interface Case {
  /** A sentence, unique among all cases. */
  readonly name: string;
  /** The page, or the rpc or message of google.pubsub.v1, that says so. */
  readonly from: string;
  /** What it says, as it would be observed. A call that is refused is observed as the name of its code. */
  readonly documented: Observation;
  observe(bench: Bench): Promise<Observation>;
}

/** A started Pub/Sub with Google's clients on it, and a project that one case has to itself. */
export interface Bench {
  readonly project: string;
  readonly topics: v1.PublisherClient;
  readonly subscriptions: v1.SubscriberClient;
  readonly schemas: v1.SchemaServiceClient;
  /** The client with streams and batches. */
  readonly client: PubSub;
  /** Full names in the project of this case. */
  topic(id: string): string;
  subscription(id: string): string;
  /** An HTTP server to push to, closed with the case. */
  endpoint(answer?: (count: number) => number | 'nothing'): Promise<Endpoint>;
}

export type SubscriptionSettings = NonNullable<Parameters<v1.SubscriberClient['createSubscription']>[0]>;
export type TopicSettings = NonNullable<Parameters<v1.PublisherClient['createTopic']>[0]>;
export type Message = NonNullable<
  NonNullable<Parameters<v1.PublisherClient['publish']>[0]>['messages']
>[number];

/** The pages most cases are taken from. */
export const pages = {
  names: 'cloud.google.com/pubsub/docs/pubsub-basics#resource_names',
  limits: 'cloud.google.com/pubsub/quotas#resource_limits',
  labels: 'cloud.google.com/pubsub/docs/labels',
  errors: 'cloud.google.com/pubsub/docs/reference/error-codes',
  push: 'cloud.google.com/pubsub/docs/push',
  pushToken: 'cloud.google.com/pubsub/docs/authenticate-push-subscriptions',
  deadLetters: 'cloud.google.com/pubsub/docs/dead-letter-topics',
  retry: 'cloud.google.com/pubsub/docs/subscription-retry-policy',
  leases: 'cloud.google.com/pubsub/docs/lease-management',
  overview: 'cloud.google.com/pubsub/docs/subscription-overview',
  properties: 'cloud.google.com/pubsub/docs/subscription-properties',
  filter: 'cloud.google.com/pubsub/docs/subscription-message-filter',
  ordering: 'cloud.google.com/pubsub/docs/ordering',
  exactlyOnce: 'cloud.google.com/pubsub/docs/exactly-once-delivery',
  replay: 'cloud.google.com/pubsub/docs/replay-overview',
  schemas: 'cloud.google.com/pubsub/docs/schemas',
  unwrapping: 'cloud.google.com/pubsub/docs/payload-unwrapping',
  detach: 'cloud.google.com/pubsub/docs/detach-subscriptions',
} as const;

/** The reference of one rpc or message. */
export const reference = (what: string) => `google.pubsub.v1.${what}`;
