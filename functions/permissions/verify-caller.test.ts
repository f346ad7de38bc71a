import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningIssuer, startIssuer, type TokenClaims } from '../../local/issuer/index.ts';
import { type StorageServer, startStorage } from '../../local/storage/index.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { openSettingsSource } from '../../shared/settings/settings-source.ts';
import { createPolicyReader } from './read-policy.ts';
import { createCallerVerifier, type VerifyCaller } from './verify-caller.ts';

const audience = 'https://permissions.example.com';
const ada = 'ada@example.com';
const scheduler = 'scheduler@example.iam.gserviceaccount.com';

let folder: string;
let issuer: RunningIssuer;
let storage: StorageServer;
let google: Storage;
let verify: VerifyCaller;
let logged: { severity: string; message: string }[] = [];
let buckets = 0;

beforeAll(async () => {
  process.env.METADATA_SERVER_DETECTION = 'none';
  folder = await mkdtemp(join(tmpdir(), 'verify-caller-'));
  issuer = await startIssuer({ port: 0, keyFile: join(folder, 'key.pem') });
  storage = await startStorage({ port: 0, file: ':memory:' });
  google = new Storage({ projectId: 'local', apiEndpoint: `http://127.0.0.1:${storage.port}` });
});

afterAll(async () => {
  await Promise.all([issuer.close(), storage.close(), rm(folder, { recursive: true })]);
});

beforeEach(async () => {
  logged = [];
  await google.createBucket(`policies-${++buckets}`);
  const environment = {
    LOCAL_TOKEN_ISSUER: issuer.url,
    LOCAL_STORAGE: `127.0.0.1:${storage.port}`,
  };
  const source = openSettingsSource(`gs://policies-${buckets}/policy.json`, (name) =>
    openBucket(name, environment),
  );
  const note = (severity: string, message: string) => logged.push({ severity, message });
  verify = createCallerVerifier({
    verifyToken: createTokenVerifier({ audience, emails: [ada, scheduler] }, environment),
    readPolicy: createPolicyReader(source!, note),
    what: 'a call',
    log: note,
  });
  await write({ callers: [{ email: ada, accounts: ['accounts/1'], strongestRole: 'editor' }] });
});

const write = (policy: object | string) =>
  google
    .bucket(`policies-${buckets}`)
    .file('policy.json')
    .save(typeof policy === 'string' ? policy : JSON.stringify(policy), { resumable: false });

/** A request with a token, of Ada for this function unless told. */
async function request(claims: Partial<TokenClaims> = {}): Promise<IncomingMessage> {
  const token = await issuer.sign({ audience, email: ada, ...claims });
  return { headers: { authorization: `Bearer ${token}` } } as IncomingMessage;
}

const refused = (status: number, message: string) => ({
  kind: 'refused',
  refusal: { status, message: expect.stringContaining(message) },
});

describe('a caller', () => {
  test('with a token of Google for this function and a place in the policy is admitted with its rights', async () => {
    expect(await verify(await request(), 'apply')).toEqual({
      kind: 'admitted',
      email: ada,
      rights: {
        accounts: new Set(['accounts/1']),
        strongestRole: 'editor',
        domains: undefined,
        mayApply: true,
      },
    });
  });

  test.each([
    ['for another audience', { audience: 'https://other.example.com' }],
    ['that has expired', { expiresInSeconds: -60 }],
    ['of an address that is not verified', { emailVerified: false }],
    ['of an address that may not call', { email: 'eve@example.com' }],
  ])('with a token %s is refused with 403', async (_what, claims) => {
    expect(await verify(await request(claims), 'plan')).toMatchObject(refused(403, ''));
  });

  test('with a token of another issuer, or without any, is refused', async () => {
    const other = await startIssuer({ port: 0, keyFile: join(folder, 'other.pem') });
    const token = await other.sign({ audience, email: ada });
    await other.close();
    const foreign = { headers: { authorization: `Bearer ${token}` } } as IncomingMessage;
    expect(await verify(foreign, 'plan')).toMatchObject(refused(403, ''));
    expect(await verify({ headers: {} } as IncomingMessage, 'plan')).toMatchObject(refused(401, 'bearer'));
  });

  test('whom the policy does not name may call, and neither plan nor apply', async () => {
    const call = await request({ email: scheduler });
    expect(await verify(call, 'call')).toMatchObject({ kind: 'admitted', rights: undefined });
    for (const need of ['plan', 'apply'] as const) {
      expect(await verify(call, need)).toMatchObject(refused(403, 'does not name it'));
    }
  });

  test('who may only plan may not apply', async () => {
    await write({ callers: [{ email: ada, accounts: 'all', strongestRole: 'admin', may: 'plan' }] });
    expect(await verify(await request(), 'plan')).toMatchObject({ kind: 'admitted' });
    expect(await verify(await request(), 'apply')).toMatchObject(refused(403, 'not apply'));
  });
});

describe('the policy', () => {
  test('is the one of now: what is taken from somebody is taken at once', async () => {
    expect(await verify(await request(), 'apply')).toMatchObject({ kind: 'admitted' });
    await write({ callers: [] });
    expect(await verify(await request(), 'apply')).toMatchObject(refused(403, 'does not name it'));
  });

  test('stays as it was where its new version is invalid, which is told once', async () => {
    await verify(await request(), 'apply');
    await write('{"callers": [');
    expect(await verify(await request(), 'apply')).toMatchObject({ kind: 'admitted' });
    expect(await verify(await request(), 'apply')).toMatchObject({ kind: 'admitted' });
    expect(logged).toEqual([
      { severity: 'ERROR', message: expect.stringContaining('the policy stays as it was') },
    ]);
    await write({ callers: [] });
    expect(await verify(await request(), 'apply')).toMatchObject(refused(403, 'does not name it'));
  });

  test('that is gone, or was never good, admits nobody', async () => {
    await verify(await request(), 'apply');
    await google.bucket(`policies-${buckets}`).file('policy.json').delete();
    expect(await verify(await request(), 'apply')).toMatchObject(refused(503, 'nobody may change access'));
    await write({ callers: 'all' });
    expect(await verify(await request(), 'plan')).toMatchObject(refused(503, 'nobody may change access'));
    expect(await verify(await request({ email: scheduler }), 'call')).toMatchObject({ kind: 'admitted' });
  });
});
