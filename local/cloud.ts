import { join } from 'node:path';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { createPubSub } from '../shared/google/pubsub.ts';
import { type BigQueryFaults, startBigQuery } from './bigquery/index.ts';
import type { Faults } from './faults.ts';
import { startGoogleApis } from './google-apis.ts';
import { untilListening } from './processes/ports.ts';
import { type PubSubFaults, startPubSub } from './pubsub/index.ts';
import { createQueues, type Queue } from './queues.ts';
import { createWarehouse } from './warehouse.ts';

/** What the process is told, as JSON in its first argument. */
export interface CloudOptions {
  project: string;
  dataset: string;
  dataDir: string;
  ports: { pubsub: number; bigquery: number; bigqueryGrpc: number; googleApis: number };
  queues: Queue[];
  faults: Faults;
  timeScale: number;
}

/** How long pushes wait for their functions to listen: a push that is refused comes again only after ten seconds. */
const WAIT_FOR_FUNCTIONS_MS = 20_000;

/** Serves Pub/Sub, BigQuery and the Google APIs out of the data folder until SIGTERM. */
async function main(options: CloudOptions): Promise<void> {
  const { project, dataset, dataDir, ports, queues } = options;
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const pubsubFaults: PubSubFaults = {
    redeliverRate: 0,
    publishUnavailableRate: 0,
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
  const setFaults = (faults: Faults) => {
    Object.assign(pubsubFaults, faults.pubsub);
    Object.assign(bigqueryFaults, faults.bigquery);
  };
  setFaults(options.faults);

  let counts = (): object => ({ topics: {}, subscriptions: {} });
  const [googleApis, bigquery] = await Promise.all([
    startGoogleApis({
      port: ports.googleApis,
      keyFile: join(dataDir, 'token-issuer.pem'),
      control: {
        counts: () => counts(),
        faults: () => ({ pubsub: pubsubFaults, bigquery: bigqueryFaults }),
        setFaults,
      },
    }),
    startBigQuery({
      restPort: ports.bigquery,
      grpcPort: ports.bigqueryGrpc,
      file: join(dataDir, 'bigquery.duckdb'),
      project,
      faults: bigqueryFaults,
    }),
  ]);
  const makingWarehouse = createWarehouse(
    createBigQuery(project, { LOCAL_BIGQUERY: `127.0.0.1:${ports.bigquery}` }),
    dataset,
  );
  makingWarehouse.catch(() => undefined);

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
  counts = pubsub.counts;
  const client = createPubSub(project, { LOCAL_PUBSUB: `127.0.0.1:${ports.pubsub}` });
  await Promise.all([createQueues(client, queues), makingWarehouse]);
  await client.close();

  let closing = false;
  const close = async () => {
    if (closing) return;
    closing = true;
    await pubsub.close();
    await bigquery.close();
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
