import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createIssuer, type Issuer, type TokenClaims } from '../../local/issuer/index.ts';
import { createTokenVerifier } from './verify-token.ts';

const audience = 'https://load.example.com';
const email = 'pusher@example.com';

let folder: string;
let server: Server;
let url: string;
let issuer: Issuer;
let keysAsked = 0;
let keysAnswer: 'keys' | 'broken' | 'error' = 'keys';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-token-'));
  server = createServer((request, response) => {
    keysAsked++;
    if (keysAnswer === 'error') response.writeHead(500).end();
    else if (keysAnswer === 'broken') response.end('<html>');
    else issuer.handle(request, response);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  issuer = await createIssuer({ keyFile: join(folder, 'key.pem'), issuer: url });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function verifier() {
  keysAsked = 0;
  return createTokenVerifier({ audience, emails: [email] }, { LOCAL_TOKEN_ISSUER: `${url}/` });
}
const sign = async (claims: Partial<TokenClaims> = {}) =>
  `Bearer ${await issuer.sign({ audience, email, ...claims })}`;

describe('a token', () => {
  test('of the expected account for the expected audience is verified', async () => {
    expect(await verifier()(await sign())).toEqual({ kind: 'verified', email });
  });

  test.each([undefined, '', 'Bearer', 'Bearer x', 'Basic dXNlcjpw'])(
    'is missing in %j',
    async (authorization) => {
      expect(await verifier()(authorization)).toEqual({ kind: 'missing' });
    },
  );

  test.each([
    ['for another audience', { audience: 'https://other.example.com' }, '"aud"'],
    ['of another account', { email: 'other@example.com' }, 'other@example.com may not call'],
    ['with an unverified email', { emailVerified: false }, 'email not verified'],
    ['that has expired', { expiresInSeconds: -60 }, '"exp"'],
  ])('%s is refused', async (_, claims, reason) => {
    const verified = await verifier()(await sign(claims));
    expect(verified).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  test('with another signature, of another issuer or with another algorithm is refused', async () => {
    const verify = verifier();
    const [head, body, signature] = (await sign()).split('.');
    expect(await verify(`${head}.${body}.${signature?.split('').reverse().join('')}`)).toMatchObject({
      kind: 'refused',
    });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const claims = { email, email_verified: true };
    const forge = (token: SignJWT) => token.setAudience(audience).setExpirationTime('1h');
    const unknownKey = await forge(new SignJWT(claims).setIssuer(url))
      .setProtectedHeader({ alg: 'RS256', kid: 'unknown' })
      .sign(privateKey);
    expect(await verify(`Bearer ${unknownKey}`)).toMatchObject({ kind: 'refused' });
    const symmetric = await forge(new SignJWT(claims).setIssuer(url))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from('a secret that everybody knows'));
    expect(await verify(`Bearer ${symmetric}`)).toMatchObject({ kind: 'refused' });
    const elsewhere = await createIssuer({
      keyFile: join(folder, 'key.pem'),
      issuer: 'https://elsewhere.example.com',
    });
    const foreign = await elsewhere.sign({ audience, email });
    expect(await verify(`Bearer ${foreign}`)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('"iss"'),
    });
  });

  test('without an expiry is refused', async () => {
    const { loadKeyPair } = await import('../../local/issuer/key-file.ts');
    const { privateKey, keyId } = await loadKeyPair(join(folder, 'key.pem'));
    const endless = await new SignJWT({ email, email_verified: true })
      .setProtectedHeader({ alg: 'RS256', kid: keyId })
      .setIssuer(url)
      .setAudience(audience)
      .sign(privateKey);
    expect(await verifier()(`Bearer ${endless}`)).toMatchObject({ kind: 'refused' });
  });

  test('is verified once and not again until it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = verifier();
    const authorization = await sign({ expiresInSeconds: 3 * 3600 });
    expect(await verify(authorization)).toMatchObject({ kind: 'verified' });
    keysAnswer = 'error';
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    expect(await verify(authorization)).toMatchObject({ kind: 'verified' });
    expect(keysAsked).toBe(1);
    keysAnswer = 'keys';
    vi.setSystemTime(Date.now() + 3_600_000 + 60_000);
    expect(await verify(authorization)).toMatchObject({ kind: 'refused' });
    vi.useRealTimers();
  });
});

describe('keys that cannot be fetched', () => {
  test.each(['error', 'broken'] as const)(
    'say nothing about the token (%s), and are asked for again',
    async (answer) => {
      const verify = verifier();
      const authorization = await sign();
      keysAnswer = answer;
      expect(await verify(authorization)).toMatchObject({ kind: 'keys_unavailable' });
      keysAnswer = 'keys';
      expect(await verify(authorization)).toMatchObject({ kind: 'verified' });
    },
  );

  test('because nobody listens are unavailable too', async () => {
    const verify = createTokenVerifier(
      { audience, emails: [email] },
      { LOCAL_TOKEN_ISSUER: 'http://127.0.0.1:1' },
    );
    expect(await verify(await sign())).toMatchObject({ kind: 'keys_unavailable' });
  });
});
