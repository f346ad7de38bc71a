import { setTimeout as wait } from 'node:timers/promises';
import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import {
  readConfiguration,
  refuseToStart,
  wholeNumber,
} from '../../shared/configuration/read-configuration.ts';
import { variables } from '../../shared/configuration/variables.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createPublisher } from '../../shared/google/pubsub-publisher.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { log } from '../../shared/host/log.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { openSettingsSource, settingsLocation } from '../../shared/settings/settings-source.ts';
import { openWriter } from '../../shared/warehouse/open-writer.ts';
import { createRowAppender } from './append-rows.ts';
import { reportsCounts } from './metrics.ts';
import { createServicesReader } from './open-services.ts';
import { createPollHandler } from './poll-handler.ts';
import { createPullHandler } from './pull-handler.ts';
import { openReportStore } from './report-store.ts';
import { services } from './services/index.ts';

const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: variables.GOOGLE_CLOUD_PROJECT,
    DATASET: variables.DATASET,
    REPORTS_BUCKET: z
      .string()
      .describe('the bucket that holds the leases and what is remembered between calls'),
    REPORTS: settingsLocation
      .optional()
      .describe(
        'the path of the configuration of reports, or gs://BUCKET/OBJECT; without it nothing is pulled',
      ),
    REPORTS_OPTIONAL: z
      .stringbool()
      .default(false)
      .describe('whether there may be no configuration there yet'),
    REPORTS_MAX_AGE_MS: wholeNumber(0, 3_600_000)
      .default(60_000)
      .describe('when a version of the configuration is looked at again'),
    PULLS_TOPIC: z.string().default('pulls').describe('the Pub/Sub topic of orders'),
    AUDIENCE: variables.AUDIENCE.optional().describe('reports-poll: the audience of the tokens of callers'),
    CALLERS: variables.CALLERS.optional().describe(
      'reports-poll: who may call, the accounts of Cloud Scheduler and of operators',
    ),
    PUSH_AUDIENCE: variables.PUSH_AUDIENCE.optional().describe(
      'reports-pull: the audience of the push subscription',
    ),
    PUSH_SERVICE_ACCOUNT: variables.PUSH_SERVICE_ACCOUNT.optional().describe(
      'reports-pull: the service account that Pub/Sub pushes as',
    ),
    ACK_DEADLINE_SECONDS: wholeNumber(10, 600)
      .default(300)
      .describe('reports-pull: the acknowledgement deadline of the push subscription'),
    QUOTA_RESERVE_PERCENT: wholeNumber(0, 90)
      .default(20)
      .describe('reports-pull: the part of each quota that is left to others'),
    TIMEOUT_SECONDS: wholeNumber(30, 3600)
      .default(900)
      .describe('reports-poll: the timeout of requests to this function'),
    LEASE_SECONDS: wholeNumber(1, 3600)
      .default(30)
      .describe('how long the others wait for one that died; one that works renews its lease'),
    METRICS_INTERVAL_SECONDS: variables.METRICS_INTERVAL_SECONDS,
  }),
  environment,
);

const target = environment.FUNCTION_TARGET ?? 'reports-poll';
/** Of the time that a request has: what the last write and the answer need. */
const answerMarginMs = 30_000;

const { GOOGLE_CLOUD_PROJECT: project, DATASET: dataset } = configuration;
const bucket = openBucket(configuration.REPORTS_BUCKET, environment);
const source = openSettingsSource(configuration.REPORTS, (name) => openBucket(name, environment));
const publisher = createPublisher(project, configuration.PULLS_TOPIC, environment);
const writer = openWriter(project, dataset, environment);
const metrics = createMetrics({ name: target, counted: reportsCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const common = {
  readServices: createServicesReader({
    source,
    mayBeAbsent: configuration.REPORTS_OPTIONAL,
    modules: services,
    environment,
    maximumAgeMs: configuration.REPORTS_MAX_AGE_MS,
    now: Date.now,
    log,
  }),
  bucket,
  store: openReportStore(createBigQuery(project, environment), dataset, 60_000),
  append: createRowAppender(writer, 30_000),
  now: Date.now,
  random: Math.random,
  sleep: async (milliseconds: number, signal: AbortSignal) => {
    await wait(milliseconds, undefined, { signal });
  },
  callWithinMs: 10_000,
  leaseMs: configuration.LEASE_SECONDS * 1_000,
  counts: metrics.counts,
  log,
};

if (target === 'reports-pull') {
  const { PUSH_AUDIENCE: audience, PUSH_SERVICE_ACCOUNT: pusher } = configuration;
  if (audience === undefined || pusher === undefined) {
    refuseToStart('The environment is not complete.\n  PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT must be set.');
  }
  const handle = createPullHandler({
    ...common,
    verifyToken: createTokenVerifier({ audience, emails: [pusher] }, environment),
    reserveShare: configuration.QUOTA_RESERVE_PERCENT / 100,
    withinMs: Math.max(5_000, configuration.ACK_DEADLINE_SECONDS * 1_000 - answerMarginMs),
  });
  http('reports-pull', metrics.timed(handle));
} else {
  const { AUDIENCE: audience, CALLERS: callers } = configuration;
  if (audience === undefined || callers === undefined) {
    refuseToStart('The environment is not complete.\n  AUDIENCE and CALLERS must be set.');
  }
  const handle = createPollHandler({
    ...common,
    verifyToken: createTokenVerifier({ audience, emails: callers }, environment),
    send: publisher.send,
    withinMs: Math.max(5_000, configuration.TIMEOUT_SECONDS * 1_000 - answerMarginMs),
  });
  http('reports-poll', metrics.timed(handle));
}

whenDraining(async () => {
  await writer.close();
  await publisher.close();
  bucket.close();
  source?.close();
});
