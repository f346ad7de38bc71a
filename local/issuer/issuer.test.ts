import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createIssuer, type RunningIssuer, startIssuer } from './index.ts';

let folder: string;
let keyFile: string;
let running: RunningIssuer[] = [];
const claims = { audience: 'https://load.example/push', email: 'push@local.iam.gserviceaccount.com' };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'issuer-'));
  keyFile = join(folder, 'keys', 'issuer.pem');
});

afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await Promise.all(running.map((issuer) => issuer.close()));
  running = [];
  await rm(folder, { recursive: true });
});

async function start(options: { port?: number; issuer?: string } = {}) {
  const issuer = await startIssuer({ port: 0, keyFile, ...options });
  running.push(issuer);
  return issuer;
}

describe('the local issuer', () => {
  test('signs tokens that verify against the keys its discovery document names', async () => {
    const issuer = await start();
    const token = await issuer.sign(claims);
    const discovery: { issuer: string; jwks_uri: string } = JSON.parse(
      await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).text(),
    );
    expect(discovery.issuer).toBe(issuer.url);
    const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: issuer.url,
      audience: claims.audience,
    });
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({ email: claims.email, email_verified: true });
    expect(payload.sub).toMatch(/^\d{21}$/);
    expect(payload.exp! - payload.iat!).toBe(3600);
  });

  test('signs what it is told to: subject, lifetime and an unverified email', async () => {
    const issuer = await start({ issuer: 'https://accounts.example' });
    const token = await issuer.sign({ ...claims, subject: '42', expiresInSeconds: 60, emailVerified: false });
    const payload = decodeJwt(token);
    expect(payload).toMatchObject({ iss: 'https://accounts.example', sub: '42', email_verified: false });
    expect(payload.exp! - payload.iat!).toBe(60);
  });

  test('gives the same token again until five minutes before it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const issuer = await start();
    const first = await issuer.sign(claims);
    vi.setSystemTime(Date.now() + 54 * 60_000);
    expect(await issuer.sign(claims)).toBe(first);
    vi.setSystemTime(Date.now() + 2 * 60_000);
    expect(await issuer.sign(claims)).not.toBe(first);
  });

  test('does not give the token of one audience or account to another', async () => {
    const issuer = await start();
    const tokens = await Promise.all([
      issuer.sign(claims),
      issuer.sign({ ...claims, audience: 'other' }),
      issuer.sign({ ...claims, email: 'other@local' }),
      issuer.sign({ ...claims, emailVerified: false }),
    ]);
    expect(new Set(tokens).size).toBe(4);
  });

  test('keeps its key over a restart, readable by its owner only', async () => {
    const first = await start();
    const token = await first.sign(claims);
    const second = await start();
    const keys = createRemoteJWKSet(new URL(`${second.url}/oauth2/v3/certs`));
    await expect(jwtVerify(token, keys)).resolves.toBeDefined();
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  test('can be mounted on a server that answers other paths too', async () => {
    const issuer = await createIssuer({ keyFile, issuer: 'http://mounted' });
    const server = createServer((request, response) => {
      if (!issuer.handle(request, response)) response.end('mine');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
    expect(await (await fetch(`${url}/oauth2/v3/certs`)).json()).toMatchObject({ keys: [{ kty: 'RSA' }] });
    expect(await (await fetch(`${url}/other`)).text()).toBe('mine');
    expect((await fetch(`${url}/oauth2/v3/certs`, { method: 'POST' })).status).toBe(405);
    server.closeAllConnections();
    server.close();
  });

  test('refuses to start on Cloud Run', async () => {
    vi.stubEnv('K_SERVICE', 'load');
    await expect(startIssuer({ port: 0, keyFile })).rejects.toThrow('K_SERVICE');
  });
});
