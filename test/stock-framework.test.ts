import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PubSub } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PubSubServer, startPubSub } from '../local/pubsub/index.ts';
import { encryptPlugin, image } from './analysys-requests.ts';
import { freePort, untilListening } from './bench/processes.ts';
import { growingioElements, readCaptures, sendCapture } from './replay-captures.ts';

// One Terraform flag hosts ingest on Google's functions-framework instead of our own host. It parses bodies
// before the handler sees them; what is lost by that is listed here and in functions/ingest/README.md.
const knownFailures: Record<string, { status: number; why: string }> = {
  'analysys-java-4.1.3.json': {
    status: 415,
    why: 'Content-Encoding: UTF-8 is no encoding that body-parser knows',
  },
  'growingio-python-snappy.json': { status: 400, why: 'it calls snappy application/json' },
  'growingio-python-snappy-xor.json': { status: 400, why: 'it calls snappy application/json' },
};

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'tributary-stock-'));
let broker: PubSubServer;
let ingest: ChildProcess;
let base: string;

beforeAll(async () => {
  broker = await startPubSub({ port: 0, file: ':memory:' });
  const pubsub = new PubSub({
    projectId: 'local',
    apiEndpoint: `127.0.0.1:${broker.port}`,
    emulatorMode: true,
  });
  await pubsub.createTopic('events');
  await pubsub.close();
  for (const name of ['index.js', 'protos'])
    cpSync(join(root, 'dist/ingest', name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const port = await freePort();
  ingest = spawn(
    process.execPath,
    [join(root, 'node_modules/.bin/functions-framework'), `--source=${folder}`],
    {
      env: {
        ...process.env,
        PORT: String(port),
        FUNCTION_TARGET: 'ingest',
        GOOGLE_CLOUD_PROJECT: 'local',
        LOCAL_PUBSUB: `127.0.0.1:${broker.port}`,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  base = `http://127.0.0.1:${port}`;
  await untilListening(port, ingest);
});

afterAll(async () => {
  ingest?.kill();
  await broker?.close();
  rmSync(folder, { recursive: true, force: true });
});

const recorded = [...readCaptures('analysys'), ...readCaptures('growingio', growingioElements)];
const byFile = Map.groupBy(recorded, ({ file }) => file);
const successOf = (file: string) =>
  file.startsWith('growingio') ? { status: 204, body: '' } : { status: 200, body: '{"code":200}' };

test.each([...byFile])(
  '%s under the stock framework is answered as the table says',
  async (file, captures) => {
    const failure = knownFailures[file]?.status;
    for (const capture of captures) {
      const answer = await sendCapture(base, capture);
      if (failure === undefined) expect(answer).toEqual(successOf(file));
      else expect(answer.status).toBe(failure);
    }
  },
);

test('an image and an encrypted body are taken under the stock framework too', async () => {
  const event = { appid: 'shop', xwho: 'JS2f9c', xwhat: 'buy', xwhen: Date.now(), xcontext: { $lib: 'JS' } };
  const encryption = { lib: 'JS', appid: 'shop', libVersion: '4.5.5', type: 1, reqt: Date.now() } as const;
  for (const { method, path, headers, body } of [image(event), encryptPlugin([event], encryption)]) {
    const answer = await fetch(`${base}${path}`, { method, headers, ...(method === 'POST' && { body }) });
    expect([answer.status, await answer.text()]).toEqual([200, '{"code":200}']);
  }
});

test('what the SDKs of Segment and RudderStack send is taken under the stock framework: JSON, text, and gzip', async () => {
  const json = JSON.stringify({ batch: [{ type: 'track', event: 'buy', userId: 'u' }], writeKey: 'shop' });
  const requests = [
    { path: '/v1/batch', type: 'application/json', body: json },
    { path: '/v1/b', type: 'text/plain', body: json },
    { path: '/v1/batch', type: 'application/json', body: new Uint8Array(gzipSync(json)) },
  ];
  for (const { path, type, body } of requests) {
    const answer = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': type, ...(typeof body !== 'string' && { 'Content-Encoding': 'gzip' }) },
      body,
    });
    expect([answer.status, await answer.text()]).toEqual([200, '{"success":true}']);
  }
});

test('broken JSON sent as such, which should be quarantined, is refused by the stock framework before we see it', async () => {
  const answer = await fetch(`${base}/up`, {
    method: 'POST',
    body: '[{"a":NaN}]',
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(400);
});

test('a file that the table names is still there', () => {
  for (const file of Object.keys(knownFailures)) expect(byFile.has(file)).toBe(true);
});
