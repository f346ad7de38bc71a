import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { createControl } from './admin/control.ts';
import { startAdminApi } from './admin/index.ts';
import { readSeed } from './admin/read-seed.ts';
import { type BigQueryFaults, type BigQueryOptions, startBigQuery } from './bigquery/index.ts';
import { createBuckets } from './buckets.ts';
import type { Faults } from './faults.ts';
import { startGoogleApis } from './google-apis.ts';
import { extractValues, readLogMetrics } from './log-metrics.ts';
import { startMonitoring } from './monitoring/index.ts';
import { untilListening } from './processes/ports.ts';
import { type PubSubFaults, type PubSubServer, startPubSub } from './pubsub/index.ts';
import { createQueues, type Queue } from './queues.ts';
import { createReportsApis } from './reports/index.ts';
import { findReportsSeed } from './reports/seed.ts';
import { type Job, type Scheduler, startScheduler } from './scheduler/index.ts';
import { type StorageFaults, startStorage } from './storage/index.ts';
import { createWarehouse } from './warehouse.ts';
import { findWarehouseTemplate } from './warehouse-template.ts';
import { watchTable } from './watch-table.ts';

/** What the process is told, as JSON in its first argument. */
export interface CloudOptions {
  project: string;
  dataset: string;
  dataDir: string;
  ports: {
    pubsub: number;
    bigquery: number;
    bigqueryGrpc: number;
    storage: number;
    googleApis: number;
    monitoring: number;
    adminApi: number;
  };
  queues: Queue[];
  jobs: Job[];
  buckets: string[];
  /** Jobs that run not at their times alone, but soon after rows came into a table. */
  runWhenRowsCome: { job: string; table: string; everyMs: number }[];
  faults: Faults;
  timeScale: number;
}

/** A new data folder begins with a copy of a warehouse that was made before. */
async function startWarehouse({
  dataset,
  ...options
}: BigQueryOptions & { project: string; dataset: string }) {
  const template = existsSync(options.file)
    ? undefined
    : await findWarehouseTemplate(options.project, dataset);
  return startBigQuery({ ...options, template });
}

/** How long pushes wait for their functions to listen: a push that is refused comes again only after ten seconds. */
const WAIT_FOR_FUNCTIONS_MS = 20_000;

/** Serves Pub/Sub, BigQuery and the Google APIs out of the data folder until SIGTERM. */
async function main(options: CloudOptions): Promise<void> {
  const { project, dataset, dataDir, ports, queues, jobs } = options;
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const pubsubFaults: PubSubFaults = {
    redeliverRate: 0,
    publishUnavailableRate: 0,
    publishStoredThenLostRate: 0,
    publishDelayMs: 0,
    random: Math.random,
  };
  const bigqueryFaults: BigQueryFaults = {
    appendFailRate: 0,
    appendStoredThenLostRate: 0,
    refuseAppends: false,
    appendDelayMs: 0,
    random: Math.random,
  };
  const storageFaults: StorageFaults = {
    unavailableRate: 0,
    delayMs: 0,
    storedThenLostRate: 0,
    random: Math.random,
  };
  const setFaults = (faults: Faults) => {
    Object.assign(pubsubFaults, faults.pubsub);
    Object.assign(bigqueryFaults, faults.bigquery);
    Object.assign(storageFaults, faults.storage);
  };
  setFaults(options.faults);

  let counts = (): ReturnType<PubSubServer['counts']> => ({ topics: {}, subscriptions: {} });
  const logMetrics = readLogMetrics();
  // They come one after the other: only the last one can come again.
  let lastEntry: string | undefined;
  let scheduler: Scheduler | undefined;
  // First, since the functions tell their counts as soon as the Google APIs answer.
  const monitoring = await startMonitoring({
    port: ports.monitoring,
    project,
    pubsub: () => counts(),
    logMetrics,
    log,
  });
  const adminApi = await startAdminApi({
    port: ports.adminApi,
    seed: readSeed(join(dataDir, 'admin-api.json')),
    log,
  });
  // What the reporting APIs tell is all in the seed; the sample's sites and channels have data of every day.
  const reportsApis = createReportsApis({ seed: findReportsSeed(dataDir), anonymous: true });
  const [googleApis, bigquery, storage] = await Promise.all([
    startGoogleApis({
      port: ports.googleApis,
      apis: [adminApi.handle, createControl(adminApi, '/_local/admin-api/'), reportsApis.handle],
      keyFile: join(dataDir, 'token-issuer.pem'),
      control: {
        counts: () => counts(),
        faults: () => ({ pubsub: pubsubFaults, bigquery: bigqueryFaults, storage: storageFaults }),
        setFaults,
        jobs: () => jobs,
        async runJob(name) {
          if (scheduler === undefined) throw new Error('The scheduler has not started yet.');
          return scheduler.run(name);
        },
        logEntry(service, insertId, entry) {
          if (insertId === lastEntry) return;
          lastEntry = insertId;
          for (const value of extractValues(logMetrics, service, entry)) monitoring.record(value);
        },
      },
    }),
    startWarehouse({
      restPort: ports.bigquery,
      grpcPort: ports.bigqueryGrpc,
      file: join(dataDir, 'bigquery.duckdb'),
      project,
      dataset,
      faults: bigqueryFaults,
    }),
    startStorage({
      port: ports.storage,
      file: join(dataDir, 'storage.sqlite'),
      faults: storageFaults,
      log,
    }),
  ]);
  const bigqueryClient = createBigQuery(project, { LOCAL_BIGQUERY: `127.0.0.1:${ports.bigquery}` });
  const warehouse = bigqueryClient.dataset(dataset);
  const makingWarehouse = createWarehouse(bigqueryClient, dataset);
  makingWarehouse.catch(() => undefined);
  const makingBuckets = createBuckets(project, ports.storage, options.buckets);
  makingBuckets.catch(() => undefined);

  const listening = AbortSignal.timeout(WAIT_FOR_FUNCTIONS_MS);
  await Promise.all(
    queues.map(({ endpoint }) => untilListening(Number(new URL(endpoint).port), listening).catch(() => {})),
  );
  const pubsub = await startPubSub({
    port: ports.pubsub,
    file: join(dataDir, 'pubsub.sqlite'),
    signToken: googleApis.issuer.sign,
    timeScale: options.timeScale,
    faults: pubsubFaults,
    log,
  });
  counts = () => ({ ...pubsub.counts(), ...storage.counts() });
  createQueues(pubsub.administration, project, queues);
  await Promise.all([makingWarehouse, makingBuckets]);
  const started = startScheduler({ jobs, sign: googleApis.issuer.sign, log });
  scheduler = started;
  const watched = options.runWhenRowsCome.map(({ job, table, everyMs }) =>
    watchTable({
      table: warehouse.table(table),
      everyMs,
      async onRows() {
        const run = await started.run(job);
        if ('error' in run || run.status >= 300) throw new Error(`${job} did not run`);
      },
    }),
  );

  let closing = false;
  const close = async () => {
    if (closing) return;
    closing = true;
    for (const watch of watched) watch.close();
    scheduler?.close();
    await pubsub.close();
    await bigquery.close();
    await storage.close();
    await monitoring.close();
    await adminApi.close();
    await googleApis.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void close());
  process.on('SIGINT', () => void close());
  process.send?.('serving');
}

try {
  // The clients look for a metadata server at start, and a laptop has none.
  process.env.METADATA_SERVER_DETECTION = 'none';
  await main(JSON.parse(process.argv[2] ?? '') as CloudOptions);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
