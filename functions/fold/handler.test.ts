import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningIssuer, startIssuer } from '../../local/issuer/index.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { InvalidSettings } from '../../shared/settings/parse-settings.ts';
import { readTable } from '../../test/markdown-table.ts';
import { readText } from '../../test/repository-files.ts';
import { createFoldHandler } from './handler.ts';
import { leaseObject, takeLease } from './lease.ts';
import { foldCounts } from './metrics.ts';
import { noSettings, type StartedFold, startFold } from './start-for-test.ts';

const audience = 'https://fold.example.com';
const operator = 'operator@local.iam.gserviceaccount.com';

let folder: string;
let issuer: RunningIssuer;
let fold: StartedFold;
let settings: () => Promise<typeof noSettings>;
let isBigQueryThere: boolean;
let url: string;
let host: ReturnType<typeof createHost>;
const logged: { severity: string; message: string }[] = [];
const counts = startCounts(foldCounts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fold-'));
  [issuer, fold] = await Promise.all([
    startIssuer({ port: 0, keyFile: join(folder, 'key.pem') }),
    startFold({}, { estimatesBytes: true }),
  ]);
  const nowhere = createBigQuery('local', { LOCAL_BIGQUERY: '127.0.0.1:1' });
  const handle = createFoldHandler({
    ...fold.options,
    get bigquery() {
      return isBigQueryThere ? fold.options.bigquery : nowhere;
    },
    // The client tries for longer.
    get withinMs() {
      return isBigQueryThere ? 60_000 : 1_000;
    },
    get callWithinMs() {
      return fold.storageFaults.unavailableRate === 0 ? 5_000 : 500;
    },
    verifyToken: createTokenVerifier({ audience, emails: [operator] }, { LOCAL_TOKEN_ISSUER: issuer.url }),
    readSettings: () => settings(),
    counts,
    log: (severity, message) => logged.push({ severity, message }),
  });
  host = createHost(handle);
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  await host.drain(5_000);
  await Promise.all([issuer.close(), fold.close()]);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  settings = async () => noSettings;
  isBigQueryThere = true;
  logged.length = 0;
  Object.assign(counts, startCounts(foldCounts));
});

async function call(
  path = '/',
  { method = 'POST', email = operator }: { method?: string; email?: string } = {},
) {
  const token = await issuer.sign({ audience, email });
  const answer = await fetch(`${url}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe('a call', () => {
  test('is answered what the tick did, and counted so', async () => {
    await fold.append([
      {
        project: 'shop',
        kind: 'alias',
        anonymous_id: 'phone',
        user_id: 'ada',
        received_at: Date.now() * 1_000,
      },
    ]);
    expect(await call()).toMatchObject({ status: 200, body: { kind: 'folded', mode: 'full', persons: 1 } });
    expect(await call('/fold')).toMatchObject({
      status: 200,
      body: { kind: 'unchanged', mode: 'incremental' },
    });
    expect(await call('/?full=1')).toMatchObject({ status: 200, body: { kind: 'folded', mode: 'full' } });
    expect(counts).toMatchObject({
      ticks: 3,
      ticksFolded: 2,
      ticksUnchanged: 1,
      rebuilds: 2,
      bindingsChanged: 1,
    });
    expect(counts.queriesRun).toBe(9 + 1 + 9);
    expect(counts.personsFolded).toBe(2);
    expect(counts.bytesProcessed).toBeGreaterThan(0);
  });

  test('while another one is at work is answered that it is, and changes nothing', async () => {
    const lease = await takeLease({ ...fold.options, lastsMs: 60_000 });
    expect(await call()).toMatchObject({ status: 200, body: { kind: 'busy', queries: 0 } });
    expect(counts).toMatchObject({ ticks: 1, ticksYielded: 1 });
    await lease?.release();
    expect(await fold.bucket.find(leaseObject, 2_000)).toBeUndefined();
  });

  test('without a token, or of one who may not call, does nothing', async () => {
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    expect(await call('/', { email: 'stranger@example.com' })).toMatchObject({
      status: 403,
      body: { error: { code: 'permission_denied' } },
    });
    expect(counts.ticks).toBe(0);
  });

  test.each([
    ['POST', '/unknown', 404, 'not_found'],
    ['PUT', '/', 404, 'not_found'],
    ['POST', '/?full=yes', 400, 'invalid_argument'],
  ])('%s %s is refused', async (method, path, status, code) => {
    expect(await call(path, { method })).toMatchObject({ status, body: { error: { code } } });
    expect(counts.ticks).toBe(0);
  });

  test('of health needs no token', async () => {
    for (const path of ['/', '/healthz']) expect((await fetch(`${url}${path}`)).status).toBe(200);
  });

  test('under invalid settings decides nothing', async () => {
    settings = () => Promise.reject(new InvalidSettings('settings.json is not JSON'));
    expect(await call()).toEqual({
      status: 409,
      body: { error: { code: 'failed_precondition', message: 'SETTINGS: settings.json is not JSON' } },
    });
    expect(counts).toMatchObject({ ticks: 1, ticksFailed: 1 });
    expect(logged).toMatchObject([{ severity: 'ERROR' }]);
  });

  test('while BigQuery is down fails, gives the lease back, and the next one goes on', async () => {
    await fold.append([
      {
        project: 'shop',
        kind: 'profile_set',
        user_id: 'ada',
        received_at: Date.now() * 1_000,
        properties: '{"n":1}',
      },
    ]);
    isBigQueryThere = false;
    expect(await call()).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    expect(counts).toMatchObject({ ticks: 1, ticksFailed: 1 });
    isBigQueryThere = true;
    expect(await call()).toMatchObject({ status: 200, body: { kind: 'folded', persons: 1 } });
  });

  test('while Cloud Storage is down fails, and the next one goes on', async () => {
    fold.storageFaults.unavailableRate = 1;
    expect(await call()).toMatchObject({ status: 503 });
    fold.storageFaults.unavailableRate = 0;
    expect(await call()).toMatchObject({ status: 200, body: { kind: 'unchanged' } });
  });
});

test('the README tells of every count', () => {
  const rows = readTable(readText('functions/fold/README.md'), '| Metric ');
  expect(rows).toEqual(
    Object.values(foldCounts).map(({ name, unit, description }) => [name, unit, description]),
  );
});
