import type { IncomingMessage } from 'node:http';
import type { VerifyToken } from '../google/verify-token.ts';
import { readTrace, type log as writeLog } from './log.ts';

/** Why a request is not served: what it is answered. */
export interface Refusal {
  readonly status: 401 | 403 | 503;
  readonly code: 'unauthenticated' | 'permission_denied' | 'unavailable';
  readonly message: string;
}

/**
 * Whether a request may be served, by the token in its Authorization header: undefined where it may. What is refused is
 * logged as that of `what`, such as 'a call', but for a request that has no token at all.
 */
export async function admitCaller(
  request: IncomingMessage,
  options: { readonly verifyToken: VerifyToken; readonly what: string; readonly log: typeof writeLog },
): Promise<Refusal | undefined> {
  const { verifyToken, what, log } = options;
  const token = await verifyToken(request.headers.authorization);
  switch (token.kind) {
    case 'verified':
      return undefined;
    case 'missing': {
      const message = 'The Authorization header must be a bearer token.';
      return { status: 401, code: 'unauthenticated', message };
    }
    case 'refused':
      log('WARNING', `Refused ${what}.`, { reason: token.reason, ...readTrace(request) });
      return { status: 403, code: 'permission_denied', message: token.reason };
    case 'keys_unavailable': {
      const message = 'The keys that sign tokens cannot be fetched.';
      log('ERROR', message, { reason: token.reason, ...readTrace(request) });
      return { status: 503, code: 'unavailable', message };
    }
  }
}
