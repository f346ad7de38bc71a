import { readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { deadLetterHold, deadLetterTopic } from '../../local/queues.ts';
import { readDeployables } from '../../shared/deployables.ts';
import { ROOT, readText } from '../repository-files.ts';
import { faults } from './faults.ts';
import { judge, policies } from './policies/index.ts';
import { type Plan, planned, readPlan } from './policies/plan.ts';
import { type PreparedInfra, planInfra, prepareInfra } from './prepare-infra.ts';
import { readSchema, type StubProvider, startProvider } from './provider/start-provider.ts';
import { hasTerraform, NOT_VERIFIED, runTerraform } from './terraform.ts';

describe('what needs no Terraform', () => {
  test('infra asks for the version of the provider whose schema the stub serves', () => {
    const { version, provider } = readSchema();
    expect(provider).toBe('registry.terraform.io/hashicorp/google');
    expect(readText('infra/versions.tf')).toContain(`"~> ${version.split('.').slice(0, 2).join('.')}"`);
  });

  test('every alert tells where to look and what to do, by commands and documents that are there', () => {
    const texts = [...readText('infra/modules/alerts/main.tf').matchAll(/^ +what += "(.*)"$/gm)].map(
      ([, text = '']) => text,
    );
    expect(texts.length).toBeGreaterThanOrEqual(10);
    const scripts = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readText('package.json'))).scripts;
    for (const text of texts) {
      expect(text).toMatch(/\blog\b|\bSELECT\b|access_audit|npm run/);
      expect(text).toMatch(
        /\b([Mm]end(?:ed)?|[Ll]ook at|[Rr]oll back|taken back|delete nothing)\b|once it works/,
      );
      for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(name);
      for (const [path] of text.matchAll(/docs\/[\w-]+\.md/g)) expect(readText(path)).not.toBe('');
    }
  });

  test('every seeded fault is one of the text that stands in infra, and there are forty at least', () => {
    expect(faults.length).toBeGreaterThanOrEqual(40);
    expect(faults.filter(({ file, find }) => !readText(`infra/${file}`).includes(find))).toEqual([]);
    expect(faults.filter(({ layer, because }) => layer === 'nothing' && because === undefined)).toEqual([]);
  });
});

// A machine without Terraform cannot judge infra/*.tf, and says so: its tests are not there, instead of passing.
if (hasTerraform()) describe('Terraform, over the schema of the Google provider', verify);
else {
  test('TERRAFORM NOT VERIFIED', () => {
    process.stderr.write(`\n!!! ${NOT_VERIFIED} !!!\n`);
    expect(hasTerraform()).toBe(false);
  });
}

function verify(): void {
  let provider: StubProvider;
  let infra: PreparedInfra;
  let plan: Plan;

  beforeAll(async () => {
    provider = await startProvider();
    infra = prepareInfra();
    const initialised = await runTerraform(infra.folder, ['init', '-no-color', '-backend=false'], provider);
    expect(initialised.errors).toBe('');
    const planning = await planInfra(infra, provider);
    if (planning.kind === 'failed') throw new Error(planning.ran.errors);
    plan = readPlan(planning.json, readDeployables());
  });
  afterAll(() => {
    provider?.close();
    infra?.remove();
  });

  test('infra is formatted as Terraform formats', async () => {
    const formatted = await runTerraform(join(ROOT, 'infra'), ['fmt', '-check', '-recursive']);
    expect(formatted).toEqual({ code: 0, output: '', errors: '' });
  });

  test('infra is valid', async () => {
    const validated = await runTerraform(infra.folder, ['validate', '-no-color'], provider);
    expect(validated.errors).toBe('');
    expect(validated.code).toBe(0);
  });

  test.each(policies.map((it) => [it.rule, it] as const))('%s', (_rule, { broken }) => {
    expect([...broken(plan)]).toEqual([]);
  });

  test('every table and every view of the repository is made, and nothing else is', () => {
    const made = (type: string, key: 'table_id' | 'routine_id') =>
      planned(plan, type, z.looseObject({})).map(({ is }) => String(is[key]));
    const names = (folder: string) => readdirSync(join(ROOT, 'infra', folder)).map((it) => parse(it).name);
    expect(
      [...made('google_bigquery_table', 'table_id'), ...made('google_bigquery_routine', 'routine_id')].sort(),
    ).toEqual([...names('tables'), ...names('views')].sort());
  });

  test('topics and subscriptions are called as on a laptop', () => {
    const made = (type: string) =>
      planned(plan, type, z.object({ name: z.string() })).map(({ is }) => is.name);
    const queues = readDeployables().filter((it) => it.trigger === 'push');
    expect(made('google_pubsub_topic').sort()).toEqual(
      queues.flatMap(({ topic }) => [topic, deadLetterTopic(topic)]).sort(),
    );
    expect(made('google_pubsub_subscription').sort()).toEqual(
      queues.flatMap(({ topic, subscription }) => [subscription, deadLetterHold(topic)]).sort(),
    );
  });

  test('with everything that can be said the plan keeps the same rules', async () => {
    const planning = await planInfra(infra, provider, ['-var-file=examples/full/terraform.tfvars']);
    if (planning.kind === 'failed') throw new Error(planning.ran.errors);
    const full = readPlan(planning.json, readDeployables());
    expect(judge(full)).toEqual([]);
    const types = new Set(full.resource_changes.map(({ type }) => type));
    for (const type of [
      'cloud_run_v2_service',
      'kms_crypto_key_iam_member',
      'secret_manager_secret',
      'billing_budget',
      'monitoring_notification_channel',
    ])
      expect(types).toContain(`google_${type}`);
  });

  test('without its two variables it says which and what they are', async () => {
    const { code, errors } = await runTerraform(
      infra.folder,
      ['plan', '-no-color', '-input=false', '-lock=false'],
      provider,
    );
    expect(code).toBe(1);
    expect(errors).toContain('The root module input variable "project" is not set');
    expect(errors).toContain('The root module input variable "region" is not set');
  });

  test('functions that were not built are missed, with the command that builds them', async () => {
    const planning = await planInfra(infra, provider, ['-var=archives=nowhere', '-target=module.function']);
    expect(planning.kind).toBe('failed');
    if (planning.kind === 'failed')
      expect(planning.ran.errors.replace(/\s+/g, ' ')).toContain(
        'There is no nowhere/ingest.zip: run npm run build',
      );
  });
}
