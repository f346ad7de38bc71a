import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDeployables } from './deployables.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deployables-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const http = {
  name: 'a',
  folder: 'a',
  trigger: 'http',
  public: true,
  host: 'own',
  port: 8080,
  memory: '512Mi',
  cpu: 1,
  concurrency: 80,
  timeoutSeconds: 60,
};
const { public: _public, port: _port, ...common } = http;
const push = { ...common, trigger: 'push', topic: 't', subscription: 's', ackDeadlineSeconds: 30 };

test('the deployables of the repository are valid, and ingest is one of them', () => {
  expect(readDeployables()).toContainEqual(
    expect.objectContaining({ name: 'ingest', trigger: 'http', public: true }),
  );
});

describe('a deployables file is refused, saying where and why,', () => {
  test.each([
    ['for a misspelt field', [{ ...http, concurency: 1 }], 'concurency'],
    ['for a name that is no function name', [{ ...http, name: 'In Gest' }], 'functions[0].name'],
    ['for an unknown trigger', [{ ...http, trigger: 'mail' }], 'functions[0].trigger'],
    [
      'for a push without its subscription',
      [{ ...push, subscription: undefined }],
      'functions[0].subscription',
    ],
    ['for two of one name', [http, { ...http, port: 8081 }], 'a is named twice'],
    ['for two on one port', [http, { ...http, name: 'b' }], '8080 is named twice'],
    ['for concurrency below one CPU', [{ ...http, cpu: 0.5 }], 'must be 1 below one CPU'],
    [
      'for a push that is cut off before its deadline',
      [{ ...push, timeoutSeconds: 30 }],
      'above ackDeadlineSeconds',
    ],
    [
      'for a schedule of a public function',
      [{ ...http, schedules: [{ name: 'j', cron: '* * * * *', path: '/j' }] }],
      'must be empty where anyone may call',
    ],
    [
      'for a schedule that is not cron',
      [{ ...http, public: false, schedules: [{ name: 'j', cron: 'hourly', path: '/j' }] }],
      'five fields of cron',
    ],
  ])('%s', async (_name, functions, message) => {
    const file = pathToFileURL(join(folder, 'functions.json'));
    await writeFile(file, JSON.stringify({ functions }));
    expect(() => readDeployables(file)).toThrow(message);
  });
});
