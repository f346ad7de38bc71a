import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { v1 } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';
import { credentials } from '@grpc/grpc-js';
import { type PubSubFaults, startPubSub } from '../../local/pubsub/index.ts';
import { type StorageFaults, startStorage } from '../../local/storage/index.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { settingsSchema } from '../../shared/settings/settings.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createHandleRequest } from './handle-request.ts';
import { ingestCounts } from './metrics.ts';
import { createPublishQueue } from './publish.ts';
import { createMessageStore } from './publish-or-spill.ts';
import { createSpill } from './spill.ts';

const bucketName = 'tributary-spill';

/** Starts `ingest` on its own host, against a local Pub/Sub and a local Cloud Storage that fail when they are told to. */
export async function startIngest(options: { settings?: object; caps?: { body: number } } = {}) {
  const pubsubFaults: PubSubFaults = {
    redeliverRate: 0,
    publishUnavailableRate: 0,
    publishStoredThenLostRate: 0,
    publishDelayMs: 0,
    random: Math.random,
  };
  const storageFaults: StorageFaults = {
    unavailableRate: 0,
    delayMs: 0,
    storedThenLostRate: 0,
    random: Math.random,
  };
  process.env.METADATA_SERVER_DETECTION = 'none';
  const broker = await startPubSub({ port: 0, file: ':memory:', faults: pubsubFaults });
  const storage = await startStorage({ port: 0, file: ':memory:', faults: storageFaults });
  const administration = new v1.PublisherClient({
    projectId: 'local',
    apiEndpoint: '127.0.0.1',
    port: broker.port,
    sslCreds: credentials.createInsecure(),
  });
  await administration.createTopic({ name: 'projects/local/topics/events' });
  await new Storage({
    projectId: 'local',
    apiEndpoint: `http://127.0.0.1:${storage.port}`,
  }).createBucket(bucketName);
  const environment = {
    LOCAL_PUBSUB: `127.0.0.1:${broker.port}`,
    LOCAL_STORAGE: `127.0.0.1:${storage.port}`,
  };
  const publisher = createPublisher('local', 'events', environment);
  const bucket = openBucket(bucketName, environment);
  const counts = startCounts(ingestCounts);
  const logged: { severity: string; message: string; [field: string]: unknown }[] = [];
  const log = (severity: string, message: string, fields: object = {}) => {
    logged.push({ severity, message, ...fields });
  };
  const messages = createMessageStore({
    queue: createPublishQueue(publisher.send, 200),
    spill: createSpill(bucket, 300),
    counts,
    log,
    now: () => performance.now(),
  });
  const settings = settingsSchema.parse(options.settings ?? {});
  const host = createHost(
    createHandleRequest({
      dialects: wireDialects,
      settings: { current: () => settings },
      store: messages.store,
      counts,
      log,
      logBatches: false,
      now: Date.now,
      caps: { body: 1_000_000, inflated: 4_000_000, events: 100, ...options.caps },
    }),
  );
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = host.server.address() as AddressInfo;

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    counts,
    logged,
    pubsubFaults,
    storageFaults,
    /** Messages that Pub/Sub has taken. */
    published: () => broker.counts().topics['projects/local/topics/events']?.published,
    async spilled(): Promise<number> {
      return (await bucket.list({ most: 1_000 }, 2_000)).objects.length;
    },
    settled: messages.drained,
    async close() {
      await host.drain(2_000);
      await messages.drained();
      bucket.close();
      await Promise.all([publisher.close(), administration.close()]);
      await Promise.all([broker.close(), storage.close()]);
    },
  };
}
