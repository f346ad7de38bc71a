import { setTimeout as wait } from 'node:timers/promises';
import type { TokenClaims } from '../../local/issuer/index.ts';
import { noFaults as noPubSubFaults, startPubSub } from '../../local/pubsub/index.ts';
import { startStores } from '../../local/stores-for-test.ts';
import { createPubSub } from '../../shared/google/pubsub.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { createSubscriber } from '../../shared/google/pubsub-subscriber.ts';
import type { log as writeLog } from '../../shared/host/log.ts';
import { type AppendRows, createRowAppender } from './append-rows.ts';
import { type PullOrder, parseOrder } from './pull-order.ts';
import { openReportStore } from './report-store.ts';
import { type PollOptions, type PollResult, runPoll } from './run-poll.ts';
import { type PullOptions, type PullResult, runPull } from './run-pull.ts';
import type { Service } from './services/service.ts';

const subscription = 'projects/local/subscriptions/ordered';

export type Logged = { severity: string; message: string; [field: string]: unknown };

/** Starts a local BigQuery, Cloud Storage and Pub/Sub, for polls and pulls in this very process, with a clock of its own. */
export async function startReports(given: { services?: readonly Service[]; nowMs: number }) {
  const pubsubFaults = noPubSubFaults();
  /** Of the tokens that pushes carry; serve-for-test.ts brings one. */
  const signer: { sign: (claims: TokenClaims) => Promise<string> } = {
    sign: () => Promise.reject(new Error('nothing is served')),
  };
  const limits = { firstRetryDelayMs: 5, longestRetryDelayMs: 50, appendTimeoutMs: 1_000 };
  const [stores, pubsubServer] = await Promise.all([
    startStores({ bucket: 'tributary-reports', limits }),
    startPubSub({
      port: 0,
      file: ':memory:',
      faults: pubsubFaults,
      signToken: (claims) => signer.sign(claims),
    }),
  ]);
  const { bigquery, bucket, writer, bigqueryFaults, storageFaults, query } = stores;
  const environment: NodeJS.ProcessEnv = {
    ...stores.environment,
    LOCAL_PUBSUB: `127.0.0.1:${pubsubServer.port}`,
  };
  const pubsub = createPubSub('local', environment);
  const [topic] = await pubsub.createTopic('pulls');
  await topic.createSubscription('ordered');
  await pubsub.close();
  const publisher = createPublisher('local', 'pulls', environment);
  const subscriber = createSubscriber('local', 'ordered', environment);
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
      await Promise.all([publisher.close(), subscriber.close()]);
      await Promise.all([stores.close(), pubsubServer.close()]);
    },
  };
}

export type StartedReports = Awaited<ReturnType<typeof startReports>>;
