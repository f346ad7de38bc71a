import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccountOutcome, Outcome } from '../../functions/permissions/outcome.ts';
import { expectAccess, type Held, type Line, means } from '../reference/access.ts';
import { proveAccess, proveSequences } from './access/access.ts';
import { calm } from './access/faults.ts';
import { type Facts, judgeOutcome } from './access/judge.ts';
import { type Case, caller, drawCase, identity } from './access/organisations.ts';
import { runTrial } from './access/trial.ts';
import { startWorld, type World } from './access/world.ts';
import { createRandom } from './random.ts';

test('what is reported of random requests in trouble is true', async () => {
  const figures = await proveAccess({
    seed: 3,
    numbers: Array.from({ length: 12 }, (_, index) => index),
    progress: () => {},
  });
  expect(figures.lies).toEqual([]);
  expect(figures.changes).toBeGreaterThan(8);
});

test('a sequence of requests takes the last administrator from no account, and nothing from who asks', async () => {
  const figures = await proveSequences({ seed: 5, organisations: 2, requests: 6, progress: () => {} });
  expect(figures.lies).toEqual([]);
  expect(figures.ended.guarded).toBeGreaterThan(0);
});

const role = (name: string) => `predefinedRoles/${name}`;
const organisation = { accounts: ['accounts/1'], accountOf: { 'properties/11': 'accounts/1' } };
const before: Held = {
  'accounts/1': { [identity]: [role('admin')], 'ann@example.com': [role('editor')] },
  'properties/11': { 'bob@example.com': [role('marketer'), role('viewer')] },
};

describe('the reference', () => {
  const expectLine = (line: Line, shadowed: 'skip' | 'write' = 'skip') =>
    expectAccess(before, organisation, { changes: [line], shadowed, atomicity: 'account' });
  const on = 'properties/11';

  test.each<[string, Line, string, string[] | undefined]>([
    [
      'a grant adds',
      { op: 'grant', user: 'bob@example.com', roles: ['no-cost-data'], on },
      'bob',
      ['marketer', 'no-cost-data', 'viewer'],
    ],
    [
      'a stronger role holds the weaker',
      { op: 'grant', user: 'bob@example.com', roles: ['editor'], on },
      'bob',
      ['editor', 'marketer'],
    ],
    [
      'a set replaces what has a name',
      { op: 'set', user: 'bob@example.com', roles: ['analyst'], on },
      'bob',
      ['analyst', 'marketer'],
    ],
    [
      'a revoke of a role leaves the others',
      { op: 'revoke', user: 'bob@example.com', roles: ['viewer'], on },
      'bob',
      ['marketer'],
    ],
    ['a revoke takes the binding', { op: 'revoke', user: 'bob@example.com', on }, 'bob', undefined],
    [
      'what the account gives is not given again',
      { op: 'grant', user: 'ann@example.com', roles: ['viewer'], on },
      'ann',
      undefined,
    ],
    [
      'more than the account gives is given',
      { op: 'grant', user: 'ann@example.com', roles: ['admin'], on },
      'ann',
      ['admin'],
    ],
    [
      'all properties are each of them',
      { op: 'grant', user: 'cid@example.com', roles: ['viewer'], on: 'accounts/1/properties/*' },
      'cid',
      ['viewer'],
    ],
    ['everywhere is everywhere', { op: 'revokeEverywhere', user: 'bob@example.com' }, 'bob', undefined],
  ])('says that %s', (_what, line, user, roles) => {
    expect(expectLine(line)[on]?.[`${user}@example.com`]).toEqual(roles?.map(role));
  });

  test('says that an exclusive state takes from whom it does not name', () => {
    const desired = [
      { on, ownership: 'exclusive' as const, members: [{ user: 'cid@example.com', roles: ['viewer'] }] },
    ];
    const after = expectAccess(before, organisation, { desired, shadowed: 'skip', atomicity: 'account' });
    expect(after).toEqual({ ...before, [on]: { 'cid@example.com': [role('viewer')] } });
  });

  test('takes two sets of roles for one where the strongest is the same', () => {
    expect(means([role('viewer'), role('editor')], [role('editor')])).toBe(true);
    expect(means([role('viewer')], undefined)).toBe(false);
  });
});

