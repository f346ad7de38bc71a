import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan } from './access-plan.ts';
import type { LiveState } from './live-state.ts';
import {
  after,
  caller,
  guards,
  identity,
  liveOf,
  openRules,
  organisations,
  picture,
  planning,
  requestOf,
  requests,
} from './organisations-for-test.ts';
import { planAccess } from './plan-access.ts';
import { readRequest } from './read-request.ts';
import { covers, isAdmin, unknownOf } from './roles.ts';

const admin = { [identity]: ['predefinedRoles/admin'], 'boss@example.com': ['predefinedRoles/admin'] };

function plan(body: object, live: LiveState, rules = guards): Plan {
  const planned = planAccess(requestOf(body), live, { ...planning, guards: rules });
  if (planned.kind !== 'planned') throw new Error(JSON.stringify(planned));
  return planned.plan;
}

const steps = ({ steps }: Plan) =>
  steps.map(
    ({ parent, verb, changes }) =>
      `${verb} ${parent}: ${changes.map(({ user, after: roles }) => `${user.split('@')[0]}=${roles?.join('+') ?? '-'}`).join(' ')}`,
  );

describe('a plan', () => {
  test('turns changes of every kind into one call for each parent and verb, what gives access before what takes it', () => {
    const live = liveOf({
      'accounts/1': { ...admin, 'ann@x.com': ['predefinedRoles/editor'] },
      'properties/11': { 'bob@x.com': ['predefinedRoles/viewer'], 'cid@x.com': ['predefinedRoles/editor'] },
      'properties/12': {},
    });
    const planned = plan(
      {
        changes: [
          { op: 'revoke', user: 'ann@x.com', on: 'accounts/1' },
          {
            op: 'grant',
            user: ['ann@x.com', 'dee@x.com'],
            roles: 'READ_AND_ANALYZE',
            on: 'accounts/1/properties/*',
          },
          { op: 'set', user: 'Bob@X.com ', roles: ['collaborate'], on: { property: 11 } },
          {
            op: 'set',
            user: 'cid@x.com',
            roles: ['predefinedRoles/read', 'no-cost-data'],
            on: 'properties/11',
          },
        ],
      },
      live,
    );
    expect(steps(planned)).toEqual([
      'create properties/11: ann=viewer dee=viewer',
      'update properties/11: bob=analyst',
      'create properties/12: ann=viewer dee=viewer',
      'update properties/11: cid=viewer+no-cost-data',
      'delete accounts/1: ann=-',
    ]);
    expect(planned.counts).toEqual({
      creates: 4,
      updates: 2,
      deletes: 1,
      unchanged: 0,
      shadowed: 0,
      reads: 4,
      writes: 5,
      verifications: 3,
    });
  });

  test('changes nothing where it is so already, and makes no binding that the account gives already', () => {
    const live = liveOf({
      'accounts/1': { ...admin, 'ann@x.com': ['predefinedRoles/editor'] },
      'properties/11': { 'bob@x.com': ['predefinedRoles/editor'] },
    });
    const changes = [
      { op: 'grant', user: ['ann@x.com', 'bob@x.com'], roles: 'viewer', on: 'properties/11' },
      { op: 'grant', user: 'ann@x.com', roles: 'admin', on: { property: '11' } },
    ];
    const first = plan({ changes: changes.slice(0, 1) }, live);
    expect(first.steps).toEqual([]);
    expect(first.lines.map(({ user, outcome }) => `${user} ${outcome}`)).toEqual([
      'ann@x.com shadowed',
      'bob@x.com unchanged',
    ]);
    expect(steps(plan({ changes: changes.slice(1) }, live))).toEqual(['create properties/11: ann=admin']);
    expect(steps(plan({ changes: changes.slice(0, 1), shadowed: 'write' }, live))).toEqual([
      'create properties/11: ann=viewer',
    ]);
  });

  test('writes the binding of a property whose account loses its own in the same request', () => {
    const live = liveOf({
      'accounts/1': { ...admin, 'ann@x.com': ['predefinedRoles/editor'] },
      'properties/11': {},
    });
    const changes = [
      { op: 'revoke', user: 'ann@x.com', on: 'accounts/1' },
      { op: 'grant', user: 'ann@x.com', roles: 'viewer', on: 'properties/11' },
    ];
    expect(steps(plan({ changes }, live))).toEqual([
      'create properties/11: ann=viewer',
      'delete accounts/1: ann=-',
    ]);
  });

  test('deletes a user from all of an account, and from every account where none is named', () => {
    const held = { 'ann@x.com': ['predefinedRoles/viewer'] };
    const live = liveOf({
      'accounts/1': { ...admin, ...held },
      'properties/11': held,
      'accounts/2': admin,
      'properties/21': held,
    });
    const everywhere = { op: 'revokeEverywhere', user: 'ann@x.com' };
    expect(steps(plan({ changes: [{ ...everywhere, on: 'accounts/1' }] }, live))).toEqual([
      'delete properties/11: ann=-',
      'delete accounts/1: ann=-',
    ]);
    expect(plan({ changes: [everywhere] }, live).counts.deletes).toBe(3);
  });

  test('leaves nobody else where a desired state is exclusive, and everybody where it is additive', () => {
    const live = liveOf({
      'accounts/1': admin,
      'properties/11': {
        'ann@x.com': ['predefinedRoles/viewer'],
        'bob@x.com': ['predefinedRoles/viewer'],
        'cid@x.com': ['predefinedRoles/viewer'],
      },
    });
    const entry = {
      on: 'properties/11',
      members: [{ user: 'ann@x.com', roles: 'editor' }],
      ignore: ['cid@x.com'],
    };
    expect(steps(plan({ desired: [{ ...entry, ownership: 'exclusive' }] }, live))).toEqual([
      'update properties/11: ann=editor',
      'delete properties/11: bob=-',
    ]);
    expect(steps(plan({ desired: [{ ...entry, ownership: 'additive' }] }, live))).toEqual([
      'update properties/11: ann=editor',
    ]);
  });

  test('keeps roles that it does not know, and tells so', () => {
    const live = liveOf({
      'accounts/1': admin,
      'properties/11': { 'ann@x.com': ['predefinedRoles/marketer', 'predefinedRoles/viewer'] },
    });
    const planned = plan(
      { changes: [{ op: 'set', user: 'ann@x.com', roles: 'editor', on: 'properties/11' }] },
      live,
    );
    expect(steps(planned)).toEqual(['update properties/11: ann=editor+predefinedRoles/marketer']);
    expect(planned.notes).toEqual([
      'ann@x.com on properties/11: predefinedRoles/marketer is no role that is known here, and stays.',
    ]);
    const exclusive = requestOf({ desired: [{ on: 'properties/11', ownership: 'exclusive', members: [] }] });
    expect(planAccess(exclusive, live, planning)).toMatchObject({
      kind: 'invalid',
      problems: [{ line: 'desired[0]' }],
    });
  });

  test('does what is asked for a view on its property, and tells so', () => {
    const live = liveOf({ 'accounts/1': admin, 'properties/11': {} });
    const planned = plan(
      {
        views: { 'ga:77': 'properties/11' },
        changes: [
          {
            op: 'grant',
            user: 'ann@x.com',
            roles: 'EDIT',
            on: 'accounts/1/webproperties/UA-1-2/profiles/77',
          },
        ],
      },
      live,
    );
    expect(steps(planned)).toEqual(['create properties/11: ann=editor']);
    expect(planned.notes).toEqual([
      'changes[0].on: views are no more; what is asked for view 77 is done on properties/11, all of it.',
    ]);
  });

  test('cuts calls at 1,000 changes, with all that one user gets in one stage', () => {
    const users = Array.from({ length: 1_500 }, (_, index) => `user${String(index).padStart(4, '0')}@x.com`);
    const live = liveOf({ 'accounts/1': admin, 'properties/11': {}, 'properties/12': {} });
    const planned = plan(
      { changes: [{ op: 'grant', user: users, roles: 'viewer', on: 'accounts/1/properties/*' }] },
      live,
    );
    expect(planned.steps.map(({ parent, changes }) => [parent, changes.length])).toEqual([
      ['properties/11', 1_000],
      ['properties/12', 1_000],
      ['properties/11', 500],
      ['properties/12', 500],
    ]);
  });

  test('is refused for lines that contradict each other on what is there, and for what cannot be seen', () => {
    const live = liveOf({ 'accounts/1': admin, 'properties/11': {} });
    const contradicting = requestOf({
      changes: [
        { op: 'grant', user: 'ann@x.com', roles: 'viewer', on: 'accounts/1/properties/*' },
        { op: 'revoke', user: 'ann@x.com', on: 'properties/11' },
      ],
    });
    expect(planAccess(contradicting, live, planning)).toEqual({
      kind: 'invalid',
      problems: [
        {
          line: 'changes[1]',
          reason: 'ann@x.com on properties/11: revoke contradicts changes[0], grant viewer',
        },
      ],
    });
    const unseen = requestOf({
      changes: [{ op: 'grant', user: 'ann@x.com', roles: 'viewer', on: 'properties/99' }],
    });
    expect(planAccess(unseen, live, planning)).toMatchObject({
      problems: [{ line: 'changes[0]', reason: 'properties/99 cannot be seen by the function' }],
    });
  });

  test('has the hash of its request and of the live state, whatever the names of bindings', () => {
    const live = liveOf({
      'accounts/1': admin,
      'properties/11': { 'bob@x.com': ['predefinedRoles/viewer'] },
    });
    const other = liveOf({
      'properties/11': { 'bob@x.com': ['predefinedRoles/viewer'] },
      'accounts/1': admin,
    });
    const moved = liveOf({
      'accounts/1': admin,
      'properties/11': { 'bob@x.com': ['predefinedRoles/editor'] },
    });
    const body = { changes: [{ op: 'grant', user: 'ann@x.com', roles: 'viewer', on: 'properties/11' }] };
    expect(plan(body, other).hash).toBe(plan(body, live).hash);
    expect(plan(body, moved).hash).not.toBe(plan(body, live).hash);
    expect(plan({ ...body, atomicity: 'request' }, live).hash).not.toBe(plan(body, live).hash);
  });
});

