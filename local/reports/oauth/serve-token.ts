import { createPublicKey, verify } from 'node:crypto';
import type { Answer } from '../answer.ts';
import type { World } from '../world.ts';

export const DEFAULT_USER_SCOPES = [
  'https://www.googleapis.com/auth/youtube.readonly',
  'https://www.googleapis.com/auth/yt-analytics.readonly',
  'https://www.googleapis.com/auth/yt-analytics-monetary.readonly',
  'https://www.googleapis.com/auth/youtubepartner',
];

/** `POST /token`: a refresh token, a code of consent or a service account's signed claim for an access token. */
export function serveToken(world: World, form: URLSearchParams): Answer {
  switch (form.get('grant_type')) {
    case 'refresh_token':
      return refresh(world, form);
    case 'authorization_code':
      return exchange(world, form);
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
      return sign(world, form.get('assertion') ?? '');
    default:
      return fail(400, 'unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type') ?? ''}`);
  }
}

function refresh(world: World, form: URLSearchParams): Answer {
  const wrongClient = checkClient(world, form);
  if (wrongClient !== undefined) return wrongClient;
  const credential = world.seed.credentials.find(
    (it) => it.refreshToken === form.get('refresh_token') && it.clientId === form.get('client_id'),
  );
  if (credential === undefined) return fail(400, 'invalid_grant', 'Bad Request');
  if (world.tokens.isRevoked(credential)) {
    return fail(400, 'invalid_grant', 'Token has been expired or revoked.');
  }
  const scopes = credential.scopes ?? DEFAULT_USER_SCOPES;
  return issue(world, { email: credential.email, scopes, credential });
}

/** The code is what the consent page gave: `code-` and the refresh token of who consented. */
function exchange(world: World, form: URLSearchParams): Answer {
  const wrongClient = checkClient(world, form);
  if (wrongClient !== undefined) return wrongClient;
  const code = form.get('code') ?? '';
  const credential = world.seed.credentials.find((it) => code === `code-${it.refreshToken}`);
  if (credential === undefined || world.tokens.isRevoked(credential)) {
    return fail(400, 'invalid_grant', 'Malformed auth code.');
  }
  const scopes = credential.scopes ?? DEFAULT_USER_SCOPES;
  const answer = issue(world, { email: credential.email, scopes, credential });
  return { ...answer, body: { ...answer.body, refresh_token: credential.refreshToken } };
}

function checkClient({ seed }: World, form: URLSearchParams): Answer | undefined {
  const clientId = form.get('client_id');
  const known = seed.credentials.filter((it) => it.clientId === clientId);
  if (known.length === 0) return fail(401, 'invalid_client', 'The OAuth client was not found.');
  if (!known.some((it) => it.clientSecret === form.get('client_secret'))) {
    return fail(401, 'invalid_client', 'Unauthorized');
  }
  return undefined;
}

function sign(world: World, assertion: string): Answer {
  const [head = '', claims = '', signature = ''] = assertion.split('.');
  const header = decode(head);
  const said = decode(claims);
  const email = typeof said.iss === 'string' ? said.iss : '';
  if (!world.seed.serviceAccounts.includes(email)) {
    return fail(400, 'invalid_grant', 'Invalid grant: account not found');
  }
  const key = world.keys.get(String(header.kid ?? ''));
  const signed =
    key?.email === email &&
    verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claims}`),
      createPublicKey(key.publicKey),
      Buffer.from(signature, 'base64url'),
    );
  if (!signed) return fail(400, 'invalid_grant', 'Invalid JWT Signature.');
  const scopes = String(said.scope ?? '')
    .split(' ')
    .filter(Boolean);
  if (scopes.length === 0) {
    return fail(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
  }
  return issue(world, { email, scopes });
}

function issue(world: World, caller: Parameters<World['tokens']['issue']>[0]): Answer {
  const { accessToken, expiresInSeconds } = world.tokens.issue(caller);
  return {
    status: 200,
    body: {
      access_token: accessToken,
      expires_in: expiresInSeconds,
      scope: caller.scopes.join(' '),
      token_type: 'Bearer',
    },
  };
}

function fail(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}

function decode(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
