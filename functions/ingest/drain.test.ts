import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PubSub } from '@google-cloud/pubsub';
import { type Bucket, Storage } from '@google-cloud/storage';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type PubSubFaults, type PubSubServer, startPubSub } from '../../local/pubsub/index.ts';
import { type StorageServer, startStorage } from '../../local/storage/index.ts';
import { buildFunctions, listBuildable } from '../../scripts/build.ts';

// The function as it is deployed, ended as Cloud Run ends it, while Pub/Sub takes a batch and does not acknowledge it.
let asked = 0;
const faults: PubSubFaults = {
  redeliverRate: 0,
  publishUnavailableRate: Number.MIN_VALUE,
  publishDelayMs: 0,
  publishStoredThenLostRate: 0,
  random: () => {
    asked++;
    return 1;
  },
};
let folder: string;
let broker: PubSubServer;
let storage: StorageServer;
let bucket: Bucket;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-drain-'));
  await buildFunctions(listBuildable(['ingest']), folder);
  broker = await startPubSub({ port: 0, file: ':memory:', faults });
  storage = await startStorage({ port: 0, file: ':memory:' });
  process.env.METADATA_SERVER_DETECTION = 'none';
  const pubsub = new PubSub({
    projectId: 'local',
    apiEndpoint: `127.0.0.1:${broker.port}`,
    emulatorMode: true,
  });
  await pubsub.createTopic('events');
  await pubsub.close();
  const google = new Storage({ projectId: 'local', apiEndpoint: `http://127.0.0.1:${storage.port}` });
  [bucket] = await google.createBucket('tributary-spill');
}, 60_000);

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await broker.close();
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

async function start() {
  const source = join(folder, 'ingest');
  const child = spawn(
    process.execPath,
    [join(source, 'node_modules/.bin/functions-framework'), '--source', source],
    {
      env: {
        PORT: '0',
        HOST: '127.0.0.1',
        FUNCTION_TARGET: 'ingest',
        GOOGLE_CLOUD_PROJECT: 'local',
        LOCAL_PUBSUB: `127.0.0.1:${broker.port}`,
        LOCAL_STORAGE: `127.0.0.1:${storage.port}`,
        SPILL_BUCKET: 'tributary-spill',
        PUBLISH_TIMEOUT_MS: '500',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  started.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    output += chunk;
  });
  const exited = once(child, 'exit').then(([code]) => code as number);
  await expect.poll(() => output, { timeout: 60_000 }).toContain('on port');
  return { child, port: Number(/on port (\d+)/.exec(output)?.[1]), exited };
}

/** Posts one event, and resolves once Pub/Sub has been asked to take it. */
async function postUntilUnderWay(port: number) {
  const before = asked;
  const sending = request({ host: '127.0.0.1', port, path: '/up', method: 'POST' });
  const answered = new Promise<string>((resolve) => {
    sending.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    sending.on('response', (response) => {
      response.setEncoding('utf8').once('data', (text) => resolve(`${response.statusCode} ${text}`));
    });
  });
  sending.end(JSON.stringify([{ appid: 'shop', xwho: 'a', xwhat: 'view', xwhen: Date.now(), xcontext: {} }]));
  await expect.poll(() => asked, { timeout: 60_000 }).toBeGreaterThan(before);
  return { answered, leave: () => sending.socket?.resetAndDestroy() };
}

const stored = async () => (await bucket.getFiles())[0].length;

test('on SIGTERM what Pub/Sub has not acknowledged is spilled and answered before the end', async () => {
  const { child, port, exited } = await start();
  faults.publishDelayMs = 3_000;
  const before = await stored();
  const { answered } = await postUntilUnderWay(port);
  child.kill('SIGTERM');
  expect(await answered).toBe('200 {"code":200}');
  expect(await exited).toBe(0);
  expect(await stored()).toBe(before + 1);
});

test('on SIGTERM it is spilled too where its sender has gone', async () => {
  const { child, port, exited } = await start();
  faults.publishDelayMs = 3_000;
  const before = await stored();
  const { leave } = await postUntilUnderWay(port);
  leave();
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(await stored()).toBe(before + 1);
});
