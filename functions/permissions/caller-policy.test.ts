import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountsOutside, InvalidPolicy, parsePolicy, rightsOf } from './caller-policy.ts';
import type { AccountName } from './live-state.ts';
import { mainRoles } from './roles.ts';

const policyOf = (policy: object) => parsePolicy(JSON.stringify(policy), 'policy.json');
const caller = { email: 'ada@example.com', accounts: 'all', strongestRole: 'admin' };

describe('the rights of a caller', () => {
  test('are those of the entry that names the address, in whatever letters', () => {
    const policy = policyOf({
      domains: ['Example.com', 'example.org'],
      callers: [
        {
          email: ['Ada@example.com', 'grace@example.com'],
          accounts: ['accounts/1'],
          strongestRole: 'editor',
        },
        { ...caller, email: 'ci@local.iam.gserviceaccount.com', domains: ['example.org'], may: 'plan' },
      ],
    });
    expect(rightsOf(policy, 'ADA@example.com')).toEqual({
      accounts: new Set(['accounts/1']),
      strongestRole: 'editor',
      domains: ['example.com', 'example.org'],
      mayApply: true,
    });
    expect(rightsOf(policy, 'ci@local.iam.gserviceaccount.com')).toEqual({
      accounts: 'all',
      strongestRole: 'admin',
      domains: ['example.org'],
      mayApply: false,
    });
    expect(rightsOf(policy, 'eve@example.com')).toBeUndefined();
  });

  test('leave out every account that is not named, each once', () => {
    const touched: AccountName[] = ['accounts/1', 'accounts/2', 'accounts/11', 'accounts/2'];
    expect(accountsOutside({ accounts: 'all' }, touched)).toEqual([]);
    expect(accountsOutside({ accounts: new Set(['accounts/1']) }, touched)).toEqual([
      'accounts/2',
      'accounts/11',
    ]);
  });

  test('are never more than the policy says, whoever else it names', () => {
    const entry = fc.record({
      email: fc.integer({ min: 0, max: 20 }).map((id) => `user-${id}@example.com`),
      accounts: fc.oneof(fc.constant('all'), fc.constant(['accounts/1']), fc.constant(['accounts/2'])),
      strongestRole: fc.constantFrom(...mainRoles),
      may: fc.constantFrom('plan', 'apply'),
    });
    const entries = fc.uniqueArray(entry, { selector: ({ email }) => email, maxLength: 20 });
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 25 }), (callers, id) => {
        const email = `user-${id}@example.com`;
        const rights = rightsOf(policyOf({ callers }), email);
        const named = callers.find((one) => one.email === email);
        expect(rights?.mayApply).toBe(named === undefined ? undefined : named.may === 'apply');
        expect(rights?.strongestRole).toBe(named?.strongestRole);
        const outside = rights === undefined ? undefined : accountsOutside(rights, ['accounts/1']);
        expect(outside?.length).toBe(
          named === undefined
            ? undefined
            : named.accounts === 'all' || named.accounts[0] === 'accounts/1'
              ? 0
              : 1,
        );
      }),
    );
  });
});

describe('a policy', () => {
  test.each([
    ['names somebody twice', { callers: [caller, { ...caller, email: 'ADA@example.com' }] }, 'named twice'],
    [
      'allows a domain to one that it allows to nobody',
      { domains: ['example.com'], callers: [{ ...caller, domains: ['example.org'] }] },
      'example.org is not among',
    ],
    ['has no address', { callers: [{ ...caller, email: 'ada' }] }, 'callers[0].email'],
    ['has no account', { callers: [{ ...caller, accounts: ['1'] }] }, 'callers[0].accounts'],
    [
      'has a role that there is not',
      { callers: [{ ...caller, strongestRole: 'owner' }] },
      'callers[0].strongestRole',
    ],
    ['has an address for a domain', { domains: ['@example.com'], callers: [] }, 'domains[0]'],
    ['has a word that means nothing', { callers: [{ ...caller, role: 'admin' }] }, 'role'],
  ])('that %s is refused, with the place', (_what, policy, message) => {
    const parse = () => policyOf(policy);
    expect(parse).toThrow(InvalidPolicy);
    expect(parse).toThrow(message);
    expect(parse).toThrow('policy.json');
  });

  test('that is no JSON is refused', () => {
    expect(() => parsePolicy('callers: []', 'policy.json')).toThrow('policy.json is not JSON');
  });
});
