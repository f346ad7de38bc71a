import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { CredentialSeed } from '../seed.ts';

/** Who calls, by the access token. */
export interface Caller {
  email: string;
  scopes: readonly string[];
  /** Of a user's token; a service account has none. */
  credential?: CredentialSeed;
}

export interface Tokens {
  issue(caller: Caller): { accessToken: string; expiresInSeconds: number };
  /** Undefined for a token that was never issued, is over, or was taken back. */
  callerOf(accessToken: string): Caller | undefined;
  /** Consent taken back: no new tokens for it, and those issued are void. */
  revoke(refreshToken: string): void;
  isRevoked(credential: CredentialSeed): boolean;
  /** Makes every token issued until now void, as when a key is turned off. */
  expireAll(): void;
}

const LIFE_SECONDS = 3599;

export function createTokens(clock: Clock): Tokens {
  const issued = new Map<string, { caller: Caller; until: number }>();
  const revoked = new Set<string>();
  const isRevoked = (credential: CredentialSeed) =>
    revoked.has(credential.refreshToken) ||
    (credential.revokedAt !== undefined &&
      clock.now() >= Date.parse(credential.revokedAt) &&
      (credential.grantedAgainAt === undefined || clock.now() < Date.parse(credential.grantedAgainAt)));
  return {
    issue(caller) {
      const accessToken = `ya29.${randomBytes(24).toString('base64url')}`;
      // A year of hourly tokens is nothing; what is over is dropped only so that a long run does not grow.
      if (issued.size > 10_000) issued.clear();
      issued.set(accessToken, { caller, until: clock.now() + LIFE_SECONDS * 1000 });
      return { accessToken, expiresInSeconds: LIFE_SECONDS };
    },
    callerOf(accessToken) {
      const found = issued.get(accessToken);
      if (found === undefined || clock.now() >= found.until) return undefined;
      const { credential } = found.caller;
      return credential !== undefined && isRevoked(credential) ? undefined : found.caller;
    },
    revoke(refreshToken) {
      revoked.add(refreshToken);
    },
    isRevoked,
    expireAll() {
      issued.clear();
    },
  };
}
