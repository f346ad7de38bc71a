import { z } from 'zod';
import { amount, block, type Plan, planned, text } from '../policies/plan.ts';
import { plannedFunctions } from '../policies/planned-functions.ts';
import { type Column, type Deployment, describeVariable, lastPart } from './deployment.ts';

/**
 * What is said to the plan, so that it is of what a laptop has: an operator, and settings that need not be there. One of
 * the functions is billed by instances, so that both kinds are compared.
 */
export const likeOnLaptop = [
  '-var=operators=["operator@my-project.iam.gserviceaccount.com"]',
  '-var=settings_optional=true',
  '-var=instance_billed=["load"]',
];

const PREFIX = 'tributary-';

/** What a plan of infra/ will deploy. */
export function describePlan(plan: Plan): Deployment {
  const project = String(plan.variables.project?.value);
  const functions = plannedFunctions(plan);
  const reword = (value: string) => {
    const url = /^https:\/\/(.+?)-\d+\.[a-z0-9-]+\.run\.app(.*)$/.exec(value);
    if (url !== null) return `{${withoutPrefix(url[1])}}${url[2]}`;
    if (value === project) return '{project}';
    return withoutPrefix(
      value.replace(`${project}-`, '').replace(/@[\w.-]+\.iam\.gserviceaccount\.com$/, ''),
    );
  };
  const sqlOf = (sql: string | null | undefined) => (sql ?? '').replaceAll(`\`${project}.`, '`');
  const tables = planned(plan, 'google_bigquery_table', tableShape).map(({ is }) => is);
  return {
    functions: Object.fromEntries(
      functions.map(({ target, environment }) => [
        target,
        Object.fromEntries(
          Object.entries(environment).map(([name, value]) => [name, describeVariable(name, value, reword)]),
        ),
      ]),
    ),
    topics: planned(plan, 'google_pubsub_topic', z.object({ name: z.string() })).map(({ is }) => is.name),
    subscriptions: Object.fromEntries(
      planned(plan, 'google_pubsub_subscription', subscriptionShape).map(({ is }) => {
        const [push] = is.push_config;
        const [retry] = is.retry_policy;
        const [dead] = is.dead_letter_policy;
        return [
          is.name,
          {
            topic: lastPart(is.topic),
            // Pub/Sub's own default: google.pubsub.v1.Subscription.
            ackDeadlineSeconds: is.ack_deadline_seconds ?? 10,
            retentionSeconds: seconds(is.message_retention_duration),
            expires: is.expiration_policy[0]?.ttl !== '',
            push: push && {
              endpoint: reword(push.push_endpoint ?? ''),
              audience: reword(push.oidc_token[0]?.audience ?? ''),
              account: reword(push.oidc_token[0]?.service_account_email ?? ''),
            },
            backoffSeconds: retry && [seconds(retry.minimum_backoff), seconds(retry.maximum_backoff)],
            deadLetters: dead && {
              topic: lastPart(dead.dead_letter_topic),
              attempts: dead.max_delivery_attempts ?? 0,
            },
          },
        ];
      }),
    ),
    jobs: Object.fromEntries(
      planned(plan, 'google_cloud_scheduler_job', jobShape).map(({ is }) => {
        const [target] = is.http_target;
        const [retry] = is.retry_config;
        return [
          withoutPrefix(is.name),
          {
            cron: is.schedule ?? '',
            timeZone: is.time_zone ?? '',
            url: reword(target?.uri ?? ''),
            audience: reword(target?.oidc_token[0]?.audience ?? ''),
            account: reword(target?.oidc_token[0]?.service_account_email ?? ''),
            deadlineSeconds: seconds(is.attempt_deadline),
            retries: retry?.retry_count ?? 0,
            backoffSeconds: seconds(retry?.min_backoff_duration),
          },
        ];
      }),
    ),
    tables: Object.fromEntries(
      tables
        .filter(({ view }) => view.length === 0)
        .map((is) => {
          const [days] = is.time_partitioning;
          const [ranges] = is.range_partitioning;
          return [
            is.table_id,
            {
              description: is.description ?? '',
              columns: columnsShape.parse(JSON.parse(is.schema ?? '[]')),
              clusteredBy: is.clustering ?? [],
              days: days && { of: days.field ?? '', expireMs: days.expiration_ms ?? undefined },
              ranges: ranges && { of: ranges.field ?? '', ...rangeOf(ranges.range[0]) },
            },
          ];
        }),
    ),
    views: Object.fromEntries(
      tables
        .filter(({ view }) => view.length > 0)
        .map((is) => [is.table_id, { description: is.description ?? '', sql: sqlOf(is.view[0]?.query) }]),
    ),
    tableFunctions: Object.fromEntries(
      planned(plan, 'google_bigquery_routine', routineShape).map(({ is }) => [
        is.routine_id,
        {
          description: is.description ?? '',
          arguments: is.arguments.map(({ name, data_type }) => ({
            name: name ?? '',
            type: typeShape.parse(JSON.parse(data_type ?? '{}')).typeKind,
          })),
          sql: sqlOf(is.definition_body),
        },
      ]),
    ),
    buckets: Object.fromEntries(
      planned(plan, 'google_storage_bucket', bucketShape)
        .map(({ is }) => [reword(is.name), is] as const)
        // What is deployed, and what operators write: on a laptop folders.
        .filter(([name]) => name !== 'archives' && name !== 'settings')
        .map(([name, is]) => [
          name,
          {
            uniformAccess: is.uniform_bucket_level_access ?? false,
            publicAccess: is.public_access_prevention ?? '',
          },
        ]),
    ),
  };
}

const withoutPrefix = (name = ''): string => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
const seconds = (duration: string | null | undefined): number => Number.parseInt(duration ?? '0', 10);

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

const jobShape = z.object({
  name: z.string(),
  schedule: text,
  time_zone: text,
  attempt_deadline: text,
  http_target: block({
    uri: text,
    oidc_token: block({ audience: text, service_account_email: text }),
  }),
  retry_config: block({ retry_count: amount, min_backoff_duration: text }),
});

const rangeShape = z.object({ start: z.number(), end: z.number(), interval: z.number() });
const rangeOf = (range: z.infer<typeof rangeShape> | undefined) => rangeShape.parse(range);

const tableShape = z.object({
  table_id: z.string(),
  description: text,
  schema: text,
  clustering: z.array(z.string()).nullish(),
  time_partitioning: block({ field: text, expiration_ms: amount }),
  range_partitioning: block({ field: text, range: z.array(rangeShape) }),
  view: block({ query: text }),
});

const columnsShape: z.ZodType<Column[]> = z.array(
  z.object({ name: z.string(), type: z.string(), mode: z.string(), description: z.string() }),
);

const routineShape = z.object({
  routine_id: z.string(),
  description: text,
  definition_body: text,
  arguments: block({ name: text, data_type: text }),
});
const typeShape = z.object({ typeKind: z.string() });

const bucketShape = z.object({
  name: z.string(),
  uniform_bucket_level_access: z.boolean().nullish(),
  public_access_prevention: text,
});
