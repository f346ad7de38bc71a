import { setTimeout as wait } from 'node:timers/promises';
import { noFaults as noBigQueryFaults } from '../../local/bigquery/faults.ts';
import { createBuckets } from '../../local/buckets.ts';
import type { TokenClaims } from '../../local/issuer/index.ts';
import { noFaults as noPubSubFaults, startPubSub } from '../../local/pubsub/index.ts';
import { noFaults as noStorageFaults } from '../../local/storage/faults.ts';
import { startStorage } from '../../local/storage/index.ts';
import { startWarehouse } from '../../local/warehouse-template.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createPubSub } from '../../shared/google/pubsub.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { createSubscriber } from '../../shared/google/pubsub-subscriber.ts';
import { createStorageWriteClient } from '../../shared/google/storage-write.ts';
import type { log as writeLog } from '../../shared/host/log.ts';
import { createWriter } from '../../shared/warehouse/writer.ts';
import { type AppendRows, createRowAppender } from './append-rows.ts';
import { type PullOrder, parseOrder } from './pull-order.ts';
import { openReportStore } from './report-store.ts';
import { type PollOptions, type PollResult, runPoll } from './run-poll.ts';
import { type PullOptions, type PullResult, runPull } from './run-pull.ts';
import type { Service } from './services/service.ts';

const bucketName = 'tributary-reports';
const subscription = 'projects/local/subscriptions/ordered';

export type Logged = { severity: string; message: string; [field: string]: unknown };

/** Starts a local BigQuery, Cloud Storage and Pub/Sub, for polls and pulls in this very process, with a clock of its own. */
export async function startReports(given: { services?: readonly Service[]; nowMs: number }) {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const bigqueryFaults = noBigQueryFaults();
  const storageFaults = noStorageFaults();
  const pubsubFaults = noPubSubFaults();
  /** Of the tokens that pushes carry; serve-for-test.ts brings one. */
  const signer: { sign: (claims: TokenClaims) => Promise<string> } = {
    sign: () => Promise.reject(new Error('nothing is served')),
  };
  const [bigqueryServer, storageServer, pubsubServer] = await Promise.all([
    startWarehouse({ estimatesBytes: false, faults: bigqueryFaults }),
    startStorage({ port: 0, file: ':memory:', faults: storageFaults }),
    startPubSub({
      port: 0,
      file: ':memory:',
      faults: pubsubFaults,
      signToken: (claims) => signer.sign(claims),
    }),
  ]);
  const environment: NodeJS.ProcessEnv = {
    LOCAL_BIGQUERY: `127.0.0.1:${bigqueryServer.restPort}`,
    LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${bigqueryServer.grpcPort}`,
    LOCAL_STORAGE: `127.0.0.1:${storageServer.port}`,
    LOCAL_PUBSUB: `127.0.0.1:${pubsubServer.port}`,
  };
  const bigquery = createBigQuery('local', environment);
  const pubsub = createPubSub('local', environment);
  const [topic] = await pubsub.createTopic('pulls');
  await Promise.all([
    topic.createSubscription('ordered'),
    createBuckets('local', storageServer.port, [bucketName]),
  ]);
  await pubsub.close();
  const publisher = createPublisher('local', 'pulls', environment);
  const subscriber = createSubscriber('local', 'ordered', environment);
  const bucket = openBucket(bucketName, environment);
  const storageWrite = createStorageWriteClient(environment);
  const limits = { firstRetryDelayMs: 5, longestRetryDelayMs: 50, appendTimeoutMs: 1_000 };
  const writer = createWriter({ client: storageWrite, project: 'local', dataset: 'tributary', limits });
  const logged: Logged[] = [];
  const log: typeof writeLog = (severity, message, fields) => logged.push({ severity, message, ...fields });
  const clock = { nowMs: given.nowMs };
  /** How long what fails is tried again. */
  const patience = { appendMs: 10_000 };

  const common = {
    services: given.services ?? [],
    bucket,
    store: openReportStore(bigquery, 'tributary', 20_000),
    append: ((table, rows) => createRowAppender(writer, patience.appendMs)(table, rows)) satisfies AppendRows,
    ladder: [1, 2, 3, 7, 28],
    now: () => clock.nowMs,
    random: Math.random,
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      await wait(Math.min(1, milliseconds), undefined, { signal });
    },
    callWithinMs: 5_000,
    leaseMs: 60_000,
    withinMs: 60_000,
    log,
  };
  const pollOptions: PollOptions = { ...common, send: publisher.send, lookbackDays: 3 };
  const pullOptions: PullOptions = { ...common, reserveShare: 0.2 };

  async function query(sql: string): Promise<Record<string, unknown>[]> {
    const [rows] = await bigquery.query({ query: sql, defaultDataset: { datasetId: 'tributary' } });
    return rows;
  }

  return {
    pollOptions,
    pullOptions,
    clock,
    patience,
    logged,
    bucket,
    environment,
    bigqueryFaults,
    storageFaults,
    pubsubFaults,
    signer,
    query,
    /** Messages that the pushing subscription has not got rid of. */
    backlog: () => pubsubServer.counts().subscriptions['projects/local/subscriptions/pushed']?.backlog ?? 0,
    poll: (other: Partial<PollOptions> = {}): Promise<PollResult> => runPoll({ ...pollOptions, ...other }),
    pull: (order: PullOrder, other: Partial<PullOptions> = {}): Promise<PullResult> =>
      runPull(order, { ...pullOptions, ...other }),
    /** The orders that were published since the last time. */
    async ordered(): Promise<PullOrder[]> {
      const orders: PullOrder[] = [];
      const backlog = () => pubsubServer.counts().subscriptions[subscription]?.backlog ?? 0;
      while (backlog() > 0) {
        const pulled = await subscriber.pull(1_000, 5_000);
        for (const { data } of pulled) {
          const order = parseOrder(data);
          if (order === undefined) throw new Error('no order');
          orders.push(order);
        }
        await subscriber.acknowledge(pulled.map(({ ackId }) => ackId));
      }
      return orders;
    },
    /** report_current as lines: `report entity date country views`. */
    async current(): Promise<string[]> {
      const rows = await query(`
        SELECT CONCAT(report, ' ', entity_id, ' ', CAST(date AS STRING), ' ', JSON_VALUE(dimensions, '$.country'), ' ',
          JSON_VALUE(metrics, '$.views')) AS line
        FROM report_current ORDER BY line`);
      return rows.map(({ line }) => String(line));
    },
    async close(): Promise<void> {
      await writer.close();
      await Promise.all([storageWrite.close(), publisher.close(), subscriber.close()]);
      bucket.close();
      await Promise.all([bigqueryServer.close(), storageServer.close(), pubsubServer.close()]);
    },
  };
}

export type StartedReports = Awaited<ReturnType<typeof startReports>>;
