import { readFile } from 'node:fs/promises';
import { GoogleAuth, JWT, OAuth2Client } from 'google-auth-library';
import { z } from 'zod';
import type { LocalEndpoint } from './endpoints.ts';

/** The headers that authorize a request. They are kept apart from the clients, so that each request is counted once. */
export interface Authorizer {
  /** `now` is in epoch milliseconds. Rejects with TokenRefused, or with what the network did. */
  headers(now: number): Promise<Record<string, string>>;
  /** Forgets the token: the next headers ask for another. */
  renew(): void;
}

/** The token endpoint said no, or there is nothing to ask it with. `reason` is its word: invalid_grant, invalid_client. */
export class TokenRefused extends Error {
  readonly reason: string;
  readonly status: number | null;
  constructor(reason: string, status: number | null, detail: string, cause?: unknown) {
    super(`${reason}: ${detail}`, { cause });
    this.name = 'TokenRefused';
    this.reason = reason;
    this.status = status;
  }
}

/** What google-auth-library calls authorized_user and service_account, as files of credentials have them. */
const credentialShape = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('authorized_user'),
    client_id: z.string(),
    client_secret: z.string(),
    refresh_token: z.string(),
  }),
  z.looseObject({ type: z.literal('service_account'), client_email: z.string(), private_key: z.string() }),
]);

/**
 * Authorizes by a stored credential. `place` is the path of a file (a mounted secret, read again with each renewal) or
 * the name of an environment variable; what lies there is JSON of type authorized_user or service_account.
 */
export function createStoredAuthorizer(
  place: string,
  scopes: readonly string[],
  environment: NodeJS.ProcessEnv,
  local: LocalEndpoint | undefined,
): Authorizer {
  return remember(async () => {
    const credential = parseCredential(await readCredential(place, environment), place);
    const client =
      credential.type === 'authorized_user'
        ? new OAuth2Client({
            clientId: credential.client_id,
            clientSecret: credential.client_secret,
            ...(local !== undefined && { endpoints: { oauth2TokenUrl: tokenUrl(local) } }),
          })
        : new JWT({ email: credential.client_email, key: credential.private_key, scopes: [...scopes] });
    if (credential.type === 'authorized_user') {
      client.setCredentials({ refresh_token: credential.refresh_token });
    }
    return client;
  });
}

/** Authorizes as the account that the function runs as. */
export function createOwnAuthorizer(scopes: readonly string[]): Authorizer {
  return remember(() => new GoogleAuth({ scopes: [...scopes] }).getClient());
}

interface TokenClient {
  getAccessToken(): Promise<{ token?: string | null }>;
  readonly credentials: { readonly expiry_date?: number | null };
  readonly transporter: OAuth2Client['transporter'];
}

function remember(open: () => Promise<TokenClient>): Authorizer {
  let client: Promise<TokenClient> | undefined;
  let expiresAt = Number.POSITIVE_INFINITY;
  const openOnce = async () => {
    const opened = await open();
    opened.transporter.interceptors.request.add({
      // Who calls tries again, by the class of the error; the library would do so unseen.
      resolved: async (options) =>
        Object.assign(options, {
          retry: false,
          retryConfig: { retry: 0, noResponseRetries: 0 },
          timeout: withinMs,
          // Not node-fetch, which ends the process where a signal aborts before a POST has begun.
          fetchImplementation: fetch,
        }),
    });
    return opened;
  };
  return {
    async headers(now) {
      if (now >= expiresAt) client = undefined;
      try {
        if (client === undefined) expiresAt = Number.POSITIVE_INFINITY;
        client ??= openOnce();
        const opened = await client;
        const { token } = await opened.getAccessToken();
        if (!token) throw new TokenRefused('no_token', null, 'the answer held no access token');
        const lifetimeMs = (opened.credentials.expiry_date ?? Number.POSITIVE_INFINITY) - Date.now();
        expiresAt = Math.min(expiresAt, now + lifetimeMs - marginMs);
        return { authorization: `Bearer ${token}` };
      } catch (error) {
        client = undefined;
        throw asRefusal(error);
      }
    },
    renew() {
      client = undefined;
    },
  };
}

const withinMs = 10_000;
/** A token must live as long as the call that it is sent with. */
const marginMs = 60_000;
const tokenUrl = ({ host, port }: LocalEndpoint) => `http://${host}:${port}/token`;

async function readCredential(place: string, environment: NodeJS.ProcessEnv): Promise<string> {
  if (/[/\\]/.test(place)) {
    return readFile(place, 'utf8').catch((cause: unknown) => {
      throw new TokenRefused('no_credential', null, `${place} cannot be read`, cause);
    });
  }
  const value = environment[place];
  if (!value) throw new TokenRefused('no_credential', null, `the environment variable ${place} is not set`);
  return value;
}

function parseCredential(text: string, place: string): z.output<typeof credentialShape> {
  try {
    return credentialShape.parse(JSON.parse(text));
  } catch (cause) {
    // The cause may quote a secret, and is not carried on.
    const detail = cause instanceof z.ZodError ? `lacks ${cause.issues[0]?.path.join('.')}` : 'is no JSON';
    throw new TokenRefused('no_credential', null, `what ${place} holds ${detail}`);
  }
}

const refusal = z.object({
  response: z.object({
    status: z.number(),
    data: z.object({ error: z.string(), error_description: z.string().optional() }),
  }),
});

/** RFC 6749 section 5.2; whatever else went wrong passes unchanged. */
function asRefusal(error: unknown): unknown {
  const parsed = refusal.safeParse(error);
  if (!parsed.success || parsed.data.response.status >= 500) return error;
  const { status, data } = parsed.data.response;
  return new TokenRefused(
    data.error,
    status,
    data.error_description ?? 'the token endpoint gives no reason',
    error,
  );
}
