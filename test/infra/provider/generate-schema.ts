import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readSchemaSource } from './read-schema-source.ts';
import type { Block, ProviderSchema } from './schema.ts';

const HELP = `Writes google-schema.json anew: what the Google provider for Terraform serves as the schema of the types
that infra/ may use. It is read from the npm package @cdktf/provider-google, which was made of that provider; the package
is 330 MB unpacked, frozen since December 2025 at provider 6.50.0, and therefore no dependency.

Usage: node test/infra/provider/generate-schema.ts [ARCHIVE]

ARCHIVE is what \`npm pack @cdktf/provider-google@16.12.1\` gave; without it that is run, which takes a network.
`;

const PACKAGE = '@cdktf/provider-google@16.12.1';

const resources = [
  'bigquery_dataset',
  'bigquery_dataset_access',
  'bigquery_dataset_iam_member',
  'bigquery_routine',
  'bigquery_table',
  'bigquery_table_iam_member',
  'billing_budget',
  'cloud_run_service_iam_member',
  'cloud_run_v2_service',
  'cloud_run_v2_service_iam_member',
  'cloud_scheduler_job',
  'cloudbuild_trigger',
  'cloudfunctions2_function',
  'kms_crypto_key_iam_member',
  'logging_metric',
  'logging_project_exclusion',
  'monitoring_alert_policy',
  'monitoring_dashboard',
  'monitoring_notification_channel',
  'project_iam_custom_role',
  'project_iam_member',
  'project_service',
  'pubsub_subscription',
  'pubsub_subscription_iam_member',
  'pubsub_topic',
  'pubsub_topic_iam_member',
  'secret_manager_secret',
  'secret_manager_secret_iam_member',
  'service_account',
  'service_account_iam_member',
  'storage_bucket',
  'storage_bucket_iam_member',
  'storage_bucket_object',
];
const dataSources = [
  'bigquery_default_service_account',
  'cloud_run_v2_service',
  'project',
  'storage_project_service_account',
];

/** Reads the package's archive and writes the schema. */
function main(argument: string | undefined): void {
  if (argument === '--help' || argument === '-h') {
    process.stdout.write(HELP);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'provider-schema-'));
  try {
    const archive = argument ?? join(folder, pack(folder));
    const folderOf = (type: string) => type.replaceAll('_', '-');
    const wanted = [
      'package.json',
      'lib/provider/index.js',
      ...resources.map((type) => `lib/${folderOf(type)}/index.js`),
      ...dataSources.map((type) => `lib/data-google-${folderOf(type)}/index.js`),
    ].map((path) => `package/${path}`);
    execFileSync('tar', ['xzf', archive, '-C', folder, ...wanted]);
    const read = (path: string): Block => readSchemaSource(readOriginal(join(folder, 'package/lib', path)));
    const { cdktf } = packageJson.parse(
      JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8')),
    );
    const schema: ProviderSchema = {
      source: `npm ${PACKAGE}`,
      provider: cdktf.provider.name,
      version: cdktf.provider.version,
      configuration: read('provider/index.js'),
      resources: Object.fromEntries(
        resources.map((type) => [`google_${type}`, read(`${folderOf(type)}/index.js`)]),
      ),
      dataSources: Object.fromEntries(
        dataSources.map((type) => [`google_${type}`, read(`data-google-${folderOf(type)}/index.js`)]),
      ),
    };
    writeFileSync(new URL('generated/google-schema.json', import.meta.url), `${JSON.stringify(schema)}\n`);
    console.log(`google-schema.json: ${resources.length} resources of ${schema.provider} ${schema.version}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const packageJson = z.object({
  cdktf: z.object({ provider: z.object({ name: z.string(), version: z.string() }) }),
});

function pack(folder: string): string {
  return execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: folder, encoding: 'utf8' }).trim();
}

/** The TypeScript that the file was compiled from, out of its source map. */
function readOriginal(path: string): string {
  const encoded = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(
    readFileSync(path, 'utf8'),
  )?.[1];
  const map = sourceMap.parse(JSON.parse(Buffer.from(encoded ?? '', 'base64').toString() || '{}'));
  return map.sourcesContent[0];
}

const sourceMap = z.object({ sourcesContent: z.tuple([z.string()]) });

main(process.argv[2]);
