import { CodeChallengeMethod, OAuth2Client } from 'google-auth-library';
import { z } from 'zod';
import { readLocalEndpoint } from './endpoints.ts';
import { createYouTube, youtubeScopes } from './youtube.ts';

/** An OAuth client of type desktop app, as Google's console makes it. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What is stored for a content owner: read by createOwnerAuthorizer. */
export interface StoredCredential {
  readonly type: 'authorized_user';
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
}

export interface Consent {
  /** Where the owner agrees. */
  readonly url: string;
  /** Changes the code that came back for a credential, and tells which content owners it manages. */
  redeem(code: string): Promise<{ credential: StoredCredential; owners: readonly string[] }>;
}

/**
 * Begins a consent: developers.google.com/identity/protocols/oauth2/native-app. The code can be redeemed only with the
 * verifier that this process keeps (PKCE), and always brings a refresh token, an earlier consent or not.
 */
export async function beginConsent(
  { clientId, clientSecret }: OAuthClient,
  redirectUri: string,
  state: string,
  environment: NodeJS.ProcessEnv,
): Promise<Consent> {
  const local = readLocalEndpoint('LOCAL_GOOGLE_APIS', environment);
  const root = local && `http://${local.host}:${local.port}`;
  const client = new OAuth2Client({
    clientId,
    clientSecret,
    redirectUri,
    ...(root && {
      endpoints: { oauth2AuthBaseUrl: `${root}/o/oauth2/v2/auth`, oauth2TokenUrl: `${root}/token` },
    }),
  });
  const { codeVerifier, codeChallenge } = await client.generateCodeVerifierAsync();
  if (codeChallenge === undefined) throw new Error('The OAuth client made no challenge.');
  return {
    url: client.generateAuthUrl({
      access_type: 'offline',
      prompt: 'consent',
      scope: [...youtubeScopes],
      state,
      code_challenge: codeChallenge,
      code_challenge_method: CodeChallengeMethod.S256,
    }),
    async redeem(code) {
      const { tokens } = await client.getToken({ code, codeVerifier });
      if (!tokens.refresh_token) throw new Error('Google gave no refresh token.');
      return {
        credential: {
          type: 'authorized_user',
          client_id: clientId,
          client_secret: clientSecret,
          refresh_token: tokens.refresh_token,
        },
        owners: await listOwners(tokens.access_token ?? '', environment),
      };
    },
  };
}

const ownersShape = z.object({
  items: z.array(z.object({ id: z.string(), displayName: z.string().optional() })).default([]),
});

/** What the account manages; empty where it may not ask. */
async function listOwners(accessToken: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const { partnerUrl } = createYouTube(environment);
  try {
    const answer = await fetch(`${partnerUrl}contentOwners?fetchMine=true`, {
      headers: { authorization: `Bearer ${accessToken}` },
      signal: AbortSignal.timeout(10_000),
    });
    const { items } = ownersShape.parse(await answer.json());
    return items.map(({ id, displayName }) => (displayName ? `${id} (${displayName})` : id));
  } catch {
    return [];
  }
}
