import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deferClientWork } from './defer-client-work.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REQUIRE = createRequire(import.meta.url);
const PROTOS = REQUIRE.resolve('@google-cloud/pubsub-api/build/protos/protos.json');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'defer-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('what is put off describes every message and file exactly as it did at once', async () => {
  const entry = `
    import { fromJSON } from '@grpc/proto-loader';
    import protos from ${JSON.stringify(PROTOS)};
    export const described = () => JSON.stringify(fromJSON(protos, {}));
  `;
  const atOnce = await digest(entry, 'at-once', false);
  expect(atOnce.characters).toBeGreaterThan(100_000);
  expect(await digest(entry, 'deferred', true)).toEqual(atOnce);
});

test('a publisher still has its IAM client, one and the same each time', async () => {
  const entry = `
    import { v1 } from '@google-cloud/pubsub';
    import { credentials } from '@grpc/grpc-js';
    const client = new v1.PublisherClient({ projectId: 'local', sslCreds: credentials.createInsecure() });
    export const described = () => JSON.stringify([client.iamClient === client.iamClient, typeof client.iamClient.getIamPolicy]);
  `;
  expect(await run(entry, 'iam', true)).toBe('[true,"function"]');
});

test('a client that no longer contains what is put off fails the build, naming the file', async () => {
  const changed = join(folder, 'node_modules/@grpc/proto-loader/build/src/index.js');
  await build({ stdin: { contents: 'export {}' }, outfile: changed });
  await expect(
    build({
      entryPoints: [changed],
      bundle: true,
      write: false,
      logLevel: 'silent',
      plugins: [deferClientWork(folder)],
    }),
  ).rejects.toThrow('proto-loader/build/src/index.js no longer contains what is put off here');
});

async function digest(entry: string, name: string, deferred: boolean) {
  const text = await run(entry, name, deferred);
  return { characters: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}

async function run(contents: string, name: string, deferred: boolean): Promise<string> {
  const built = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    plugins: deferred ? [deferClientWork(ROOT)] : [],
  });
  const file = join(folder, `${name}.cjs`);
  await writeFile(file, built.outputFiles[0]!.contents);
  const module: { described: () => string } = REQUIRE(file);
  return module.described();
}
