import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDeployables } from '../../shared/deployables.ts';
import { ROOT } from '../repository-files.ts';
import type { StubProvider } from './provider/start-provider.ts';
import { type Ran, runTerraform } from './terraform.ts';

/** A copy of infra/ in a folder of its own, in which Terraform may write what it likes. */
export interface PreparedInfra {
  /** The root module. */
  folder: string;
  /** Where the archives are. */
  archives: string;
  /** Arguments of a plan: the two variables that must be given, and archives that stand in for built ones. */
  variables: readonly string[];
  remove(): void;
}

/** What an operator has in infra/ beside what is in Git. */
export const operatorsOwn = /\.terraform(\.lock|\/|$)|\.tfstate|\/infra\/(backend\.tf|[^/]+\.tfvars)$/;

/** Copies infra/, with an archive of every function, whether it was built or not. */
export function prepareInfra(): PreparedInfra {
  const base = mkdtempSync(join(tmpdir(), 'tributary-infra-'));
  const folder = join(base, 'infra');
  const archives = join(base, 'archives');
  cpSync(join(ROOT, 'infra'), folder, {
    recursive: true,
    filter: (path) => !operatorsOwn.test(path),
  });
  mkdirSync(archives);
  for (const { name, host } of readDeployables()) {
    writeFileSync(join(archives, `${name}.zip`), name);
    if (host === 'own') writeFileSync(join(archives, `${name}.framework.zip`), name);
  }
  return {
    folder,
    archives,
    variables: ['-var=project=my-project', '-var=region=europe-west1', `-var=archives=${archives}`],
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** Of views and metrics there are many alike: a few of each let a plan take a second. */
export function leaveOutWhatRepeats(folder: string): void {
  const views = join(folder, 'views');
  const kept = ['events.sql', 'events_between.sql', 'event_deliveries.sql'];
  for (const file of readdirSync(views)) if (!kept.includes(file)) rmSync(join(views, file));
  const alerts = readFileSync(join(folder, 'modules/alerts/main.tf'), 'utf8');
  const file = join(folder, 'log-metrics.json');
  const { metrics }: { metrics: { name: string }[] } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(
    file,
    JSON.stringify({ metrics: metrics.filter(({ name }) => alerts.includes(`"${name}"`)) }, null, 2),
  );
}

export type Planning = { kind: 'planned'; json: string } | { kind: 'failed'; ran: Ran };

/** Plans, and answers the plan as Terraform shows it. */
export async function planInfra(
  { folder, variables }: PreparedInfra,
  provider: StubProvider,
  further: readonly string[] = [],
): Promise<Planning> {
  const planned = await runTerraform(
    folder,
    ['plan', '-no-color', '-input=false', '-lock=false', '-out=it.tfplan', ...variables, ...further],
    provider,
  );
  if (planned.code !== 0) return { kind: 'failed', ran: planned };
  const shown = await runTerraform(folder, ['show', '-json', 'it.tfplan'], provider);
  if (shown.code !== 0) return { kind: 'failed', ran: shown };
  return { kind: 'planned', json: shown.output };
}
