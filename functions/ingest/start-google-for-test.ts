import { v1 } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';
import { credentials } from '@grpc/grpc-js';
import { noFaults as noPubSubFaults, startPubSub } from '../../local/pubsub/index.ts';
import { noFaults as noStorageFaults } from '../../local/storage/faults.ts';
import { startStorage } from '../../local/storage/index.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import {
  createPublishQueue,
  defaultPublishLimits,
  type PublishQueue,
  type PublishQueueLimits,
} from './publish.ts';
import { createSpill, defaultSpillLimits, type Spill, type SpillLimits } from './spill.ts';

const topic = 'projects/local/topics/events';
const subscription = 'projects/local/subscriptions/reader';
const bucketName = 'tributary-spill';

/** What is given up soon is what is told to fail; all else has time, however busy the machine is. */
const hastyMs = 400;
const patientMs = 60_000;

/** What is under `ingest`: a Pub/Sub with its topic and a Cloud Storage with its bucket, which fail when they are told to. */
export async function startGoogle() {
  const pubsubFaults = noPubSubFaults();
  const storageFaults = noStorageFaults();
  process.env.METADATA_SERVER_DETECTION = 'none';
  const broker = await startPubSub({ port: 0, file: ':memory:', faults: pubsubFaults });
  const storage = await startStorage({ port: 0, file: ':memory:', faults: storageFaults });
  const connection = {
    projectId: 'local',
    apiEndpoint: '127.0.0.1',
    port: broker.port,
    sslCreds: credentials.createInsecure(),
  };
  const administration = new v1.PublisherClient(connection);
  const subscriber = new v1.SubscriberClient(connection);
  await administration.createTopic({ name: topic });
  await subscriber.createSubscription({ name: subscription, topic });
  const apiEndpoint = `http://127.0.0.1:${storage.port}`;
  const [files] = await new Storage({ projectId: 'local', apiEndpoint }).createBucket(bucketName);
  const environment = {
    LOCAL_PUBSUB: `127.0.0.1:${broker.port}`,
    LOCAL_STORAGE: `127.0.0.1:${storage.port}`,
  };
  const publisher = createPublisher('local', 'events', environment);
  const bucket = openBucket(bucketName, environment);

  const isPubSubDown = () => pubsubFaults.publishUnavailableRate > 0 || pubsubFaults.publishDelayMs > hastyMs;
  const isStorageDown = () => storageFaults.unavailableRate > 0 || storageFaults.delayMs > hastyMs;

  return {
    pubsubFaults,
    storageFaults,
    /** The queue of `ingest`, whose time-out is over soon only while Pub/Sub is told to fail. */
    createQueue(send = publisher.send, limits: Partial<PublishQueueLimits> = {}): PublishQueue {
      const [hasty, patient] = [hastyMs, patientMs].map((timeoutMs) =>
        createPublishQueue(send, timeoutMs, { ...defaultPublishLimits, ...limits }),
      ) as [PublishQueue, PublishQueue];
      return {
        publish: (message) => (isPubSubDown() ? hasty : patient).publish(message),
        giveUpWaiting(reason) {
          hasty.giveUpWaiting(reason);
          patient.giveUpWaiting(reason);
        },
      };
    },
    /** The spill of `ingest`, likewise. */
    createSpill(limits: Partial<SpillLimits> = {}): Spill {
      const write: ObjectStore['write'] = (object, generation) =>
        bucket.write(object, generation, isStorageDown() ? hastyMs : patientMs);
      return createSpill({ write }, patientMs, { ...defaultSpillLimits, ...limits });
    },
    /** As `ingest` uses them. */
    publisher,
    bucket,
    /** The bucket by Google's own client. */
    files,
    /** How many messages Pub/Sub has taken. */
    published: () => broker.counts().topics[topic]?.published,
    /** The data of the messages in Pub/Sub, which is empty then. */
    async takePublished(): Promise<Buffer[]> {
      const taken: Buffer[] = [];
      for (;;) {
        const [{ receivedMessages }] = await subscriber.pull({
          subscription,
          maxMessages: 100,
          returnImmediately: true,
        });
        const got = receivedMessages ?? [];
        if (got.length === 0) return taken;
        taken.push(...got.map(({ message }) => Buffer.from(message?.data ?? '')));
        await subscriber.acknowledge({ subscription, ackIds: got.map(({ ackId }) => ackId ?? '') });
      }
    },
    async close() {
      bucket.close();
      await Promise.all([publisher.close(), administration.close(), subscriber.close()]);
      await Promise.all([broker.close(), storage.close()]);
    },
  };
}
