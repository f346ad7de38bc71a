import { readFileSync } from 'node:fs';
import type { BigQuery } from '@google-cloud/bigquery';
import type { MetricServiceClient } from '@google-cloud/monitoring';
import { z } from 'zod';
import type { ObjectStore } from '../shared/google/cloud-storage.ts';
import type {
  FoldBacklog,
  OpenQuarantine,
  Part,
  PathCounts,
  QueueState,
  SpillState,
} from './status-report.ts';

export interface Clients {
  readonly monitoring: MetricServiceClient;
  readonly bigquery: BigQuery;
  /** Undefined where the bucket is not known. */
  readonly spill: ObjectStore | undefined;
  /** Each rejects where nothing listens: the clients would try for longer than anybody waits. */
  readonly find: { readonly bigquery: () => Promise<void>; readonly storage: () => Promise<void> };
}

export interface ReadOptions {
  readonly project: string;
  readonly dataset: string;
  readonly hours: number;
  /** For each part. */
  readonly withinMs: number;
}

/** The log-based metrics of infra/log-metrics.json that make up the path. */
export const pathMetrics: Readonly<Record<keyof PathCounts, string>> = {
  received: 'tributary/ingest.events.received',
  accepted: 'tributary/ingest.events.accepted',
  duplicate: 'tributary/ingest.events.duplicate',
  quarantined: 'tributary/ingest.events.quarantined',
  dropped: 'tributary/ingest.events.dropped',
  limited: 'tributary/ingest.events.limited',
  requestsUnstored: 'tributary/ingest.requests.unstored',
  messagesPublished: 'tributary/ingest.messages.published',
  messagesSpilled: 'tributary/ingest.messages.spilled',
  delivered: 'tributary/load.events.delivered',
  appended: 'tributary/load.events.appended',
  refused: 'tributary/load.events.refused',
  returned: 'tributary/load.events.returned',
};

/** Reads every part, each on its own: what cannot be told says why, and never fails the others. */
export async function readParts(clients: Clients, options: ReadOptions) {
  const { monitoring, bigquery, spill, find } = clients;
  const { withinMs } = options;
  const part = <T>(reading: Promise<T>) => settle(reading, withinMs);
  const [path, queue, spilled, quarantine, lastEvent, fold] = await Promise.all([
    // A client that has no credentials says so here, and in a call throws where nobody can catch it.
    part(monitoring.initialize().then(() => readPath(monitoring, options))),
    part(monitoring.initialize().then(() => readQueue(monitoring, options))),
    part(find.storage().then(() => readSpill(spill, withinMs))),
    part(find.bigquery().then(() => readQuarantine(bigquery, options))),
    part(find.bigquery().then(() => readLastEvent(bigquery, options))),
    part(find.bigquery().then(() => readFold(bigquery, options))),
  ]);
  return { path, queue, spill: spilled, quarantine, lastEvent, fold };
}

