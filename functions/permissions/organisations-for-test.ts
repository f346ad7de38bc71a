import fc from 'fast-check';
import type { Step } from './access-plan.ts';
import type { AccessRequest } from './access-request.ts';
import type { GuardRules } from './guards.ts';
import { type AccountName, type Binding, bindingsBy, type LiveState, type ParentName } from './live-state.ts';
import { documentedQuotas } from './quota-limits.ts';
import { readRequest } from './read-request.ts';
import { toApi } from './roles.ts';

/** The account that the function calls Google as; administrator of every account. */
export const identity = 'function@local.iam.gserviceaccount.com';
export const caller = 'operator@example.com';

export const openRules = { domains: undefined, strongestRole: 'admin' } as const;
export const guards: GuardRules = {
  minimumAdministrators: 1,
  requiredAdministrators: [],
  maximumShareOfRemovals: 1,
  minimumExisting: 0,
  self: [identity, caller],
  accounts: undefined,
  strongestRole: 'admin',
};
export const planning = { guards, limits: documentedQuotas };

/** `bindings`: by parent, roles by user. Properties are in the account whose number begins theirs: 12 in 1. */
export function liveOf(
  bindings: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
): LiveState {
  const parents = Object.keys(bindings) as ParentName[];
  const accounts = new Map<AccountName, string>();
  const properties: LiveState['properties'] = new Map(
    parents.flatMap((parent) => {
      const number = parent.split('/')[1] ?? '';
      const account: AccountName = `accounts/${number[0]}`;
      accounts.set(account, `Account ${number[0]}`);
      return parent.startsWith('properties/')
        ? [[parent as `properties/${string}`, { account, displayName: `Property ${number}` }]]
        : [];
    }),
  );
  let id = 0;
  return {
    accounts,
    properties,
    bindings: new Map(
      [...accounts.keys(), ...parents].map((parent) => [
        parent,
        bindingsBy(
          Object.entries(bindings[parent] ?? {}).map(([user, roles]) => {
            id += 1;
            return { name: `${parent}/accessBindings/${id}`, user, roles };
          }),
        ),
      ]),
    ),
  };
}

export function requestOf(body: object): AccessRequest {
  const read = readRequest(body, openRules);
  if (read.kind === 'invalid') throw new Error(JSON.stringify(read.problems));
  return read.request;
}

/** The state after a step, as Google leaves it. */
export function after(live: LiveState, { parent, verb, changes }: Step): LiveState {
  const bindings = new Map(live.bindings.get(parent));
  for (const { user, after: roles } of changes) {
    const before = bindings.get(user);
    if ((verb === 'create') === (before !== undefined)) throw new Error(`${verb} of ${user} on ${parent}`);
    if (roles === null) bindings.delete(user);
    else bindings.set(user, { name: before?.name ?? `${parent}/accessBindings/new-${user}`, user, roles });
  }
  return { ...live, bindings: new Map(live.bindings).set(parent, bindings) };
}

/** Who has what, for comparison. */
export const picture = (live: LiveState): Record<string, Record<string, string[]>> =>
  Object.fromEntries(
    [...live.bindings]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([parent, bindings]) => [
        parent,
        Object.fromEntries(
          [...bindings]
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([user, { roles }]: [string, Binding]) => [user, toApi(roles)]),
        ),
      ]),
  );

const people = ['ann@example.com', 'bob@example.com', 'cid@example.com', 'dee@example.org', caller, identity];
const parents = ['accounts/1', 'properties/11', 'properties/12', 'accounts/2', 'properties/21'] as const;
const main = fc.constantFrom('viewer', 'analyst', 'editor', 'admin');
const roles = fc
  .tuple(main, fc.subarray(['no-cost-data', 'no-revenue-data']))
  .map(([one, others]) => [one, ...others]);
const heldRoles = fc.oneof(
  { weight: 4, arbitrary: roles.map((list) => list.map((role) => `predefinedRoles/${role}`)) },
  { weight: 1, arbitrary: fc.constant(['predefinedRoles/marketer']) },
  { weight: 1, arbitrary: main.map((one) => [`predefinedRoles/${one}`, 'predefinedRoles/marketer']) },
);

export const organisations: fc.Arbitrary<LiveState> = fc
  .tuple(
    ...parents.map((parent) =>
      fc
        .dictionary(fc.constantFrom(...people.slice(0, 5)), heldRoles)
        .map(
          (held) =>
            [
              parent,
              parent.startsWith('accounts/') ? { ...held, [identity]: ['predefinedRoles/admin'] } : held,
            ] as const,
        ),
    ),
  )
  .map((entries) => liveOf(Object.fromEntries(entries)));

const user = fc.constantFrom(...people);
const place = fc.constantFrom(...parents, 'accounts/1/properties/*');
const change = fc.oneof(
  fc.record({ op: fc.constantFrom('grant', 'set'), user, roles, on: place }),
  fc.record({ op: fc.constant('revoke'), user, on: place }),
  fc.record({ op: fc.constant('revoke'), user, roles, on: place }),
  fc.record({ op: fc.constant('revokeEverywhere'), user }),
);
const desired = fc.record({
  on: place,
  ownership: fc.constantFrom('exclusive', 'additive'),
  members: fc.uniqueArray(fc.record({ user, roles }), { maxLength: 4, selector: (member) => member.user }),
});

/** Requests as callers write them; some contradict themselves. */
export const requests = fc
  .tuple(
    fc.oneof(
      fc.record({ changes: fc.array(change, { minLength: 1, maxLength: 5 }) }),
      fc.record({ desired: fc.array(desired, { minLength: 1, maxLength: 2 }) }),
    ),
    fc.constantFrom('skip', 'write'),
    fc.constantFrom('call', 'account', 'request'),
  )
  .map(([body, shadowed, atomicity]) => ({ ...body, shadowed, atomicity }));
