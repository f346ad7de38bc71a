import type { BigQuery, TableField } from '@google-cloud/bigquery';
import type { PubSub } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';
import { DATASET, type LocalCloud, PROJECT } from '../../../local/index.ts';
import { createBigQuery } from '../../../shared/google/bigquery.ts';
import { createPubSub } from '../../../shared/google/pubsub.ts';
import { type Deployment, describeVariable, lastPart, type Table } from './deployment.ts';

/** What a started local cloud has: asked with Google's clients, and of the scheduler and the variables itself. */
export async function describeLaptop(cloud: LocalCloud): Promise<Deployment> {
  const reword = (value: string) => {
    const port = Number(/^http:\/\/127\.0\.0\.1:(\d+)/.exec(value)?.[1]);
    const name = Object.entries(cloud.ports.functions).find(([, it]) => it === port)?.[0];
    if (name !== undefined) return value.replace(/^http:\/\/127\.0\.0\.1:\d+/, `{${name}}`);
    if (value === PROJECT) return '{project}';
    return value.replace(/@local\.iam\.gserviceaccount\.com$/, '').replace(/^tributary-/, '');
  };
  const pubsub = createPubSub(PROJECT, { ...cloud.environment });
  const bigquery = createBigQuery(PROJECT, { ...cloud.environment });
  try {
    const [topics, subscriptions, warehouse, buckets, jobs] = await Promise.all([
      pubsub.getTopics().then(([found]) => found.map(({ name }) => lastPart(name))),
      describeSubscriptions(pubsub, reword),
      describeWarehouse(bigquery),
      describeBuckets(cloud, reword),
      cloud.jobs(),
    ]);
    return {
      functions: Object.fromEntries(
        Object.entries(cloud.variables).map(([name, variables]) => [
          name,
          Object.fromEntries(
            Object.entries(variables).map(([variable, value]) => [
              variable,
              describeVariable(variable, value, reword),
            ]),
          ),
        ]),
      ),
      topics,
      subscriptions,
      jobs: Object.fromEntries(
        jobs.map((job) => [
          job.name,
          {
            cron: job.cron,
            timeZone: job.timeZone,
            url: reword(job.url),
            audience: reword(job.audience),
            account: reword(job.serviceAccount),
            deadlineSeconds: job.attemptDeadlineSeconds,
            retries: job.retryCount,
            backoffSeconds: job.minimumBackoffSeconds,
          },
        ]),
      ),
      ...warehouse,
      buckets,
    };
  } finally {
    await pubsub.close();
  }
}

async function describeSubscriptions(
  pubsub: PubSub,
  reword: (text: string) => string,
): Promise<Deployment['subscriptions']> {
  const [found] = await pubsub.getSubscriptions();
  const described = await Promise.all(
    found.map(async (subscription) => {
      const [is] = await subscription.getMetadata();
      const token = is.pushConfig?.oidcToken;
      const { retryPolicy: retry, deadLetterPolicy: dead } = is;
      return [
        lastPart(subscription.name),
        {
          topic: lastPart(is.topic),
          ackDeadlineSeconds: is.ackDeadlineSeconds ?? 0,
          retentionSeconds: Number(is.messageRetentionDuration?.seconds ?? 0),
          expires: Boolean(is.expirationPolicy?.ttl),
          push: is.pushConfig?.pushEndpoint
            ? {
                endpoint: reword(is.pushConfig.pushEndpoint),
                audience: reword(token?.audience ?? ''),
                account: reword(token?.serviceAccountEmail ?? ''),
              }
            : undefined,
          backoffSeconds: retry
            ? ([Number(retry.minimumBackoff?.seconds), Number(retry.maximumBackoff?.seconds)] as const)
            : undefined,
          deadLetters: dead?.deadLetterTopic
            ? { topic: lastPart(dead.deadLetterTopic), attempts: dead.maxDeliveryAttempts ?? 0 }
            : undefined,
        },
      ] as const;
    }),
  );
  return Object.fromEntries(described);
}

async function describeWarehouse(
  bigquery: BigQuery,
): Promise<Pick<Deployment, 'tables' | 'views' | 'tableFunctions'>> {
  const dataset = bigquery.dataset(DATASET);
  const [[tables], [routines]] = await Promise.all([dataset.getTables(), dataset.getRoutines()]);
  const metadata = await Promise.all(
    tables.map(async (table) => [table.id ?? '', (await table.getMetadata())[0]] as const),
  );
  const functions = await Promise.all(
    routines.map(async (routine) => [routine.id ?? '', (await routine.getMetadata())[0]] as const),
  );
  return {
    tables: Object.fromEntries(
      metadata
        .filter(([, { type }]) => type === 'TABLE')
        .map(([name, is]): [string, Table] => [
          name,
          {
            description: is.description,
            columns: is.schema.fields.map(({ name: column, type, mode, description }: TableField) => ({
              name: column,
              type,
              mode,
              description,
            })),
            clusteredBy: is.clustering?.fields ?? [],
            days: is.timePartitioning && {
              of: is.timePartitioning.field,
              expireMs:
                is.timePartitioning.expirationMs === undefined
                  ? undefined
                  : Number(is.timePartitioning.expirationMs),
            },
            ranges: is.rangePartitioning && {
              of: is.rangePartitioning.field,
              start: Number(is.rangePartitioning.range.start),
              end: Number(is.rangePartitioning.range.end),
              interval: Number(is.rangePartitioning.range.interval),
            },
          },
        ]),
    ),
    views: Object.fromEntries(
      metadata
        .filter(([, { type }]) => type === 'VIEW')
        .map(([name, is]) => [name, { description: is.description, sql: is.view.query }]),
    ),
    tableFunctions: Object.fromEntries(
      functions.map(([name, is]) => [
        name,
        {
          description: is.description,
          arguments: is.arguments.map(
            ({ name: argument, dataType }: { name: string; dataType: { typeKind: string } }) => ({
              name: argument,
              type: dataType.typeKind,
            }),
          ),
          sql: is.definitionBody,
        },
      ]),
    ),
  };
}

async function describeBuckets(
  cloud: LocalCloud,
  reword: (text: string) => string,
): Promise<Deployment['buckets']> {
  const storage = new Storage({ projectId: PROJECT, apiEndpoint: cloud.urls.storage });
  const [found] = await storage.getBuckets();
  return Object.fromEntries(
    found.map(({ name, metadata: { iamConfiguration: access } }) => [
      reword(name),
      {
        uniformAccess: access?.uniformBucketLevelAccess?.enabled ?? false,
        publicAccess: access?.publicAccessPrevention ?? '',
      },
    ]),
  );
}
