import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Buildable, type Built, buildFunctions, listBuildable } from '../scripts/build.ts';

const execute = promisify(execFile);
const fixture: Buildable = {
  name: 'cloud-clients',
  entry: fileURLToPath(new URL('./fixtures/cloud-clients.ts', import.meta.url)),
  host: 'own',
};
const buildable = [fixture, ...listBuildable().filter(({ entry }) => existsSync(entry))];
const environment = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: process.env.HOME };
/** What the functions ask for before they start; nothing is called. */
const settings = {
  GOOGLE_CLOUD_PROJECT: 'local',
  LOCAL_PUBSUB: '127.0.0.1:1',
  LOCAL_BIGQUERY_STORAGE: '127.0.0.1:1',
  PUSH_AUDIENCE: 'http://127.0.0.1',
  PUSH_SERVICE_ACCOUNT: 'push@local.test',
  SPILL_BUCKET: 'tributary-spill',
  FOLD_BUCKET: 'tributary-fold',
  REPORTS_BUCKET: 'tributary-reports',
  ACCESS_BUCKET: 'tributary-access',
  POLICY: 'policy.json',
  GOOGLE_ACCOUNT: 'permissions@local.test',
  AUDIENCE: 'http://127.0.0.1',
  CALLERS: 'scheduler@local.test,operator@local.test',
};