async function settle<T>(reading: Promise<T>, withinMs: number): Promise<Part<T>> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs / 1000} s`)), withinMs);
  });
  try {
    return { kind: 'told', value: await Promise.race([reading, tooLate]) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unavailable', reason: reason.replace(/ Resolution note:.*|\n.*/s, '').slice(0, 300) };
  } finally {
    clearTimeout(timer);
  }
}

async function readPath(monitoring: MetricServiceClient, options: ReadOptions): Promise<PathCounts> {
  const counts = await Promise.all(
    Object.entries(pathMetrics).map(
      async ([key, name]) => [key, await sumOf(monitoring, name, options)] as const,
    ),
  );
  return z.record(z.string(), z.number()).parse(Object.fromEntries(counts)) as unknown as PathCounts;
}

/** Google answers so for a log-based metric that has no line yet. */
const notFound = 5;

/** What a log-based metric recorded in the last hours: each distribution's count times its mean. */
async function sumOf(
  monitoring: MetricServiceClient,
  name: string,
  { project, hours, withinMs }: ReadOptions,
): Promise<number> {
  const seconds = hours * 3_600;
  const end = Math.floor(Date.now() / 1000);
  const request = {
    name: `projects/${project}`,
    filter: `metric.type = "logging.googleapis.com/user/${name}"`,
    interval: { startTime: { seconds: end - seconds }, endTime: { seconds: end } },
    aggregation: {
      alignmentPeriod: { seconds },
      perSeriesAligner: 'ALIGN_DELTA',
      crossSeriesReducer: 'REDUCE_SUM',
    },
  } as const;
  try {
    const [series] = await monitoring.listTimeSeries(request, { timeout: withinMs, retry: null });
    const points = series.flatMap((one) => one.points ?? []);
    return points.reduce((sum, { value }) => {
      const { count = 0, mean = 0 } = value?.distributionValue ?? {};
      return sum + Math.round(Number(count) * Number(mean));
    }, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === notFound) return 0;
    throw error;
  }
}

const subscription = 'events-load';
const deadLetterHold = 'events-dead-hold';

async function readQueue(monitoring: MetricServiceClient, options: ReadOptions): Promise<QueueState> {
  const latest = (metric: string, id: string) => latestOf(monitoring, metric, id, options);
  const [undelivered, oldestSeconds, deadLetters] = await Promise.all([
    latest('num_undelivered_messages', subscription),
    latest('oldest_unacked_message_age', subscription),
    latest('num_undelivered_messages', deadLetterHold),
  ]);
  return { undelivered, oldestSeconds, deadLetters };
}

/** Pub/Sub is sampled every minute, and a sample may show four minutes later; with none there is nothing to deliver. */
const samplesReachBackSeconds = 600;

async function latestOf(
  monitoring: MetricServiceClient,
  metric: string,
  id: string,
  { project, withinMs }: ReadOptions,
): Promise<number> {
  const end = Math.floor(Date.now() / 1000);
  const [series] = await monitoring.listTimeSeries(
    {
      name: `projects/${project}`,
      filter: `metric.type = "pubsub.googleapis.com/subscription/${metric}" AND resource.labels.subscription_id = "${id}"`,
      interval: { startTime: { seconds: end - samplesReachBackSeconds }, endTime: { seconds: end } },
    },
    { timeout: withinMs, retry: null },
  );
  // Points come newest first.
  return Number(series[0]?.points?.[0]?.value?.int64Value ?? 0);
}

const pageSize = 1_000;
const mostPages = 20;

async function readSpill(spill: ObjectStore | undefined, withinMs: number): Promise<SpillState> {
  if (spill === undefined) throw new Error('name the bucket with --spill-bucket (SPILL_BUCKET)');
  let objects = 0;
  let bytes = 0;
  let oldest: Date | undefined;
  let pageToken: string | undefined;
  let pages = 0;
  do {
    const page = await spill.list({ most: pageSize, pageToken }, withinMs);
    pages++;
    for (const object of page.objects) {
      objects++;
      bytes += object.bytes;
      if (oldest === undefined || object.createdAt < oldest) oldest = object.createdAt;
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && pages < mostPages);
  return { objects, bytes, oldest, isWhole: pageToken === undefined };
}

const timestamp = z.object({ value: z.string() }).transform(({ value }) => new Date(value));
const quarantineRows = z.array(
  z.object({
    reason: z.string(),
    project: z.string().nullable(),
    open: z.number(),
    replayable: z.number(),
    oldest: timestamp,
  }),
);

async function readQuarantine(bigquery: BigQuery, options: ReadOptions): Promise<OpenQuarantine[]> {
  return quarantineRows.parse(await query(bigquery, 'status-quarantine.sql', options));
}

const lastEventRows = z.tuple([z.object({ received_at: timestamp.nullable() })]);

async function readLastEvent(bigquery: BigQuery, options: ReadOptions): Promise<Date | undefined> {
  const [row] = lastEventRows.parse(await query(bigquery, 'status-last-event.sql', options));
  return row.received_at ?? undefined;
}

const foldRows = z.tuple([z.object({ waiting: z.number(), oldest: timestamp.nullable() })]);

async function readFold(bigquery: BigQuery, options: ReadOptions): Promise<FoldBacklog> {
  const [row] = foldRows.parse(await query(bigquery, 'status-fold.sql', options));
  return { waiting: row.waiting, oldest: row.oldest ?? undefined };
}

async function query(
  bigquery: BigQuery,
  file: string,
  { dataset, withinMs }: ReadOptions,
): Promise<unknown[]> {
  const sql = readFileSync(new URL(file, import.meta.url), 'utf8').replaceAll('`tributary.', `\`${dataset}.`);
  const [rows] = await bigquery.query({ query: sql, jobTimeoutMs: withinMs });
  return rows;
}
