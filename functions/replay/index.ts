import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { readConfiguration, wholeNumber } from '../../shared/configuration/read-configuration.ts';
import { variables } from '../../shared/configuration/variables.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { readSettings } from '../../shared/settings/live-settings.ts';
import { openSettingsSource, settingsLocation } from '../../shared/settings/settings-source.ts';
import { openWriter } from '../../shared/warehouse/open-writer.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createReplayHandler } from './handler.ts';
import { replayCounts } from './metrics.ts';
import { createQuarantineReader } from './read-quarantine.ts';

const mebibyte = 1024 * 1024;
const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: variables.GOOGLE_CLOUD_PROJECT,
    DATASET: variables.DATASET,
    EVENTS_TOPIC: variables.EVENTS_TOPIC,
    SPILL_BUCKET: z.string().describe('the bucket that ingest spills to'),
    AUDIENCE: variables.AUDIENCE,
    CALLERS: variables.CALLERS,
    SETTINGS: settingsLocation
      .optional()
      .describe('the path of the settings, or gs://BUCKET/OBJECT; without it every project is accepted'),
    SETTINGS_OPTIONAL: variables.SETTINGS_OPTIONAL,
    MAX_INFLATED_BYTES: wholeNumber(1024, 64 * mebibyte)
      .default(20 * mebibyte)
      .describe('the largest body, inflated'),
    MAX_EVENTS: wholeNumber(1, 100_000).default(10_000).describe('the most events in a request'),
    TIMEOUT_SECONDS: wholeNumber(1, 3600).default(300).describe('the timeout of requests to this function'),
    METRICS_INTERVAL_SECONDS: variables.METRICS_INTERVAL_SECONDS,
  }),
  environment,
);

const { GOOGLE_CLOUD_PROJECT: project, DATASET: dataset } = configuration;
const publisher = createPublisher(project, configuration.EVENTS_TOPIC, environment);
const bucket = openBucket(configuration.SPILL_BUCKET, environment);
const settings = openSettingsSource(configuration.SETTINGS, (name) => openBucket(name, environment));
const writer = openWriter(project, dataset, environment);

const metrics = createMetrics({ name: 'replay', counted: replayCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const handle = createReplayHandler({
  verifyToken: createTokenVerifier(
    { audience: configuration.AUDIENCE, emails: configuration.CALLERS },
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
  await publisher.close();
  bucket.close();
  settings?.close();
});