describe('the judge finds', () => {
  const expected: Held = { ...before, 'properties/11': { 'bob@example.com': [role('editor')] } };
  const between: Held = { ...before, 'properties/11': { 'bob@example.com': [role('analyst')] } };
  const facts = (actual: Held, account: Partial<AccountOutcome>): Facts => {
    const given: AccountOutcome = {
      ...{ account: 'accounts/1', kind: 'committed', failures: [], differences: [], notTried: [] },
      ...account,
    };
    const outcome: Outcome = {
      ...{ kind: given.kind, requestId: 'r', planHash: 'h', accounts: [given], writes: 1, advice: '' },
    };
    const plan = {
      ...{ hash: 'h', atomicity: 'account' as const, steps: [], lines: [], notes: [], estimatedSeconds: 0 },
      counts: {
        creates: 0,
        updates: 1,
        deletes: 0,
        unchanged: 0,
        shadowed: 0,
        reads: 0,
        writes: 1,
        verifications: 1,
      },
    };
    return { organisation, before, expected, actual, outcome, plan, outside: new Map() };
  };
  const difference = {
    parent: 'properties/11' as const,
    user: 'bob@example.com',
    shouldBe: ['marketer', 'viewer'],
    is: ['analyst'],
    reason: '',
  };

  test.each<[string, Held, Partial<AccountOutcome>, string | undefined]>([
    ['nothing in a true commit', expected, {}, undefined],
    ['a commit that is none', before, {}, 'should be editor'],
    ['a commit of something else', between, {}, 'is analyst and should be editor'],
    ['nothing in a true rollback', before, { kind: 'rolled_back' }, undefined],
    ['a rollback that is none', expected, { kind: 'rolled_back' }, 'should be marketer+viewer'],
    [
      'nothing in a true difference',
      between,
      { kind: 'rollback_incomplete', differences: [difference] },
      undefined,
    ],
    ['a difference that is not told', between, { kind: 'rollback_incomplete' }, 'not among the differences'],
    [
      'a difference that there is not',
      before,
      { kind: 'rollback_incomplete', differences: [{ ...difference, is: ['marketer', 'viewer'] }] },
      'does not',
    ],
    [
      'a difference that is another',
      between,
      { kind: 'rollback_incomplete', differences: [{ ...difference, is: null }] },
      'is told to be none',
    ],
    ['an account of which a part is done', expected, { kind: 'partly_committed' }, 'partly committed'],
    ['an account that is not told of', expected, { account: 'accounts/9' }, 'not in the report'],
  ])('%s', (_what, actual, account, lie) => {
    const lies = judgeOutcome(facts(actual, account));
    if (lie === undefined) expect(lies).toEqual([]);
    else expect(lies.join('; ')).toContain(lie);
  });
});

describe('the trial finds', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const body = {
    changes: [
      { op: 'grant' as const, user: 'cid@example.com', roles: ['viewer'], on: 'properties/11' },
      { op: 'set' as const, user: 'ann@example.com', roles: ['viewer'], on: 'accounts/1' },
    ],
    shadowed: 'skip' as const,
    atomicity: 'account' as const,
  };
  const drawn = (): Case => ({
    seed: {
      caller: identity,
      accounts: [
        {
          ...{ id: '1', displayName: 'A' },
          bindings: Object.entries(before['accounts/1']!).map(([user, roles]) => ({
            user,
            roles: [...roles],
          })),
          properties: [
            {
              ...{ id: '11', displayName: 'P' },
              bindings: Object.entries(before['properties/11']!).map(([user, roles]) => ({
                user,
                roles: [...roles],
              })),
            },
          ],
        },
      ],
    },
    organisation,
    before,
    body,
  });

  test('nothing where all goes well', async () => {
    expect(await runTrial(world, drawn(), calm, createRandom(1))).toMatchObject({
      ended: 'committed',
      lies: [],
      changes: 2,
    });
  });

  test('what others did to a binding, unless it knows of them', async () => {
    const stop = world.fake.onCall(({ method }) => {
      if (method === 'BatchUpdateAccessBindings') {
        world.fake.edit.bind('properties/11', 'cid@example.com', [role('admin')]);
      }
    });
    const { lies } = await runTrial(world, drawn(), calm, createRandom(1));
    stop();
    expect(lies.join('; ')).toContain('cid@example.com is admin and should be viewer');
    expect(lies.join('; ')).toContain('was changed to predefinedRoles/viewer, then predefinedRoles/admin');
  });

  test('an account that had no administrator, if only for a moment', async () => {
    const stop = world.fake.onCall(({ method }) => {
      const isUpdate = method === 'BatchUpdateAccessBindings';
      if (isUpdate) world.fake.edit.bind('accounts/1', identity, [role('viewer')]);
    });
    const { lies } = await runTrial(world, drawn(), calm, createRandom(1));
    stop();
    expect(lies.join('; ')).toContain('accounts/1 had no administrator');
  });
});

test('random requests are not all alike', () => {
  const cases = Array.from({ length: 100 }, (_, seed) => drawCase(createRandom(seed)));
  expect(new Set(cases.map(({ body }) => body.atomicity)).size).toBe(3);
  expect(cases.filter(({ body }) => body.desired !== undefined).length).toBeGreaterThan(10);
  expect(cases.some(({ before: held }) => caller in (held['accounts/1'] ?? {}))).toBe(true);
});
