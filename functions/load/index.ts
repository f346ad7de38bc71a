import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { readConfiguration, wholeNumber } from '../../shared/configuration/read-configuration.ts';
import { variables } from '../../shared/configuration/variables.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { openWriter } from '../../shared/warehouse/open-writer.ts';
import { createLoadHandler } from './handler.ts';
import { loadCounts } from './metrics.ts';

const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: variables.GOOGLE_CLOUD_PROJECT,
    DATASET: variables.DATASET,
    PUSH_AUDIENCE: variables.PUSH_AUDIENCE,
    PUSH_SERVICE_ACCOUNT: variables.PUSH_SERVICE_ACCOUNT,
    ACK_DEADLINE_SECONDS: wholeNumber(10, 600)
      .default(60)
      .describe('the acknowledgement deadline of the push subscription'),
    METRICS_INTERVAL_SECONDS: variables.METRICS_INTERVAL_SECONDS,
  }),
  environment,
);

const writer = openWriter(configuration.GOOGLE_CLOUD_PROJECT, configuration.DATASET, environment);
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

whenDraining(() => writer.close());
