import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { readLocalUrl } from './endpoints.ts';

export type VerifiedToken =
  | { readonly kind: 'verified'; readonly email: string }
  /** Nothing that could be a token. */
  | { readonly kind: 'missing' }
  /** A token, but not one to trust; `reason` names the check it failed. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The issuer's keys could not be fetched, which says nothing about the token. */
  | { readonly kind: 'keys_unavailable'; readonly reason: string };

/** Judges the value of an Authorization header. Never rejects. */
export type VerifyToken = (authorization: string | undefined) => Promise<VerifiedToken>;

export interface ExpectedToken {
  readonly audience: string;
  /** The accounts that may call. */
  readonly emails: readonly string[];
}

/**
 * Makes the check of Google's OIDC tokens, as Pub/Sub push and Cloud Scheduler send them:
 * signature (RS256), issuer, audience, expiry, email and email_verified.
 *
 * A token is verified once and then remembered until it expires, since senders repeat it for up to an hour.
 */
export function createTokenVerifier(expected: ExpectedToken, environment: NodeJS.ProcessEnv): VerifyToken {
  const local = readLocalUrl('LOCAL_TOKEN_ISSUER', environment);
  const issuer = local === undefined ? ['accounts.google.com', 'https://accounts.google.com'] : [local];
  const keysUrl = new URL(`${local ?? 'https://www.googleapis.com'}/oauth2/v3/certs`);
  const keys = createRemoteJWKSet(keysUrl, { timeoutDuration: 5_000, cacheMaxAge: 60 * 60 * 1_000 });
  const remembered = new Map<string, { readonly email: string; readonly expiresAtMs: number }>();

  async function verify(token: string): Promise<VerifiedToken> {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, keys, {
        issuer,
        audience: expected.audience,
        algorithms: ['RS256'],
        requiredClaims: ['exp'],
        // Two clocks never agree to the second.
        clockTolerance: 10,
      }));
    } catch (error) {
      return judge(error);
    }
    const { email, email_verified: emailVerified, exp } = payload;
    if (typeof email !== 'string') return { kind: 'refused', reason: 'no email' };
    if (emailVerified !== true) return { kind: 'refused', reason: 'email not verified' };
    if (!expected.emails.includes(email)) return { kind: 'refused', reason: `email ${email} may not call` };
    remember(token, email, (exp ?? 0) * 1_000);
    return { kind: 'verified', email };
  }

  function remember(token: string, email: string, expiresAtMs: number): void {
    remembered.set(token, { email, expiresAtMs });
    if (remembered.size <= mostRemembered) return;
    const [oldest] = remembered.keys();
    if (oldest !== undefined) remembered.delete(oldest);
  }

  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return { kind: 'missing' };
    const known = remembered.get(token);
    if (known !== undefined) {
      if (known.expiresAtMs > Date.now()) return { kind: 'verified', email: known.email };
      remembered.delete(token);
    }
    return verify(token);
  };
}

/** Senders share a token for minutes at least, so a few are in use at any time. */
const mostRemembered = 100;

function judge(error: unknown): VerifiedToken {
  // That one message quotes the token.
  const reason =
    error instanceof errors.JOSENotSupported
      ? error.code
      : error instanceof Error
        ? error.message
        : String(error);
  const isAboutTheToken =
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  return isAboutTheToken ? { kind: 'refused', reason } : { kind: 'keys_unavailable', reason };
}
