import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROOT } from '../repository-files.ts';
import { type StubProvider, startProvider } from './provider/start-provider.ts';
import { hasTerraform, NOT_VERIFIED, runTerraform } from './terraform.ts';

// The module alone, applied against the stub: which of the two holds the name, and when, only an apply tells.
if (hasTerraform()) describe('a function, applied', verify);
else {
  test('TERRAFORM NOT VERIFIED', () => {
    process.stderr.write(`\n!!! ${NOT_VERIFIED} !!!\n`);
    expect(hasTerraform()).toBe(false);
  });
}

const SERVICE = 'google_cloud_run_v2_service.this[0]';
const FUNCTION = 'google_cloudfunctions2_function.this';
const BUILT = 'data.google_cloud_run_v2_service.built[0]';

function verify(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-billed-'));
  let provider: StubProvider;

  beforeAll(async () => {
    provider = await startProvider();
    cpSync(join(ROOT, 'infra/modules/function'), join(folder, 'function'), { recursive: true });
    writeFileSync(join(folder, 'main.tf'), root);
    writeFileSync(join(folder, 'ingest.zip'), 'built');
    const { errors } = await runTerraform(folder, ['init', '-no-color'], provider);
    expect(errors).toBe('');
  });
  afterAll(() => {
    provider?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What an apply did, in its order. */
  async function apply(billed: boolean): Promise<string[]> {
    const args = ['apply', '-json', '-auto-approve', `-var=instance_billed=${billed}`];
    const { code, output } = await runTerraform(folder, args, provider);
    expect([code, output]).toEqual([0, expect.any(String)]);
    return output.split('\n').flatMap((line) => {
      const { success, data } = doneShape.safeParse(JSON.parse(line || '{}'));
      return success ? [`${data.hook.action} ${data.hook.resource.resource}`] : [];
    });
  }

  async function show() {
    const { output } = await runTerraform(folder, ['show', '-json'], provider);
    const { outputs, root_module } = stateShape.parse(JSON.parse(output)).values;
    const resources = root_module.child_modules
      .flatMap((it) => it.resources)
      .filter(({ mode }) => mode === 'managed');
    return { outputs, valuesOf: (type: string) => resources.find((it) => it.type === type)?.values };
  }

  test('that is billed by requests is a function of its name, and nothing else', async () => {
    const done = await apply(false);
    expect(done).toContain(`create ${FUNCTION}`);
    expect(done.filter((it) => it.includes('google_cloud_run_v2_service.'))).toEqual([]);
    expect((await show()).outputs).toMatchObject({ name: { value: 'tributary-ingest' } });
  });

  test('that instances shall be billed of gives its name away first, and its callers are let in again', async () => {
    const done = await apply(true);
    expect(done).toEqual([
      'delete google_cloud_run_v2_service_iam_member.invoker["everyone"]',
      `delete ${FUNCTION}`,
      `create ${FUNCTION}`,
      `read ${BUILT}`,
      `create ${SERVICE}`,
      'create google_cloud_run_v2_service_iam_member.invoker["everyone, by instances"]',
    ]);
    const { outputs, valuesOf } = await show();
    expect(outputs).toMatchObject({
      name: { value: 'tributary-ingest' },
      url: { value: 'google_cloud_run_v2_service.uri' },
    });
    expect(valuesOf('google_cloudfunctions2_function')).toMatchObject({ name: 'tributary-ingest-build' });
  });

  test('runs the image of its function, with its variables and secrets', async () => {
    const service = (await show()).valuesOf('google_cloud_run_v2_service');
    expect(service).toMatchObject({
      deletion_protection: false,
      template: [
        {
          containers: [
            {
              image: 'gcf-artifacts/tributary-ingest-build:version_1',
              resources: [
                { cpu_idle: false, limits: { cpu: '1', memory: '512Mi' }, startup_cpu_boost: true },
              ],
            },
          ],
          scaling: [{ min_instance_count: 1, max_instance_count: 10 }],
          service_account: 'ingest@my-project.iam.gserviceaccount.com',
          timeout: '60s',
        },
      ],
    });
    const { env } = templateShape.parse(service).template[0].containers[0];
    expect(Object.fromEntries(env.map(({ name, ...it }) => [name, it]))).toEqual({
      DATASET: { value: 'tributary', value_source: [] },
      FUNCTION_TARGET: { value: 'ingest', value_source: [] },
      KEY: { value: null, value_source: [{ secret_key_ref: [{ secret: 'the-key', version: '3' }] }] },
    });
  });

  test('stays when nothing changed, and looks up its image after that was built anew', async () => {
    expect(await apply(true)).toEqual([`read ${BUILT}`]);
    writeFileSync(join(folder, 'ingest.zip'), 'built anew');
    const done = await apply(true);
    // The stub answers the same image again, so that there is nothing to change in the service.
    expect(done.filter((it) => !it.includes('archive'))).toEqual([`update ${FUNCTION}`, `read ${BUILT}`]);
  });

  test('goes back, the service first', async () => {
    expect(await apply(false)).toEqual([
      'delete google_cloud_run_v2_service_iam_member.invoker["everyone, by instances"]',
      `delete ${SERVICE}`,
      `delete ${FUNCTION}`,
      `create ${FUNCTION}`,
      'create google_cloud_run_v2_service_iam_member.invoker["everyone"]',
    ]);
    expect((await show()).valuesOf('google_cloudfunctions2_function')).toMatchObject({
      name: 'tributary-ingest',
    });
  });
}

const doneShape = z.object({
  type: z.literal('apply_complete'),
  hook: z.object({ action: z.string(), resource: z.object({ resource: z.string() }) }),
});

const stateShape = z.object({
  values: z.object({
    outputs: z.record(z.string(), z.object({ value: z.string() })),
    root_module: z.object({
      child_modules: z.array(
        z.object({
          resources: z.array(z.object({ type: z.string(), mode: z.string(), values: z.unknown() })),
        }),
      ),
    }),
  }),
});

const templateShape = z.object({
  template: z.tuple([
    z.object({
      containers: z.tuple([z.object({ env: z.array(z.looseObject({ name: z.string() })) })]),
    }),
  ]),
});

const root = `
terraform {
  required_providers {
    google = { source = "hashicorp/google" }
  }
}

provider "google" {
  project = "my-project"
}

variable "instance_billed" {
  type = bool
}

module "function" {
  source          = "./function"
  project         = "my-project"
  name            = "tributary-ingest"
  target          = "ingest"
  region          = "europe-west1"
  archive         = "ingest.zip"
  archive_bucket  = "archives"
  build_account   = "build"
  service_account = "ingest@my-project.iam.gserviceaccount.com"
  memory          = "512Mi"
  cpu             = 1
  concurrency     = 80
  timeout_seconds = 60
  min_instances   = 1
  max_instances   = 10
  instance_billed = var.instance_billed
  internal        = false
  environment     = { DATASET = "tributary" }
  secrets         = { KEY = "3" }
  secret_ids      = { KEY = "the-key" }
  invokers        = { everyone = "allUsers" }
}

output "name" {
  value = module.function.name
}

output "url" {
  value = module.function.url
}
`;
