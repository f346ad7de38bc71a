import type { IncomingMessage } from 'node:http';
import { type CallerCheck, identifyCaller, type Refusal } from '../../shared/host/admit-caller.ts';
import { readTrace } from '../../shared/host/log.ts';
import { type CallerPolicy, type CallerRights, rightsOf } from './caller-policy.ts';
import type { ReadPolicy } from './read-policy.ts';

/** What a request asks for: a snapshot and an inventory change nothing and need no rights but to call. */
export type Need = 'call' | 'plan' | 'apply';

export type VerifiedCaller =
  | {
      readonly kind: 'admitted';
      readonly email: string;
      /** Undefined where a call was all that was needed. */
      readonly rights: CallerRights | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Judges who makes a request and whether they may. Never rejects. */
export type VerifyCaller = (request: IncomingMessage, need: Need) => Promise<VerifiedCaller>;

/**
 * Makes the check of callers, in code as well as by IAM: a token that Google signed for this function, of an address that
 * is verified and may call (see createTokenVerifier), which the policy allows what it asks for.
 */
export function createCallerVerifier(
  options: CallerCheck & { readonly readPolicy: ReadPolicy },
): VerifyCaller {
  const { readPolicy, log } = options;
  return async (request, need) => {
    const identified = await identifyCaller(request, options);
    if (identified.kind === 'refused') return identified;
    const { email } = identified;
    if (need === 'call') return { kind: 'admitted', email, rights: undefined };
    const refuse = (status: 403 | 503, message: string, reason: string): VerifiedCaller => {
      log(status === 503 ? 'ERROR' : 'WARNING', message, { email, need, reason, ...readTrace(request) });
      const code = status === 503 ? 'unavailable' : 'permission_denied';
      return { kind: 'refused', refusal: { status, code, message } };
    };
    let policy: CallerPolicy;
    try {
      policy = await readPolicy();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return refuse(503, 'The policy of callers cannot be read, so nobody may change access.', reason);
    }
    const rights = rightsOf(policy, email);
    if (rights === undefined) {
      return refuse(
        403,
        `${email} may not change access: the policy of callers does not name it.`,
        'not named',
      );
    }
    if (need === 'apply' && !rights.mayApply) {
      return refuse(403, `${email} may plan changes of access and not apply them.`, 'may plan only');
    }
    return { kind: 'admitted', email, rights };
  };
}