let folder: string;
let built: Built[];
const started: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archives-'));
  built = await buildFunctions(buildable, join(folder, 'dist'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('equal sources give equal bytes, in any time zone', async () => {
  vi.stubEnv('TZ', 'Asia/Tokyo');
  await buildFunctions([fixture], join(folder, 'again')).finally(() => vi.unstubAllEnvs());
  for (const name of ['cloud-clients.zip', 'cloud-clients.framework.zip']) {
    const [first, second] = await Promise.all(
      ['dist', 'again'].map((it) => readFile(join(folder, it, name))),
    );
    expect(second?.equals(first!)).toBe(true);
  }
});

/** Megabytes of all that an archive holds: what an instance reads at a cold start. Room for a sixth more than there is. */
const limits: Readonly<Record<string, number>> = {
  ingest: 3,
  load: 2.8,
  fold: 3.5,
  replay: 5,
  permissions: 5.2,
  'reports-poll': 5.5,
  'reports-pull': 5.5,
};

test('every function has a limit of size', () => {
  expect(Object.keys(limits).sort()).toEqual(
    listBuildable()
      .map(({ name }) => name)
      .sort(),
  );
});

test.each(Object.entries(limits))('the archive of %s holds at most %f MB', (name, limit) => {
  const { unpackedBytes, parts } = built.find((it) => it.name === name)!;
  expect(unpackedBytes, describeSize(name, unpackedBytes, parts)).toBeLessThanOrEqual(limit * 1e6);
});

/** The size with what to look at: packages and files that take most of it. */
function describeSize(name: string, bytes: number, parts: Built['parts']): string {
  const sums = new Map<string, number>();
  for (const part of parts) {
    const from = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(part.path)?.[1] ?? part.path;
    sums.set(from, (sums.get(from) ?? 0) + part.bytes);
  }
  const largest = [...sums].sort(([, one], [, other]) => other - one).slice(0, 10);
  const lines = largest.map(([from, size]) => `${(size / 1e6).toFixed(2).padStart(6)} MB  ${from}`);
  return `${name} holds ${(bytes / 1e6).toFixed(2)} MB, most of it:\n${lines.join('\n')}\n`;
}

const onOwnHost = buildable.filter(({ host }) => host === 'own');
const onFramework = buildable.filter(({ host }) => host === 'framework');

describe.each(onOwnHost)('the archive of $name', ({ name }) => {
  test('marks only the bin executable and holds no source', async () => {
    const entries = await readZip(`${name}.zip`);
    const executable = entries.filter(({ mode }) => mode !== 0o100644);
    expect(executable).toMatchObject([{ path: 'host/bin/functions-framework.js', mode: 0o100755 }]);
    expect(entries.map(({ path }) => path).filter((path) => /\.(ts|map)$|node_modules/.test(path))).toEqual(
      [],
    );
    expect(JSON.parse(String(entries.find(({ path }) => path === 'package.json')?.content))).toMatchObject({
      main: 'index.js',
      scripts: { 'gcp-build': '' },
      dependencies: { '@google-cloud/functions-framework': 'file:./host' },
    });
  });

  test('serves after npm ci, and again after the npm install of a cached rebuild', async () => {
    const first = await extract(`${name}.zip`);
    await npm(first, 'ci');
    await expectToServe(first, name);

    // Google's buildpack restores node_modules from its cache and runs `npm install`, which chmods nothing.
    const rebuilt = await extract(`${name}.zip`);
    await cp(join(first, 'node_modules'), join(rebuilt, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    await npm(rebuilt, 'install');
    await expectToServe(rebuilt, name);
  });

  test('runs in place in dist', () => expectToServe(join(folder, 'dist', name), name));

  test("locks Google's framework and all it needs in the fallback", async () => {
    const extracted = await extract(`${name}.framework.zip`);
    const { stdout } = await npm(extracted, 'ls', '--package-lock-only', '--all', '--json');
    const listed = JSON.parse(stdout);
    expect(listed.problems).toBeUndefined();
    expect(listed.dependencies['@google-cloud/functions-framework']).toMatchObject({ version: '5.0.5' });
  });
});

describe.each(onFramework)("the archive of $name, on Google's framework,", ({ name }) => {
  test('holds no source and nothing executable, and names the framework', async () => {
    const entries = await readZip(`${name}.zip`);
    expect(entries.filter(({ mode }) => mode !== 0o100644)).toEqual([]);
    expect(entries.map(({ path }) => path).filter((path) => /\.(ts|map)$|node_modules/.test(path))).toEqual(
      [],
    );
    expect(JSON.parse(String(entries.find(({ path }) => path === 'package.json')?.content))).toMatchObject({
      main: 'index.js',
      dependencies: { '@google-cloud/functions-framework': '5.0.5' },
    });
  });

  test('runs in place in dist', () => expectToServe(join(folder, 'dist', name), name, `Function: ${name}`));

  test("locks Google's framework and all it needs", async () => {
    const extracted = await extract(`${name}.zip`);
    const { stdout } = await npm(extracted, 'ls', '--package-lock-only', '--all', '--json');
    const listed = JSON.parse(stdout);
    expect(listed.problems).toBeUndefined();
    expect(listed.dependencies['@google-cloud/functions-framework']).toMatchObject({ version: '5.0.5' });
  });
});

describe("Google's clients in an archive", () => {
  test('publish, describe a write stream, tell the type of a range and load what was put off', async () => {
    const google = await startGoogle();
    const extracted = await extract('cloud-clients.zip');
    await npm(extracted, 'ci');
    const { get, child, output } = await serve(extracted, 'cloud-clients', {
      FAKE_PORT: String(google.port),
      // Nothing here may look for a metadata server.
      METADATA_SERVER_DETECTION: 'none',
    });
    expect(await get('/publish')).toBe('17');
    expect(await get('/stream')).toContain('/streams/_default');
    expect(await get('/range')).toBe('DATE');
    expect(await get('/message')).toBe('k');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output()).toContain('drained');
    google.server.forceShutdown();
  });
});

async function npm(cwd: string, ...flags: string[]) {
  return execute('npm', [...flags, '--offline', '--no-audit', '--no-fund'], { cwd, env: environment });
}

async function expectToServe(cwd: string, target: string, ready?: string): Promise<void> {
  const { get, child } = await serve(cwd, target, settings, ready);
  expect(await get('/')).toEqual(expect.any(String));
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
}

/** Starts the function as Google's buildpack does. */
async function serve(cwd: string, target: string, more: Record<string, string> = {}, ready?: string) {
  const port = await findFreePort();
  const child = spawn('node_modules/.bin/functions-framework', [], {
    cwd,
    env: { ...environment, PORT: String(port), FUNCTION_TARGET: target, ...more },
  });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
  }
  await expect.poll(() => text, { timeout: 60_000 }).toContain(ready ?? `Serving ${target} on port ${port}`);
  return {
    child,
    output: () => text,
    get: async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Just enough of Pub/Sub and of the Storage Write API to answer one call of each. */
async function startGoogle() {
  const server = new Server();
  const descriptors = await Promise.all(
    ['pubsub-api', 'bigquery-storage'].map((client) =>
      readFile(
        new URL(`../node_modules/@google-cloud/${client}/build/protos/protos.json`, import.meta.url),
        'utf8',
      ),
    ),
  );
  const [pubsub, storage] = descriptors.map((text) => fromJSON(JSON.parse(text)));
  const publisher = pubsub?.['google.pubsub.v1.Publisher'] as ServiceDefinition;
  const writer = storage?.['google.cloud.bigquery.storage.v1.BigQueryWrite'] as ServiceDefinition;
  server.addService(publisher, {
    Publish: (_call: unknown, answer: (error: null, value: object) => void) =>
      answer(null, { messageIds: ['17'] }),
  });
  server.addService(writer, {
    GetWriteStream: (
      { request }: { request: { name: string } },
      answer: (error: null, value: object) => void,
    ) => answer(null, { name: request.name }),
  });
  const port = await promisify(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  return { server, port };
}

async function extract(archive: string): Promise<string> {
  const target = await mkdtemp(join(folder, 'extracted-'));
  for (const { path, content, mode } of await readZip(archive)) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await writeFile(join(target, path), content);
    await chmod(join(target, path), mode & 0o777);
  }
  return target;
}

/** Reads a zip by its central directory: paths, content and Unix modes (APPNOTE 4.3.12). */
async function readZip(archive: string) {
  const bytes = await readFile(join(folder, 'dist', archive));
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const entries: { path: string; content: Buffer; mode: number }[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      bytes.readUInt16LE(at + field),
    );
    const path = bytes.toString('utf8', at + 46, at + 46 + nameLength!);
    const header = bytes.readUInt32LE(at + 42);
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const packed = bytes.subarray(start, start + bytes.readUInt32LE(at + 20));
    const content = bytes.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    entries.push({ path, content, mode: bytes.readUInt32LE(at + 38) >>> 16 });
    at += 46 + nameLength! + extraLength! + commentLength!;
  }
  return entries;
}
