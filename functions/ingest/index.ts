import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import {
  readConfiguration,
  refuseToStart,
  wholeNumber,
} from '../../shared/configuration/read-configuration.ts';
import { variables } from '../../shared/configuration/variables.ts';
import { openObjectStore } from '../../shared/google/object-store.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { log } from '../../shared/host/log.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { type LiveSettings, openSettings } from '../../shared/settings/live-settings.ts';
import { InvalidSettings } from '../../shared/settings/parse-settings.ts';
import { openSettingsSource, settingsLocation } from '../../shared/settings/settings-source.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createHandleRequest } from './handle-request.ts';
import { ingestCounts } from './metrics.ts';
import { createPublishQueue } from './publish.ts';
import { createMessageStore } from './publish-or-spill.ts';
import { createSpill } from './spill.ts';
import { tuneMemory } from './tune-memory.ts';

tuneMemory();

const mebibyte = 1024 * 1024;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: variables.GOOGLE_CLOUD_PROJECT,
    EVENTS_TOPIC: variables.EVENTS_TOPIC,
    SETTINGS: settingsLocation
      .optional()
      .describe('the path of the settings, or gs://BUCKET/OBJECT; without it every project is accepted'),
    SETTINGS_OPTIONAL: variables.SETTINGS_OPTIONAL,
    SETTINGS_MAX_AGE_MS: wholeNumber(100, 3_600_000)
      .default(60_000)
      .describe('how often it is looked whether there are new settings'),
    PUBLISH_TIMEOUT_MS: wholeNumber(100, 60_000)
      .default(2_000)
      .describe('how long Pub/Sub may take to acknowledge'),
    SPILL_BUCKET: z
      .string()
      .optional()
      .describe('the bucket for what Pub/Sub does not acknowledge; without it that is answered 503'),
    SPILL_TIMEOUT_MS: wholeNumber(100, 60_000)
      .default(5_000)
      .describe('how long the spill bucket may take to store'),
    MAX_BODY_BYTES: wholeNumber(1024, 8 * mebibyte)
      .default(5 * mebibyte)
      .describe('the largest body'),
    MAX_INFLATED_BYTES: wholeNumber(1024, 64 * mebibyte)
      .default(20 * mebibyte)
      .describe('the largest body, inflated'),
    MAX_EVENTS: wholeNumber(1, 100_000).default(10_000).describe('the most events in a request'),
    METRICS_INTERVAL_SECONDS: variables.METRICS_INTERVAL_SECONDS,
    LOG_BATCHES: z.stringbool().default(false).describe('whether to log a line per accepted batch'),
  }),
  process.env,
);

const metrics = createMetrics({ name: 'ingest', counted: ingestCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const { GOOGLE_CLOUD_PROJECT, EVENTS_TOPIC, SPILL_BUCKET } = configuration;
const publisher = createPublisher(GOOGLE_CLOUD_PROJECT, EVENTS_TOPIC, process.env);
const openBucket = (name: string) => openObjectStore(name, process.env, publisher.authorize);
const bucket = SPILL_BUCKET === undefined ? undefined : openBucket(SPILL_BUCKET);
const messages = createMessageStore({
  queue: createPublishQueue(publisher.send, configuration.PUBLISH_TIMEOUT_MS),
  spill: bucket && createSpill(bucket, configuration.SPILL_TIMEOUT_MS),
  counts: metrics.counts,
  log,
  now: () => performance.now(),
});

const settings = openSettingsOrStop();
const handleRequest = createHandleRequest({
  dialects: wireDialects,
  settings,
  store: messages.store,
  counts: metrics.counts,
  log,
  logBatches: configuration.LOG_BATCHES,
  now: Date.now,
  caps: {
    body: configuration.MAX_BODY_BYTES,
    inflated: configuration.MAX_INFLATED_BYTES,
    events: configuration.MAX_EVENTS,
  },
});

http('ingest', metrics.timed(handleRequest));
whenDraining(async () => {
  await messages.drained();
  bucket?.close();
  settings.close();
  await publisher.close();
});

function openSettingsOrStop(): LiveSettings {
  try {
    return openSettings({
      source: openSettingsSource(configuration.SETTINGS, openBucket),
      mayBeAbsent: configuration.SETTINGS_OPTIONAL,
      maximumAgeMs: configuration.SETTINGS_MAX_AGE_MS,
      report: log,
    });
  } catch (error) {
    if (error instanceof InvalidSettings) refuseToStart(`SETTINGS: ${error.message}`);
    throw error;
  }
}
