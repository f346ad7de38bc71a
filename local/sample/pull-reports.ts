import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { LocalCloud } from '../index.ts';

export interface PullReportsOptions {
  readonly cloud: Pick<LocalCloud, 'urls' | 'token'>;
  readonly dataDir: string;
  /** How many days back, yesterday being the first. */
  readonly days: number;
  /** Ends it between two looks. */
  readonly isOver: () => boolean;
}

/** Slices that were asked for, and what became of them. */
export interface PulledReports {
  readonly slices: number;
  readonly pulled: number;
  /** Whose day is not complete yet. */
  readonly waiting: number;
}

/**
 * Has the reports of the two sites and two channels of local/reports/seeds/sample.json pulled, as an operator would with
 * `npm run reports -- backfill`. A configuration that is there already is taken as it is. Resolves when nothing is left
 * but days that wait.
 */
export async function pullSampleReports(options: PullReportsOptions): Promise<PulledReports> {
  const { cloud, dataDir, days, isOver } = options;
  await configureReports(dataDir);
  const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  const call = async (body: object) => {
    const response = await fetch(`${cloud.urls.reports}/backfill`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await cloud.token(cloud.urls.reports)}` },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`reports-poll answered ${response.status}: ${await response.text()}`);
    return backfill.parse(await response.json());
  };
  const range = { from: day(days), to: day(1) };
  for (let back = days; back >= 1 && !isOver(); back -= daysPerCall) {
    await call({ from: day(back), to: day(Math.max(1, back - daysPerCall + 1)), dryRun: false });
  }
  for (;;) {
    const { slices, pulled, waiting, held } = await call({ ...range, dryRun: true });
    if (pulled + waiting + held >= slices || isOver()) return { slices, pulled, waiting };
    await wait(lookEveryMs);
  }
}

const daysPerCall = 10;
const lookEveryMs = 1_500;

const backfill = z.object({
  slices: z.number(),
  pulled: z.number(),
  waiting: z.number(),
  held: z.number(),
});

/** Writes the configuration of the sample, and a credential that the local token endpoint knows, unless there is one. */
export async function configureReports(dataDir: string): Promise<void> {
  const file = join(dataDir, 'reports.yaml');
  if (existsSync(file)) return;
  // Whole, since the functions run in folders of their own.
  const credential = resolve(dataDir, 'reports-credential.json');
  await writeFile(credential, `${JSON.stringify(localCredential, null, 2)}\n`, { mode: 0o600 });
  const configuration = {
    sites: [
      { key: 'www.example.com', properties: [{ propertyId: '300000001' }] },
      { key: 'quiet.example.org', properties: [{ propertyId: '300000002' }] },
    ],
    contentOwners: [{ key: 'network', id: 'ExampleNetwork', credential }],
    channels: [
      { key: 'example-reviews', ids: ['UCexample0000000000000001'], owner: 'network' },
      { key: 'example-live', ids: ['UCexample0000000000000002'], owner: 'network' },
    ],
  };
  await writeFile(file, stringify(configuration));
}

const localCredential = {
  type: 'authorized_user',
  client_id: 'local-client.apps.googleusercontent.com',
  client_secret: 'local-secret',
  refresh_token: '1//local-refresh',
};
