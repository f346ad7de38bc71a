import { createHash } from 'node:crypto';
import type { AccessRequest, Statement } from './access-request.ts';
import { placeKey } from './find-contradictions.ts';
import { accountOf, type LiveState } from './live-state.ts';

/**
 * SHA-256 over what is asked for and the live state that a plan is made from, in hexadecimal. Names of bindings are left
 * out, since they change when a binding is made anew with the same roles; so are reasons.
 */
export function hashPlan(request: AccessRequest, live: LiveState): string {
  const hash = createHash('sha256');
  const add = (value: unknown) => hash.update(`${JSON.stringify(value)}\n`);
  add(['plan', 1, request.atomicity, request.shadowed, request.guards]);
  for (const statement of request.statements) add(describe(statement));
  add('state');
  for (const parent of [...live.bindings.keys()].sort()) {
    add([parent, accountOf(parent, live)]);
    const bindings = [...(live.bindings.get(parent) ?? [])].map(([user, { roles }]) => [user, roles]);
    for (const binding of bindings.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)))
      add(binding);
  }
  return hash.digest('hex');
}

const describe = (statement: Statement): unknown =>
  statement.kind === 'only'
    ? ['only', placeKey(statement.place), [...statement.members].sort()]
    : [statement.wish.kind, placeKey(statement.place), statement.user, statement.wish.roles ?? null];
