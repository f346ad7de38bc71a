import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { readConfiguration, wholeNumber } from '../../shared/configuration/read-configuration.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { createStorageWriteClient } from '../../shared/google/storage-write.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { log } from '../../shared/host/log.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { readSettings } from '../../shared/settings/live-settings.ts';
import { openSettingsSource, settingsLocation } from '../../shared/settings/settings-source.ts';
import { createWriter } from '../../shared/warehouse/writer.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createReplayHandler } from './handler.ts';
import { replayCounts } from './metrics.ts';
import { createQuarantineReader } from './read-quarantine.ts';

const mebibyte = 1024 * 1024;
const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: z.string().describe('the Google Cloud project'),
    DATASET: z
      .string()
      .regex(/^\w{1,1024}$/, 'must be letters, digits and underscores')
      .default('tributary')
      .describe('the BigQuery dataset'),
    EVENTS_TOPIC: z.string().default('events').describe('the Pub/Sub topic that is published to'),
    SPILL_BUCKET: z.string().describe('the bucket that ingest spills to'),
    AUDIENCE: z.string().describe('the audience of the tokens of callers, usually the URL of this function'),
    CALLERS: z
      .string()
      .regex(/^[^\s@,]+@[^\s@,]+(,[^\s@,]+@[^\s@,]+)*$/, 'must be emails with commas between')
      .describe('who may call: the accounts of Cloud Scheduler and of operators, with commas between'),
    SETTINGS: settingsLocation
      .optional()
      .describe('the path of the settings, or gs://BUCKET/OBJECT; without it every project is accepted'),
    SETTINGS_OPTIONAL: z.stringbool().default(false).describe('whether there may be no settings there yet'),
    MAX_INFLATED_BYTES: wholeNumber(1024, 64 * mebibyte)
      .default(20 * mebibyte)
      .describe('the largest body, inflated'),
    MAX_EVENTS: wholeNumber(1, 100_000).default(10_000).describe('the most events in a request'),
    TIMEOUT_SECONDS: wholeNumber(1, 3600).default(300).describe('the timeout of requests to this function'),
    METRICS_INTERVAL_SECONDS: wholeNumber(1, 3_600)
      .default(60)
      .describe('how often what was counted is logged'),
  }),
  environment,
);

const { GOOGLE_CLOUD_PROJECT: project, DATASET: dataset } = configuration;
const publisher = createPublisher(project, configuration.EVENTS_TOPIC, environment);
const bucket = openBucket(configuration.SPILL_BUCKET, environment);
const settings = openSettingsSource(configuration.SETTINGS, (name) => openBucket(name, environment));
const storageWrite = createStorageWriteClient(environment);
const writer = createWriter({
  client: storageWrite,
  project,
  dataset,
  onRetry: (retry) => log('WARNING', 'An append is tried again.', { ...retry }),
});

const metrics = createMetrics({ name: 'replay', counted: replayCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const handle = createReplayHandler({
  verifyToken: createTokenVerifier(
    { audience: configuration.AUDIENCE, emails: configuration.CALLERS.split(',') },
    environment,
  ),
  reader: createQuarantineReader(createBigQuery(project, environment), dataset),
  send: publisher.send,
  writer,
  bucket,
  dialects: wireDialects,
  caps: { inflated: configuration.MAX_INFLATED_BYTES, events: configuration.MAX_EVENTS },
  readSettings: () => readSettings(settings, configuration.SETTINGS_OPTIONAL),
  timeoutSeconds: configuration.TIMEOUT_SECONDS,
  now: Date.now,
  callWithinMs: 15_000,
  counts: metrics.counts,
});
http('replay', metrics.timed(handle));

whenDraining(async () => {
  await writer.close();
  await Promise.all([storageWrite.close(), publisher.close()]);
  bucket.close();
  settings?.close();
});
