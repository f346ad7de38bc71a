import { z } from 'zod';
import { invokers } from './functions.ts';
import { amount, block, type Plan, type Policy, planned, text } from './plan.ts';
import { plannedFunctions } from './planned-functions.ts';

const subscriptionShape = z.object({
  name: z.string(),
  topic: text,
  ack_deadline_seconds: amount,
  message_retention_duration: text,
  push_config: block({
    push_endpoint: text,
    oidc_token: block({ audience: text, service_account_email: text }),
  }),
  retry_policy: block({ minimum_backoff: text, maximum_backoff: text }),
  dead_letter_policy: block({ dead_letter_topic: text, max_delivery_attempts: amount }),
  expiration_policy: block({ ttl: text }),
});

const topicGrant = z.object({ topic: text, role: text, member: text });
const subscriptionGrant = z.object({ subscription: text, role: text, member: text });
const jobShape = z.object({
  name: z.string(),
  schedule: text,
  time_zone: text,
  attempt_deadline: text,
  http_target: block({
    uri: text,
    http_method: text,
    oidc_token: block({ audience: text, service_account_email: text }),
  }),
});

const subscriptions = (plan: Plan) => planned(plan, 'google_pubsub_subscription', subscriptionShape);
const pushes = (plan: Plan) => subscriptions(plan).filter(({ is }) => is.push_config.length > 0);
const jobs = (plan: Plan) => planned(plan, 'google_cloud_scheduler_job', jobShape);

const lastPart = (name: string | null | undefined) => name?.split('/').at(-1) ?? '';
const isPubSub = (member: string | null | undefined) =>
  /^serviceAccount:service-\d+@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/.test(member ?? '');

/** The function that a URL reaches: SERVICE-NUMBER.REGION.run.app. */
function functionAt(plan: Plan, url: string) {
  const service = /^https:\/\/(.+)-\d+\.[a-z0-9-]+\.run\.app(?=\/|$)/.exec(url)?.[1];
  return plannedFunctions(plan).find(({ name }) => name === service);
}

