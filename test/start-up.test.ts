import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT } from './repository-files.ts';

// The built functions under environments that an operator got wrong: each ends at once with a sentence that says what
// to change.
const folder = mkdtempSync(join(tmpdir(), 'tributary-start-up-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Environment = Readonly<Record<string, string | undefined>>;

const complete: Readonly<Record<string, Environment>> = {
  ingest: { GOOGLE_CLOUD_PROJECT: 'local', LOCAL_PUBSUB: '127.0.0.1:1' },
  load: {
    GOOGLE_CLOUD_PROJECT: 'local',
    LOCAL_BIGQUERY_STORAGE: '127.0.0.1:1',
    PUSH_AUDIENCE: 'http://127.0.0.1',
    PUSH_SERVICE_ACCOUNT: 'push@local.test',
  },
};

/** Starts dist/<name> with its complete environment but for `change`; undefined takes a variable away. */
function launch(name: string, change: Environment) {
  const source = join(ROOT, 'dist', name);
  return spawn(process.execPath, [join(source, 'node_modules/.bin/functions-framework')], {
    cwd: source,
    env: {
      PORT: '0',
      HOST: '127.0.0.1',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      FUNCTION_TARGET: name,
      ...complete[name],
      ...change,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function start(name: string, change: Environment) {
  const child = launch(name, change);
  const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  child.stdout.resume();
  const [stderr, [code]] = await Promise.all([
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  clearTimeout(killer);
  return { code, stderr };
}

const brokenSettings = join(folder, 'broken.json');
writeFileSync(brokenSettings, '{"projects": {"shop": {"dialects": ["amplitude"]}}}');
const cutSettings = join(folder, 'cut.json');
writeFileSync(cutSettings, '{"projects": ');

const mistakes: readonly (readonly [string, string, Environment, readonly (string | RegExp)[]])[] = [
  [
    'ingest',
    'without its project',
    { GOOGLE_CLOUD_PROJECT: undefined },
    ['GOOGLE_CLOUD_PROJECT (the Google Cloud project) is not set.'],
  ],
  ['ingest', 'with an empty project', { GOOGLE_CLOUD_PROJECT: '' }, ['GOOGLE_CLOUD_PROJECT', 'is not set']],
  [
    'ingest',
    'with a time that is no number',
    { PUBLISH_TIMEOUT_MS: 'abc' },
    ['PUBLISH_TIMEOUT_MS', 'must be a whole number from 100 to 60000, not "abc".'],
  ],
  [
    'ingest',
    'with a number out of range',
    { MAX_EVENTS: '0' },
    ['MAX_EVENTS', 'must be a whole number from 1 to 100000, not "0".'],
  ],
  [
    'ingest',
    'with a switch that is neither on nor off',
    { LOG_BATCHES: 'maybe' },
    ['LOG_BATCHES', 'not "maybe"'],
  ],
  [
    'ingest',
    'with several mistakes at once',
    { GOOGLE_CLOUD_PROJECT: undefined, MAX_BODY_BYTES: '5 MB' },
    ['GOOGLE_CLOUD_PROJECT', 'MAX_BODY_BYTES'],
  ],
  [
    'ingest',
    'with a local endpoint on Cloud Run',
    { K_SERVICE: 'ingest' },
    ['LOCAL_PUBSUB must not be set on Cloud Run (K_SERVICE is ingest).'],
  ],
  [
    'ingest',
    'with a local endpoint that is none',
    { LOCAL_PUBSUB: 'http://localhost' },
    ['LOCAL_PUBSUB must be host:port'],
  ],
  [
    'ingest',
    'with settings that are invalid',
    { SETTINGS: brokenSettings },
    [`SETTINGS: ${brokenSettings} is invalid`, 'projects.shop.dialects[0]', '"analysys"'],
  ],
  [
    'ingest',
    'with settings that are cut off',
    { SETTINGS: cutSettings },
    [`SETTINGS: ${cutSettings} is not JSON`],
  ],
  [
    'ingest',
    'with settings that are not there',
    { SETTINGS: join(folder, 'none.json') },
    ['SETTINGS: ', 'none.json cannot be read'],
  ],
  [
    'ingest',
    'with settings at a place that is none',
    { SETTINGS: 'gs://bucket' },
    ['SETTINGS (the path of the settings', 'must be a path or gs://BUCKET/OBJECT, not "gs://bucket".'],
  ],
  [
    'replay',
    'with settings at a place that is none',
    { SETTINGS: 's3://bucket/object' },
    ['SETTINGS', 's3://'],
  ],
  [
    'fold',
    'without a place for its lease and state',
    { FOLD_BUCKET: undefined },
    ['FOLD_BUCKET (the bucket that holds the lease and the state)', 'is not set'],
  ],
  [
    'fold',
    'with more persons than it folds one by one',
    { MOST_PERSONS: '20001' },
    ['MOST_PERSONS', 'must be a whole number from 1 to 20000, not "20001".'],
  ],
  [
    'reports-poll',
    'without a place for its leases',
    { GOOGLE_CLOUD_PROJECT: 'local' },
    ['REPORTS_BUCKET (the bucket that holds the leases', 'is not set'],
  ],
  [
    'reports-pull',
    'without whom it trusts',
    { GOOGLE_CLOUD_PROJECT: 'local', REPORTS_BUCKET: 'reports', LOCAL_PUBSUB: '127.0.0.1:1' },
    ['PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT must be set.'],
  ],
  [
    'load',
    'without its project',
    { GOOGLE_CLOUD_PROJECT: undefined },
    ['GOOGLE_CLOUD_PROJECT', 'is not set'],
  ],
  [
    'load',
    'without whom it trusts',
    { PUSH_AUDIENCE: undefined, PUSH_SERVICE_ACCOUNT: undefined },
    [
      'PUSH_AUDIENCE (the audience of the push subscription',
      'PUSH_SERVICE_ACCOUNT (the service account that',
    ],
  ],
  [
    'load',
    'with a service account that is no email',
    { PUSH_SERVICE_ACCOUNT: 'load' },
    ['PUSH_SERVICE_ACCOUNT', 'must be an email, not "load".'],
  ],
  [
    'load',
    'with a deadline that Pub/Sub does not have',
    { ACK_DEADLINE_SECONDS: '5' },
    ['ACK_DEADLINE_SECONDS', 'must be a whole number from 10 to 600, not "5".'],
  ],
  [
    'load',
    'with a dataset that is none',
    { DATASET: 'my-data' },
    ['DATASET', 'must be letters, digits and underscores'],
  ],
  [
    'load',
    'with a local endpoint on Cloud Run',
    { K_SERVICE: 'load' },
    ['LOCAL_BIGQUERY_STORAGE must not be set on Cloud Run (K_SERVICE is load).'],
  ],
  [
    'load',
    'with a local issuer of tokens on Cloud Run',
    { K_SERVICE: 'load', LOCAL_BIGQUERY_STORAGE: undefined, LOCAL_TOKEN_ISSUER: 'http://127.0.0.1:9070' },
    ['LOCAL_TOKEN_ISSUER must not be set on Cloud Run'],
  ],
];

describe('a function does not start', () => {
  test.each(mistakes)('%s %s', async (name, _, change, said) => {
    const { code, stderr } = await start(name, change);
    expect(code).toBe(1);
    for (const words of said) expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain('node:internal');
  });
});

test.each(Object.keys(complete))(
  '%s starts with the environment that the others are a mistake away from',
  async (name) => {
    const child = launch(name, {});
    let shown = '';
    for await (const chunk of child.stdout) {
      shown += String(chunk);
      if (shown.includes('Serving')) break;
    }
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(shown).toContain('Serving');
    expect(await exited).toEqual([0, null]);
  },
);
