import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GuardRules } from './guards.ts';
import type { LiveState } from './live-state.ts';
import {
  after,
  guards,
  liveOf,
  openRules,
  organisations,
  planning,
  requestOf,
  requests,
} from './organisations-for-test.ts';
import { planAccess } from './plan-access.ts';
import { readRequest } from './read-request.ts';
import { isAdmin } from './roles.ts';

const nobody: GuardRules = { ...guards, self: [] };
const two = { 'ann@x.com': ['predefinedRoles/admin'], 'bob@x.com': ['predefinedRoles/admin'] };
const one = { 'ann@x.com': ['predefinedRoles/admin'], 'bob@x.com': ['predefinedRoles/viewer'] };

/** The guards that refuse a request; none where it is planned. */
function refusing(
  changes: object[],
  live: LiveState,
  rules: Partial<GuardRules> = {},
  more: object = {},
): string[] {
  const planned = planAccess(requestOf({ changes, ...more }), live, {
    ...planning,
    guards: { ...nobody, ...rules },
  });
  if (planned.kind === 'invalid') throw new Error(JSON.stringify(planned));
  return planned.kind === 'guarded' ? planned.refusals.map(({ guard, parent }) => `${guard} ${parent}`) : [];
}

const revoke = (user: string | string[], on: string) => ({ op: 'revoke', user, on });
const set = (user: string, roles: string, on: string) => ({ op: 'set', user, roles, on });

describe('the guards', () => {
  test('keep the last administrator of an account, also from becoming less, but let one hand over', () => {
    const live = liveOf({ 'accounts/1': one });
    expect(refusing([revoke('ann@x.com', 'accounts/1')], live)).toEqual(['last_administrator accounts/1']);
    expect(refusing([set('ann@x.com', 'editor', 'accounts/1')], live)).toEqual([
      'last_administrator accounts/1',
    ]);
    const handover = [revoke('ann@x.com', 'accounts/1'), set('bob@x.com', 'admin', 'accounts/1')];
    expect(refusing(handover, live)).toEqual([]);
    expect(refusing([revoke('bob@x.com', 'accounts/1')], liveOf({ 'accounts/1': two }))).toEqual([]);
  });

  test('count the administrators of the account for its properties, and no administrator that there never was', () => {
    const property = { 'cid@x.com': ['predefinedRoles/admin'] };
    const inherited = liveOf({ 'accounts/1': one, 'properties/11': property });
    expect(refusing([revoke('cid@x.com', 'properties/11')], inherited)).toEqual([]);
    const alone = liveOf({ 'accounts/1': {}, 'properties/11': property });
    expect(refusing([revoke('cid@x.com', 'properties/11')], alone)).toEqual([
      'last_administrator properties/11',
    ]);
    const none = liveOf({ 'accounts/1': { 'bob@x.com': ['predefinedRoles/viewer'] } });
    expect(refusing([revoke('bob@x.com', 'accounts/1')], none)).toEqual([]);
  });

  test('keep as many administrators as they are told, and those that are required', () => {
    const live = liveOf({ 'accounts/1': two });
    const leave = [revoke('bob@x.com', 'accounts/1')];
    expect(refusing(leave, live, { minimumAdministrators: 2 })).toEqual(['last_administrator accounts/1']);
    expect(refusing(leave, live, {}, { guards: { minimumAdministrators: 2 } })).toEqual([
      'last_administrator accounts/1',
    ]);
    expect(refusing(leave, live, { requiredAdministrators: ['bob@x.com'] })).toEqual([
      'required_administrator accounts/1',
    ]);
    expect(refusing(leave, live, {}, { guards: { requiredAdministrators: ['bob@x.com'] } })).toEqual([
      'required_administrator accounts/1',
    ]);
  });

  test('let no more than a share of the bindings of an account go, from so many on', () => {
    const users = Object.fromEntries(
      ['c', 'd', 'e', 'f'].map((name) => [`${name}@x.com`, ['predefinedRoles/viewer']]),
    );
    const live = liveOf({ 'accounts/1': two, 'properties/11': users });
    const rules = { maximumShareOfRemovals: 0.25, minimumExisting: 6 };
    const leave = [revoke(['c@x.com', 'd@x.com'], 'properties/11')];
    expect(refusing(leave, live, rules)).toEqual(['share_of_removals accounts/1']);
    expect(refusing([revoke('c@x.com', 'properties/11')], live, rules)).toEqual([]);
    expect(refusing(leave, live, { ...rules, minimumExisting: 7 })).toEqual([]);
    expect(refusing(leave, live, rules, { guards: { maximumShareOfRemovals: 0.5 } })).toEqual([]);
  });

  test('let no sequence of requests leave an account without an administrator', () => {
    let applied = 0;
    fc.assert(
      fc.property(organisations, fc.array(requests, { minLength: 3, maxLength: 6 }), (start, bodies) => {
        let live = start;
        for (const body of bodies) {
          const read = readRequest(body, openRules);
          if (read.kind === 'invalid') continue;
          const planned = planAccess(read.request, live, { ...planning, guards: nobody });
          if (planned.kind !== 'planned') continue;
          for (const step of planned.plan.steps) {
            live = after(live, step);
            applied += 1;
            for (const account of live.accounts.keys()) {
              const held = [...(live.bindings.get(account)?.values() ?? [])];
              expect(held.some(({ roles }) => isAdmin(roles))).toBe(true);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(applied).toBeGreaterThan(300);
  });
});