export const queuePolicies: readonly Policy[] = [
  {
    rule: 'every queue of functions.json is pushed to its function',
    *broken(plan) {
      for (const it of plan.deployables) {
        if (it.trigger !== 'push') continue;
        const found = pushes(plan).find(({ is }) => is.name === it.subscription);
        if (found === undefined) yield `there is no subscription ${it.subscription}`;
        else {
          const target = functionAt(plan, found.is.push_config[0]?.push_endpoint ?? '')?.target;
          if (target !== it.name) yield `${found.address} is pushed to ${target ?? 'no function'}`;
          if (lastPart(found.is.topic) !== it.topic) yield `${found.address} is not of ${it.topic}`;
          if (found.is.ack_deadline_seconds !== it.ackDeadlineSeconds)
            yield `${found.address} does not wait for ${it.ackDeadlineSeconds} s`;
        }
      }
    },
  },
  {
    rule: 'a push has a token that its function takes, of an account that may invoke it',
    *broken(plan) {
      for (const { address, is } of pushes(plan)) {
        const [push] = is.push_config;
        const token = push?.oidc_token[0];
        const target = functionAt(plan, push?.push_endpoint ?? '');
        if (target === undefined) continue;
        if (token?.audience !== target.environment.PUSH_AUDIENCE)
          yield `${address} pushes for ${token?.audience}, and ${target.target} asks for ${target.environment.PUSH_AUDIENCE}`;
        if (token?.service_account_email !== target.environment.PUSH_SERVICE_ACCOUNT)
          yield `${address} pushes as another than ${target.target} asks for`;
        if (!invokers(plan, target.name).includes(`serviceAccount:${token?.service_account_email}`))
          yield `${address}: ${token?.service_account_email} may not invoke ${target.name}`;
      }
    },
  },
  {
    rule: 'what fails goes to a dead-letter topic after 100 attempts of 10 to 600 seconds between, as on a laptop',
    *broken(plan) {
      for (const { address, is } of pushes(plan)) {
        const dead = is.dead_letter_policy[0];
        const retry = is.retry_policy[0];
        if (dead === undefined) yield `${address} has no dead letters`;
        else if (dead.max_delivery_attempts !== 100)
          yield `${address} gives up after ${dead.max_delivery_attempts} attempts`;
        if (retry?.minimum_backoff !== '10s' || retry.maximum_backoff !== '600s')
          yield `${address} waits for ${retry?.minimum_backoff} to ${retry?.maximum_backoff}`;
      }
    },
  },
  {
    rule: 'Pub/Sub itself may move dead letters: publish them there, and take them out here',
    *broken(plan) {
      const topics = planned(plan, 'google_pubsub_topic_iam_member', topicGrant);
      const grants = planned(plan, 'google_pubsub_subscription_iam_member', subscriptionGrant);
      for (const { address, is } of pushes(plan)) {
        const dead = lastPart(is.dead_letter_policy[0]?.dead_letter_topic);
        const mayPublish = topics.some(
          ({ is: it }) =>
            lastPart(it.topic) === dead && it.role === 'roles/pubsub.publisher' && isPubSub(it.member),
        );
        const mayTake = grants.some(
          ({ is: it }) =>
            lastPart(it.subscription) === is.name &&
            it.role === 'roles/pubsub.subscriber' &&
            isPubSub(it.member),
        );
        if (!mayPublish) yield `${address}: Pub/Sub may not publish on ${dead}`;
        if (!mayTake) yield `${address}: Pub/Sub may not take dead letters out of it`;
      }
    },
  },
  {
    rule: 'every dead-letter topic has a subscription that holds what comes',
    *broken(plan) {
      for (const { address, is } of pushes(plan)) {
        const dead = is.dead_letter_policy[0]?.dead_letter_topic;
        const holds = subscriptions(plan).filter(
          ({ is: it }) => it.topic === dead && it.push_config.length === 0,
        );
        if (holds.length === 0) yield `${address}: nothing holds what is on ${lastPart(dead)}`;
      }
    },
  },
  {
    rule: 'subscriptions never expire, and keep messages for seven days',
    *broken(plan) {
      for (const { address, is } of subscriptions(plan)) {
        if (is.expiration_policy[0]?.ttl !== '') yield `${address} goes after 31 days without a message`;
        if (is.message_retention_duration !== '604800s')
          yield `${address} keeps messages for ${is.message_retention_duration}`;
      }
    },
  },
  {
    rule: 'every job of functions.json posts to its function, with a token that it takes',
    *broken(plan) {
      for (const it of plan.deployables) {
        if (it.trigger !== 'http') continue;
        for (const wanted of it.schedules) {
          const found = jobs(plan).find(
            ({ is }) =>
              is.schedule === wanted.cron &&
              functionAt(plan, is.http_target[0]?.uri ?? '')?.target === it.name &&
              new URL(is.http_target[0]?.uri ?? '').pathname === wanted.path,
          );
          if (found === undefined) {
            yield `there is no job ${wanted.name} at ${wanted.cron}`;
            continue;
          }
          const [target] = found.is.http_target;
          const token = target?.oidc_token[0];
          const called = functionAt(plan, target?.uri ?? '');
          if (target?.http_method !== 'POST') yield `${found.address} sends ${target?.http_method}`;
          if (token?.audience !== called?.environment.AUDIENCE)
            yield `${found.address} has tokens for ${token?.audience}, and ${it.name} asks for ${called?.environment.AUDIENCE}`;
          if (!called?.environment.CALLERS?.split(',').includes(token?.service_account_email ?? ''))
            yield `${found.address} calls as one that is not in CALLERS`;
          if (!invokers(plan, called?.name ?? '').includes(`serviceAccount:${token?.service_account_email}`))
            yield `${found.address} calls as one that may not invoke ${it.name}`;
        }
      }
    },
  },
  {
    rule: 'no function but ingest may be called by everyone',
    *broken(plan) {
      const open = new Set(['allUsers', 'allAuthenticatedUsers']);
      for (const { name, target } of plannedFunctions(plan)) {
        if (target !== 'ingest' && invokers(plan, name).some((it) => open.has(it)))
          yield `everyone may call ${target}`;
      }
    },
  },
];
