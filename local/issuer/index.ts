import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, SignJWT } from 'jose';
import { loadKeyPair } from './key-file.ts';

/** What a token says; the issuer adds itself, the times and the subject. */
export interface TokenClaims {
  audience: string;
  email: string;
  /** Default: a number made from the email, as Google's accounts have one. */
  subject?: string;
  /** Default 3600, as Google's tokens. */
  expiresInSeconds?: number;
  /** Default true. */
  emailVerified?: boolean;
}

export interface IssuerOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** 0 takes any free port. */
  port: number;
  /** The private key in PEM, created with mode 0600 when absent, so that tokens survive a restart. */
  keyFile: string;
  /** The `iss` of the tokens. Default: the server's own URL. */
  issuer?: string;
}

/** An issuer that serves nothing yet: mount `handle` on a server of your own. */
export interface Issuer {
  issuer: string;
  /** A signed RS256 token. Tokens are kept for reuse until five minutes before they expire. */
  sign(claims: TokenClaims): Promise<string>;
  /** Answers the issuer's own paths; false when the path is another's, the response then untouched. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

export interface RunningIssuer extends Issuer {
  port: number;
  url: string;
  close(): Promise<void>;
}

/** Where Google publishes its keys; here under the issuer's URL. */
const certsPath = '/oauth2/v3/certs';
const discoveryPath = '/.well-known/openid-configuration';
const reuseUntil = 5 * 60 * 1000;

/** Makes an issuer of OIDC tokens like those Google signs for service accounts. For local use: refused on Cloud Run. */
export async function createIssuer({
  keyFile,
  issuer,
}: {
  keyFile: string;
  issuer: string;
}): Promise<Issuer> {
  if (process.env.K_SERVICE !== undefined) {
    throw new Error('The local token issuer must not run in the cloud (K_SERVICE is set).');
  }
  const { privateKey, publicKey, keyId } = await loadKeyPair(keyFile);
  const certs = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid: keyId, use: 'sig', alg: 'RS256' }],
  });
  const discovery = JSON.stringify({
    issuer,
    jwks_uri: issuer + certsPath,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: ['aud', 'email', 'email_verified', 'exp', 'iat', 'iss', 'sub'],
  });
  const documents = new Map([
    [certsPath, certs],
    [discoveryPath, discovery],
  ]);
  const cache = new Map<string, { expires: number; token: Promise<string> }>();

  const signAnew = (claims: TokenClaims, now: number, expiresIn: number) =>
    new SignJWT({ email: claims.email, email_verified: claims.emailVerified ?? true, azp: claims.email })
      .setProtectedHeader({ alg: 'RS256', kid: keyId, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(claims.audience)
      .setSubject(claims.subject ?? subjectOf(claims.email))
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(Math.floor(now / 1000) + expiresIn)
      .sign(privateKey);

  return {
    issuer,
    sign(claims) {
      const now = Date.now();
      const expiresIn = claims.expiresInSeconds ?? 3600;
      const key = JSON.stringify([
        claims.audience,
        claims.email,
        claims.subject,
        expiresIn,
        claims.emailVerified,
      ]);
      const cached = cache.get(key);
      if (cached !== undefined && now < cached.expires - reuseUntil) return cached.token;
      const token = signAnew(claims, now, expiresIn);
      // A service asks for a handful of audiences; more than this is a test that makes them up.
      if (cache.size >= 1000) cache.clear();
      cache.set(key, { expires: now + expiresIn * 1000, token });
      token.catch(() => cache.delete(key));
      return token;
    },
    handle(request, response) {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      const document = documents.get(path);
      if (document === undefined) return false;
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
        return true;
      }
      response.writeHead(200, {
        'content-type': 'application/json; charset=UTF-8',
        'content-length': Buffer.byteLength(document),
        'cache-control': 'public, max-age=3600',
      });
      response.end(request.method === 'HEAD' ? undefined : document);
      return true;
    },
  };
}

/** Starts an issuer on a port of its own. Rejects when the port is taken or the key file holds no RSA key. */
export async function startIssuer(options: IssuerOptions): Promise<RunningIssuer> {
  const { host = '127.0.0.1', port, keyFile } = options;
  let issuer: Issuer | undefined;
  const server = createServer((request, response) => {
    if (issuer?.handle(request, response)) return;
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = address !== null && typeof address === 'object' ? address.port : port;
  const url = `http://${host}:${bound}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    issuer = await createIssuer({ keyFile, issuer: options.issuer ?? url });
  } catch (error) {
    await close();
    throw error;
  }
  return { ...issuer, port: bound, url, close };
}

/** Google's subjects are 21-digit numbers; the same email always has the same. */
function subjectOf(email: string): string {
  let hash = 0n;
  for (const byte of Buffer.from(email)) hash = (hash * 257n + BigInt(byte)) % 10n ** 20n;
  return `1${hash.toString().padStart(20, '0')}`;
}
