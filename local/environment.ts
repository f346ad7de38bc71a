import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Deployable } from '../shared/deployables.ts';
import { ACCOUNT_DOMAIN } from './triggers.ts';

/** By what they hold; in Google Cloud their names have the project in front. */
export const BUCKETS = {
  spill: 'tributary-spill',
  fold: 'tributary-fold',
  reports: 'tributary-reports',
  access: 'tributary-access',
} as const;

/** What a function uses, as infra/access.tf has it; `reads` is of the files that operators write. */
interface Uses {
  readonly bucket?: keyof typeof BUCKETS;
  readonly reads?: 'settings' | 'reports' | 'policy';
  readonly publishes?: string;
  readonly warehouse?: true;
}

const uses: Readonly<Record<string, Uses>> = {
  ingest: { bucket: 'spill', reads: 'settings', publishes: 'events' },
  load: { warehouse: true },
  replay: { bucket: 'spill', reads: 'settings', publishes: 'events', warehouse: true },
  fold: { bucket: 'fold', reads: 'settings', warehouse: true },
  permissions: { bucket: 'access', reads: 'policy', warehouse: true },
  'reports-poll': { bucket: 'reports', reads: 'reports', publishes: 'pulls', warehouse: true },
  'reports-pull': { bucket: 'reports', reads: 'reports', warehouse: true },
};

/** Whom the sample of the local Admin API has as administrator of its accounts. */
const PERMISSIONS_ACCOUNT = `permissions@${ACCOUNT_DOMAIN}`;

export interface LocalFiles {
  dataDir: string;
  dataset: string;
  /** The settings that were named; undefined for settings.json of the data folder, which need not be there. */
  settings: string | undefined;
}

/**
 * The variables that name what a function uses: those that infra/access.tf gives it in Google Cloud, and no others, which
 * test/infra/contract.test.ts holds it to. Throws for a function that is not known here.
 */
export function describeUses(
  { name }: Deployable,
  { dataDir, dataset, settings }: LocalFiles,
): Record<string, string> {
  const it = uses[name];
  if (it === undefined) throw new Error(`local/environment.ts does not say what ${name} uses.`);
  const files = {
    settings: {
      SETTINGS: settings ?? join(dataDir, 'settings.json'),
      SETTINGS_OPTIONAL: String(settings === undefined),
    },
    reports: { REPORTS: join(dataDir, 'reports.yaml'), REPORTS_OPTIONAL: 'true' },
    policy: { POLICY: findPolicy(dataDir), GOOGLE_ACCOUNT: PERMISSIONS_ACCOUNT },
  };
  return {
    ...(it.warehouse ? { DATASET: dataset } : {}),
    ...(it.bucket === undefined ? {} : { [`${it.bucket.toUpperCase()}_BUCKET`]: BUCKETS[it.bucket] }),
    ...(it.publishes === undefined ? {} : { [`${it.publishes.toUpperCase()}_TOPIC`]: it.publishes }),
    ...(it.reads === undefined ? {} : files[it.reads]),
  };
}

/** What is so on a laptop only: whoever looks at it does not wait for a minute. */
export const laptopEnvironment = {
  NODE_ENV: 'production',
  LOG_BATCHES: 'true',
  METRICS_INTERVAL_SECONDS: '2',
  SETTINGS_MAX_AGE_MS: '1000',
  REPORTS_MAX_AGE_MS: '1000',
} as const;

/** Who may change access: as the data folder says, else the operator alone. */
function findPolicy(dataDir: string): string {
  const own = join(dataDir, 'access-policy.json');
  return existsSync(own) ? own : fileURLToPath(new URL('access-policy.json', import.meta.url));
}
