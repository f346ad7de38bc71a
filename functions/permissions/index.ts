import { setTimeout as sleep } from 'node:timers/promises';
import { http } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { readConfiguration, wholeNumber } from '../../shared/configuration/read-configuration.ts';
import { emails, variables } from '../../shared/configuration/variables.ts';
import { createAnalyticsAdminClient } from '../../shared/google/analytics-admin.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { log } from '../../shared/host/log.ts';
import { createMetrics, writeEvery } from '../../shared/host/metrics.ts';
import { whenDraining } from '../../shared/host/when-draining.ts';
import { openSettingsSource, settingsLocation } from '../../shared/settings/settings-source.ts';
import { openWriter } from '../../shared/warehouse/open-writer.ts';
import { createAdminApi } from './admin-api.ts';
import { createAppender } from './append-rows.ts';
import { createPermissionsHandler } from './handler.ts';
import { createLimiter } from './limiter.ts';
import { permissionsCounts } from './metrics.ts';
import { createPlanStore } from './plan-store.ts';
import { shareOf } from './quota-limits.ts';
import { createPolicyReader } from './read-policy.ts';
import { createCallerVerifier } from './verify-caller.ts';

const environment = process.env;

const configuration = readConfiguration(
  z.object({
    GOOGLE_CLOUD_PROJECT: variables.GOOGLE_CLOUD_PROJECT,
    DATASET: variables.DATASET,
    ACCESS_BUCKET: z.string().describe('the bucket that holds leases, journals and plans'),
    AUDIENCE: variables.AUDIENCE,
    CALLERS: variables.CALLERS,
    POLICY: settingsLocation.describe('the path of the policy of callers, or gs://BUCKET/OBJECT'),
    GOOGLE_ACCOUNT: z
      .email()
      .describe('the address that Google Analytics knows this function by, whose access it never takes'),
    KEY_FILE: z
      .string()
      .optional()
      .describe(
        'a mounted service account or refresh token; without it the credentials are those of the function',
      ),
    REQUIRED_ADMINISTRATORS: emails()
      .optional()
      .describe('who stays administrator of every account that is touched, with commas between'),
    MINIMUM_ADMINISTRATORS: wholeNumber(1, 100)
      .default(1)
      .describe('how many administrators an account keeps'),
    MAXIMUM_REMOVALS_PERCENT: wholeNumber(0, 100)
      .default(25)
      .describe('how many of the bindings of an account one request may take, unless it says otherwise'),
    MINIMUM_EXISTING: wholeNumber(0, 1_000_000)
      .default(10)
      .describe('in accounts with fewer bindings than this any number of them may go'),
    CALLS_PER_MINUTE: wholeNumber(1, 1_000_000).default(1_200).describe('the quota of calls of the project'),
    CALLS_PER_MINUTE_PER_USER: wholeNumber(1, 1_000_000)
      .default(600)
      .describe('the quota of calls of the project and one account'),
    WRITES_PER_MINUTE: wholeNumber(1, 1_000_000).default(600).describe('the quota of writes of the project'),
    WRITES_PER_MINUTE_PER_USER: wholeNumber(1, 1_000_000)
      .default(180)
      .describe('the quota of writes of the project and one account'),
    QUOTA_PERCENT: wholeNumber(1, 100).default(80).describe('how much of these quotas is used'),
    CALL_SECONDS: wholeNumber(1, 300).default(60).describe('how long one call of the Admin API may take'),
    TIMEOUT_SECONDS: wholeNumber(60, 3_600)
      .default(1_800)
      .describe('the timeout of requests to this function'),
    LEASE_SECONDS: wholeNumber(1, 3_600)
      .default(120)
      .describe('how long others wait for a request that died; one that works renews its lease'),
    METRICS_INTERVAL_SECONDS: variables.METRICS_INTERVAL_SECONDS,
  }),
  environment,
);

/** Of the timeout: what is under way must still end. */
const answerMarginMs = 45_000;

const { GOOGLE_CLOUD_PROJECT: project, DATASET: dataset } = configuration;
const bucket = openBucket(configuration.ACCESS_BUCKET, environment);
const policy = openSettingsSource(configuration.POLICY, (name) => openBucket(name, environment));
if (policy === undefined) throw new Error('POLICY names no place');
const client = createAnalyticsAdminClient(environment, configuration.KEY_FILE);
const writer = openWriter(project, dataset, environment);

const metrics = createMetrics({ name: 'permissions', counted: permissionsCounts });
writeEvery(metrics, configuration.METRICS_INTERVAL_SECONDS);

const clock = { now: Date.now, sleep: (ms: number) => sleep(ms) };
const limits = shareOf(
  {
    callsPerProject: configuration.CALLS_PER_MINUTE,
    callsPerUser: configuration.CALLS_PER_MINUTE_PER_USER,
    writesPerProject: configuration.WRITES_PER_MINUTE,
    writesPerUser: configuration.WRITES_PER_MINUTE_PER_USER,
  },
  configuration.QUOTA_PERCENT / 100,
);

const lower = (address: string) => address.toLowerCase();
const callWithinMs = 15_000;

const handle = createPermissionsHandler({
  verifyCaller: createCallerVerifier({
    verifyToken: createTokenVerifier(
      { audience: configuration.AUDIENCE, emails: configuration.CALLERS },
      environment,
    ),
    what: 'a call',
    log,
    readPolicy: createPolicyReader(policy, (severity, message) => log(severity, message)),
  }),
  api: createAdminApi({
    client,
    limiter: createLimiter(limits, clock),
    clock,
    callWithinMs: configuration.CALL_SECONDS * 1_000,
  }),
  guards: {
    minimumAdministrators: configuration.MINIMUM_ADMINISTRATORS,
    requiredAdministrators: (configuration.REQUIRED_ADMINISTRATORS ?? []).map(lower),
    maximumShareOfRemovals: configuration.MAXIMUM_REMOVALS_PERCENT / 100,
    minimumExisting: configuration.MINIMUM_EXISTING,
    self: [lower(configuration.GOOGLE_ACCOUNT)],
  },
  limits,
  plans: createPlanStore(bucket, callWithinMs),
  journal: { bucket, callWithinMs },
  lease: { bucket, now: Date.now, callWithinMs, lastsMs: configuration.LEASE_SECONDS * 1_000 },
  append: createAppender(writer, 30_000),
  now: Date.now,
  withinMs: configuration.TIMEOUT_SECONDS * 1_000 - answerMarginMs,
  counts: metrics.counts,
});
http('permissions', metrics.timed(handle));

whenDraining(async () => {
  await writer.close();
  await client.close();
  bucket.close();
  policy.close();
});
