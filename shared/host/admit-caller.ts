import type { IncomingMessage } from 'node:http';
import type { VerifyToken } from '../google/verify-token.ts';
import { readTrace, type log as writeLog } from './log.ts';

/** Why a request is not served: what it is answered. */
export interface Refusal {
  readonly status: 401 | 403 | 503;
  readonly code: 'unauthenticated' | 'permission_denied' | 'unavailable';
  readonly message: string;
}

export interface CallerCheck {
  readonly verifyToken: VerifyToken;
  /** What is refused, for the log: 'a call'. */
  readonly what: string;
  readonly log: typeof writeLog;
}

export type IdentifiedCaller =
  | { readonly kind: 'caller'; readonly email: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Who makes a request, by the token in its Authorization header. What is refused is logged, but for a request that has
 * no token at all.
 */
export async function identifyCaller(
  request: IncomingMessage,
  { verifyToken, what, log }: CallerCheck,
): Promise<IdentifiedCaller> {
  const refused = (status: Refusal['status'], code: Refusal['code'], message: string): IdentifiedCaller => ({
    kind: 'refused',
    refusal: { status, code, message },
  });
  const token = await verifyToken(request.headers.authorization);
  switch (token.kind) {
    case 'verified':
      return { kind: 'caller', email: token.email };
    case 'missing':
      return refused(401, 'unauthenticated', 'The Authorization header must be a bearer token.');
    case 'refused':
      log('WARNING', `Refused ${what}.`, { reason: token.reason, ...readTrace(request) });
      return refused(403, 'permission_denied', token.reason);
    case 'keys_unavailable': {
      const message = 'The keys that sign tokens cannot be fetched.';
      log('ERROR', message, { reason: token.reason, ...readTrace(request) });
      return refused(503, 'unavailable', message);
    }
  }
}

/** Whether a request may be served, by the same token: undefined where it may. */
export async function admitCaller(
  request: IncomingMessage,
  check: CallerCheck,
): Promise<Refusal | undefined> {
  const identified = await identifyCaller(request, check);
  return identified.kind === 'refused' ? identified.refusal : undefined;
}
