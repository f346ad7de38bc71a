import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { readConfiguration, wholeNumber } from '../../shared/configuration/read-configuration.ts';
import { variables } from '../../shared/configuration/variables.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { readSettings } from '../../shared/settings/live-settings.ts';
import { openSettingsSource, settingsLocation } from '../../shared/settings/settings-source.ts';
import { openWriter } from '../../shared/warehouse/open-writer.ts';
import { createDecisionAppender } from './append-decisions.ts';
import { createFoldHandler } from './handler.ts';
import { foldCounts } from './metrics.ts';

const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: variables.GOOGLE_CLOUD_PROJECT,
    DATASET: variables.DATASET,
    FOLD_BUCKET: z.string().describe('the bucket that holds the lease and the state'),
    AUDIENCE: variables.AUDIENCE,
    CALLERS: variables.CALLERS,
    SETTINGS: settingsLocation
      .optional()
      .describe('the path of the settings, or gs://BUCKET/OBJECT; without it the defaults of identity hold'),
    SETTINGS_OPTIONAL: variables.SETTINGS_OPTIONAL,
    TIMEOUT_SECONDS: wholeNumber(30, 3600).default(900).describe('the timeout of requests to this function'),
    LEASE_SECONDS: wholeNumber(1, 3600)
      .default(120)
      .describe('how long the others wait for a tick that died; one that works renews its lease'),
    MOST_PERSONS: wholeNumber(1, 20_000)
      .default(20_000)
      .describe(
        'the most persons or bindings that change one by one; where more do, everything is folded anew',
      ),
    METRICS_INTERVAL_SECONDS: variables.METRICS_INTERVAL_SECONDS,
  }),
  environment,
);

/** Of the timeout: what the platform and the answer need. */
const answerMarginMs = 10_000;

const { GOOGLE_CLOUD_PROJECT: project, DATASET: dataset } = configuration;
const bucket = openBucket(configuration.FOLD_BUCKET, environment);
const settings = openSettingsSource(configuration.SETTINGS, (name) => openBucket(name, environment));
const writer = openWriter(project, dataset, environment);

const metrics = createMetrics({ name: 'fold', counted: foldCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const handle = createFoldHandler({
  verifyToken: createTokenVerifier(
    { audience: configuration.AUDIENCE, emails: configuration.CALLERS },
    environment,
  ),
  readSettings: () => readSettings(settings, configuration.SETTINGS_OPTIONAL),
  bigquery: createBigQuery(project, environment),
  dataset,
  bucket,
  appendDecisions: createDecisionAppender(writer, 30_000),
  now: Date.now,
  callWithinMs: 10_000,
  leaseMs: configuration.LEASE_SECONDS * 1_000,
  withinMs: configuration.TIMEOUT_SECONDS * 1_000 - answerMarginMs,
  mostPersons: configuration.MOST_PERSONS,
  counts: metrics.counts,
});
http('fold', metrics.timed(handle));

whenDraining(async () => {
  await writer.close();
  bucket.close();
  settings?.close();
});
