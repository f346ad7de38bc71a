import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { readConfiguration, wholeNumber } from '../../shared/configuration/read-configuration.ts';
import { createStorageWriteClient } from '../../shared/google/storage-write.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { log } from '../../shared/host/log.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { createWriter } from '../../shared/warehouse/writer.ts';
import { createLoadHandler } from './handler.ts';
import { loadCounts } from './metrics.ts';

const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: z.string().describe('the project that holds the dataset'),
    DATASET: z
      .string()
      .regex(/^\w{1,1024}$/, 'must be letters, digits and underscores')
      .default('tributary')
      .describe('the BigQuery dataset'),
    PUSH_AUDIENCE: z
      .string()
      .describe('the audience of the push subscription, usually the URL of this function'),
    PUSH_SERVICE_ACCOUNT: z
      .string()
      .regex(/^[^\s@]+@[^\s@]+$/, 'must be an email')
      .describe('the service account that Pub/Sub pushes as'),
    ACK_DEADLINE_SECONDS: wholeNumber(10, 600)
      .default(60)
      .describe('the acknowledgement deadline of the push subscription'),
    METRICS_INTERVAL_SECONDS: wholeNumber(1, 3_600)
      .default(60)
      .describe('how often what was counted is logged'),
  }),
  environment,
);

const client = createStorageWriteClient(environment);
const writer = createWriter({
  client,
  project: configuration.GOOGLE_CLOUD_PROJECT,
  dataset: configuration.DATASET,
  onRetry: (retry) => log('WARNING', 'An append is tried again.', { ...retry }),
});
const verifyToken = createTokenVerifier(
  { audience: configuration.PUSH_AUDIENCE, emails: [configuration.PUSH_SERVICE_ACCOUNT] },
  environment,
);

const metrics = createMetrics({ name: 'load', counted: loadCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const load = createLoadHandler({
  verifyToken,
  writer,
  ackDeadlineSeconds: configuration.ACK_DEADLINE_SECONDS,
  counts: metrics.counts,
});
http('load', metrics.timed(load));

whenDraining(async () => {
  await writer.close();
  await client.close();
});