describe('any request on any organisation', () => {
  const planned = fc.tuple(organisations, requests).map(([live, body]) => {
    const read = readRequest(body, openRules);
    const result = read.kind === 'valid' ? planAccess(read.request, live, planning) : undefined;
    return { live, body, plan: result?.kind === 'planned' ? result.plan : undefined };
  });
  const whenPlanned = (check: (plan: Plan, live: LiveState, body: object) => void) => {
    let plans = 0;
    fc.assert(
      fc.property(planned, ({ live, plan: made, body }) => {
        if (made === undefined) return;
        plans += 1;
        check(made, live, body);
      }),
      { numRuns: 400 },
    );
    expect(plans).toBeGreaterThan(60);
  };

  test('ends in the state that its lines say, from which there is nothing left to do', () => {
    whenPlanned((made, live, body) => {
      const end = made.steps.reduce(after, live);
      for (const { parent, user, outcome, after: roles } of made.lines) {
        if (outcome === 'shadowed') expect(end.bindings.get(parent)?.get(user)).toBeUndefined();
        else if (outcome !== 'unchanged')
          expect(end.bindings.get(parent)?.get(user)?.roles ?? null).toEqual(roles);
      }
      const again = planAccess(requestOf(body), end, planning);
      if (again.kind === 'planned') expect(again.plan.steps).toEqual([]);
      else expect(again.kind).toBe('guarded');
    });
  });

  test('loses no role that is not known, but with a binding that somebody revokes', () => {
    whenPlanned(({ lines }) => {
      for (const { before, after: roles } of lines) {
        if (roles !== null) expect(unknownOf(roles)).toEqual(unknownOf(before ?? []));
      }
    });
  });

  test('leaves every account an administrator and its caller all that he had, after each of its steps', () => {
    whenPlanned(({ steps: made }, live) => {
      let now = live;
      for (const step of made) {
        now = after(now, step);
        for (const account of now.accounts.keys()) {
          const bindings = [...(now.bindings.get(account)?.values() ?? [])];
          expect(bindings.some(({ roles }) => isAdmin(roles))).toBe(true);
        }
      }
      for (const [parent, bindings] of live.bindings) {
        for (const user of [identity, caller]) {
          const before = bindings.get(user)?.roles.filter((role) => !role.startsWith('no-'));
          const account = now.properties.get(parent as `properties/${string}`)?.account ?? parent;
          const held = [
            ...(now.bindings.get(parent)?.get(user)?.roles ?? []),
            ...(now.bindings.get(account)?.get(user)?.roles ?? []),
          ];
          if (before !== undefined) expect(covers(held, before)).toBe(true);
        }
      }
    });
  });

  test('is the same plan with the same hash however often it is made', () => {
    whenPlanned((made, live, body) => {
      expect(plan(body, live)).toEqual(made);
      expect(Object.keys(picture(live)).length).toBeGreaterThan(0);
    });
  });
});
