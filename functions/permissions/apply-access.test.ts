import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Applied } from './apply-access.ts';
import type { Outcome } from './outcome.ts';
import {
  type Bindings,
  type Stores,
  seedOf,
  startStores,
  startWorld,
  stranger,
  type World,
  type WorldOptions,
} from './start-for-test.ts';

let stores: Stores;
let world: World | undefined;

beforeAll(async () => {
  stores = await startStores();
});
afterEach(async () => {
  await world?.close();
  world = undefined;
});
afterAll(() => stores.close());

const start: Bindings = {
  'accounts/1': { 'boss@example.com': ['admin'], 'ann@example.com': ['editor'] },
  'properties/11': { 'bob@example.com': ['viewer'] },
  'properties/12': { 'bob@example.com': ['viewer'], 'cid@example.com': ['editor', 'marketer'] },
};
/** Creates on both properties, updates one, deletes on the account. */
const request = {
  changes: [
    {
      op: 'grant',
      user: ['dee@example.com', 'eva@example.com'],
      roles: 'viewer',
      on: 'accounts/1/properties/*',
    },
    { op: 'set', user: 'bob@example.com', roles: 'analyst', on: 'accounts/1/properties/*' },
    { op: 'revoke', user: 'ann@example.com', on: 'accounts/1' },
  ],
};
const ended: Bindings = {
  'properties/11': {
    'bob@example.com': ['analyst'],
    'dee@example.com': ['viewer'],
    'eva@example.com': ['viewer'],
  },
  'properties/12': {
    'bob@example.com': ['analyst'],
    'cid@example.com': ['editor', 'marketer'],
    'dee@example.com': ['viewer'],
    'eva@example.com': ['viewer'],
  },
  'accounts/1': { 'boss@example.com': ['admin'] },
};

async function open(bindings: Bindings = start, options: WorldOptions = {}): Promise<World> {
  world = await startWorld(stores, seedOf(bindings), options);
  return world;
}

/** What the fake holds when it was seeded so, the function's own bindings with it. */
const held = (bindings: Bindings) =>
  Object.fromEntries(
    Object.entries(bindings).map(([parent, users]) => [
      parent,
      {
        ...(parent.startsWith('accounts/') && {
          'function@local.iam.gserviceaccount.com': ['predefinedRoles/admin'],
        }),
        ...Object.fromEntries(
          Object.entries(users).map(([user, roles]) => [
            user,
            roles.map((role) => `predefinedRoles/${role}`).sort(),
          ]),
        ),
      },
    ]),
  );

function outcomeOf(applied: Applied): Outcome {
  if (applied.kind !== 'finished') throw new Error(JSON.stringify(applied));
  return applied.outcome;
}

const rows = (requestId: string) =>
  stores.query(
    `SELECT phase, method, resource, user_email FROM access_audit WHERE request_id = '${requestId}' ORDER BY occurred_at, step, phase, user_email`,
  );

describe('applying a plan', () => {
  test('makes its calls, each between two rows of the audit for every change, and tells that all is committed', async () => {
    const { fake, apply, nextId, bindings } = await open();
    const id = nextId();
    const outcome = outcomeOf(await apply(request, {}, id));
    expect(outcome).toMatchObject({
      kind: 'committed',
      writes: 5,
      accounts: [{ account: 'accounts/1', kind: 'committed' }],
    });
    expect(bindings()).toEqual(held(ended));
    const writes = fake.calls().filter(({ kind }) => kind === 'write');
    expect(writes.map(({ method, parent, entries }) => `${method} ${parent} ${entries}`)).toEqual([
      'BatchCreateAccessBindings properties/11 2',
      'BatchUpdateAccessBindings properties/11 1',
      'BatchCreateAccessBindings properties/12 2',
      'BatchUpdateAccessBindings properties/12 1',
      'BatchDeleteAccessBindings accounts/1 1',
    ]);
    const audited = await rows(id);
    expect(audited.filter(({ phase }) => phase === 'intent')).toHaveLength(7);
    expect(audited.filter(({ phase }) => phase === 'applied')).toHaveLength(7);
  });

  test('answers the same outcome to the same request id without a call, and refuses the id for another request', async () => {
    const { fake, apply, applyPlan, nextId } = await open();
    const id = nextId();
    const first = await apply(request, {}, id);
    const hash = outcomeOf(first).planHash;
    fake.clearCalls();
    expect(await applyPlan(request, hash, {}, id)).toEqual(first);
    expect(fake.calls()).toEqual([]);
    expect(await applyPlan({ changes: request.changes.slice(1) }, hash, {}, id)).toEqual({
      kind: 'taken',
    });
  });

  test('refuses a plan whose live state has moved, and tells what', async () => {
    const { fake, plan, applyPlan, bindings } = await open();
    const planned = await plan(request);
    if (planned.kind !== 'planned') throw new Error(planned.kind);
    fake.edit.bind('properties/12', 'bob@example.com', ['predefinedRoles/admin']);
    const before = bindings();
    const applied = await applyPlan(request, planned.plan.hash);
    expect(applied).toMatchObject({
      kind: 'stale',
      moved: [{ parent: 'properties/12', user: 'bob@example.com', was: ['viewer'], is: ['admin'] }],
    });
    expect(bindings()).toEqual(before);
    if (applied.kind === 'stale') {
      expect(outcomeOf(await applyPlan(request, applied.plan.hash)).kind).toBe('committed');
    }
  });

  test('does nothing the second time', async () => {
    const { fake, apply } = await open();
    await apply(request);
    fake.clearCalls();
    expect(outcomeOf(await apply(request))).toMatchObject({ kind: 'committed', writes: 0 });
    expect(fake.calls().filter(({ kind }) => kind === 'write')).toEqual([]);
  });

  test.each(['RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'] as const)(
    'waits for the next minute where Google answers %s',
    async (answers) => {
      const { fake, apply, clock, bindings } = await open();
      fake.setFaults([
        { answers, times: 2, kind: 'write' },
        { answers, times: 1, kind: 'read' },
      ]);
      const before = clock.now();
      expect(outcomeOf(await apply(request)).kind).toBe('committed');
      expect(clock.now() - before).toBeGreaterThan(60_000);
      expect(bindings()).toEqual(held(ended));
    },
  );

  test('stays within quotas that are small, as they are told', async () => {
    const quotas = {
      projectRequestsPerMinute: 8,
      userRequestsPerMinute: 8,
      projectWritesPerMinute: 2,
      userWritesPerMinute: 2,
      window: 'sliding',
      entriesPerWrite: 1e9,
    } as const;
    const limits = { callsPerProject: 8, callsPerUser: 8, writesPerProject: 2, writesPerUser: 2 };
    const { fake, apply, bindings } = await open(start, { limits, behavior: { quotas } });
    expect(outcomeOf(await apply(request)).kind).toBe('committed');
    expect(bindings()).toEqual(held(ended));
    expect(fake.calls().filter(({ answer }) => answer !== 'OK')).toEqual([]);
  });

  test.each([
    ['is lost after everything was done', { commits: 'everything', answers: 'UNAVAILABLE' }],
    ['is lost before anything was done', { commits: 'nothing', answers: 'UNAVAILABLE' }],
    ['is an internal error, and the effect comes later', { commits: 'later', answers: 'INTERNAL' }],
    ['never comes, with everything done', { commits: 'everything', answers: 'NOTHING' }],
    ['never comes, with a part done', { commits: 1, answers: 'NOTHING' }],
    ['is OK, with a part done', { commits: 0, answers: 'OK' }],
  ] as const)('lists what became of a call whose answer %s, and does what is left', async (_, fault) => {
    const { fake, apply, bindings } = await open();
    const methods = ['BatchCreateAccessBindings', 'BatchUpdateAccessBindings', 'BatchDeleteAccessBindings'];
    fake.setFaults(methods.map((method) => ({ methods: [method], ...fault })));
    expect(outcomeOf(await apply(request)).kind).toBe('committed');
    expect(fake.faultCounts()).toEqual([1, 1, 1]);
    expect(bindings()).toEqual(held(ended));
  });
});

describe('a call that Google refuses', () => {
  const withStranger = {
    changes: [...request.changes, { op: 'grant', user: stranger, roles: 'viewer', on: 'properties/12' }],
  };

  test('brings the account back to what it was, and names every line of the batch and whom Google named', async () => {
    const { apply, bindings, nextId } = await open();
    const before = bindings();
    const id = nextId();
    const outcome = outcomeOf(await apply(withStranger, {}, id));
    expect(outcome.kind).toBe('rolled_back');
    expect(bindings()).toEqual(before);
    const [failure] = outcome.accounts[0]?.failures ?? [];
    expect(failure).toMatchObject({ parent: 'properties/12', verb: 'create', code: 'INVALID_ARGUMENT' });
    expect(failure?.lines.map(({ user, line, state, isNamed }) => [user, line, state, isNamed])).toEqual([
      ['dee@example.com', 'changes[0]', 'refused', false],
      ['eva@example.com', 'changes[0]', 'refused', false],
      [stranger, 'changes[3]', 'refused', true],
    ]);
    expect(outcome.advice).toContain('Everything is as it was before');
    const phases = (await rows(id)).map(({ phase }) => phase);
    expect(phases.filter((phase) => phase === 'undone').length).toBeGreaterThan(0);
  });

  test('brings back all accounts where the request stands or falls as a whole, and one of them otherwise', async () => {
    const bindings: Bindings = {
      ...start,
      'accounts/2': { 'boss@example.com': ['admin'] },
      'properties/21': {},
    };
    const body = {
      changes: [
        { op: 'grant', user: 'dee@example.com', roles: 'viewer', on: 'properties/11' },
        { op: 'grant', user: [stranger], roles: 'viewer', on: 'properties/21' },
      ],
    };
    const whole = await open(bindings);
    const before = whole.bindings();
    expect(outcomeOf(await whole.apply({ ...body, atomicity: 'request' })).kind).toBe('rolled_back');
    expect(whole.bindings()).toEqual(before);
    const each = outcomeOf(await whole.apply(body));
    expect(each.kind).toBe('partly_committed');
    expect(each.accounts.map(({ account, kind }) => `${account} ${kind}`)).toEqual([
      'accounts/1 committed',
      'accounts/2 rolled_back',
    ]);
  });

  test('leaves the other calls where each stands by itself, but takes nothing from anybody', async () => {
    const { apply, bindings } = await open();
    const outcome = outcomeOf(await apply({ ...withStranger, atomicity: 'call' }));
    expect(outcome).toMatchObject({ kind: 'partly_committed', accounts: [{ notTried: [4] }] });
    expect(bindings()['accounts/1']).toHaveProperty(['ann@example.com']);
    expect(bindings()['properties/11']).toHaveProperty(['dee@example.com']);
  });

  test('is told with the true difference where it cannot all be brought back', async () => {
    const { fake, apply, bindings } = await open();
    const before = bindings();
    const stop = fake.onCall(({ method, parent }) => {
      // Somebody else gives dee more, after this request gave her something and before it takes it back.
      if (method === 'BatchCreateAccessBindings' && parent === 'properties/12') {
        fake.edit.bind('properties/11', 'dee@example.com', ['predefinedRoles/editor']);
      }
    });
    const outcome = outcomeOf(await apply(withStranger));
    stop();
    expect(outcome.kind).toBe('rollback_incomplete');
    expect(outcome.accounts[0]?.differences).toEqual([
      {
        parent: 'properties/11',
        user: 'dee@example.com',
        shouldBe: null,
        is: ['editor'],
        reason: 'somebody else has changed it since',
      },
    ]);
    expect(bindings()).toEqual({
      ...before,
      'properties/11': { ...before['properties/11'], 'dee@example.com': ['predefinedRoles/editor'] },
    });
  });
});

describe('a request that cannot go on', () => {
  test('calls nothing that the audit cannot tell of, and goes on when it can', async () => {
    const { fake, applyPlan, plan, nextId, bindings } = await open();
    const planned = await plan(request);
    if (planned.kind !== 'planned') throw new Error(planned.kind);
    const id = nextId();
    fake.clearCalls();
    const append = () => Promise.reject(new Error('no audit'));
    await expect(applyPlan(request, planned.plan.hash, { append }, id)).rejects.toThrow('no audit');
    expect(fake.calls().filter(({ kind }) => kind === 'write')).toEqual([]);
    expect(outcomeOf(await applyPlan(request, planned.plan.hash, {}, id)).kind).toBe('committed');
    expect(bindings()).toEqual(held(ended));
  });

  test('stops at its deadline, tells how far it came, and goes on with the same call', async () => {
    const limits = { callsPerProject: 100, callsPerUser: 100, writesPerProject: 2, writesPerUser: 2 };
    const { applyPlan, plan, nextId, clock, bindings } = await open(start, { limits });
    const planned = await plan(request);
    if (planned.kind !== 'planned') throw new Error(planned.kind);
    const id = nextId();
    const call = () => applyPlan(request, planned.plan.hash, { until: clock.now() + 30_000 }, id);
    expect(await call()).toMatchObject({ kind: 'unfinished', done: 2, all: 5 });
    clock.skip(60_000);
    expect(await call()).toMatchObject({ kind: 'unfinished', done: 4 });
    clock.skip(60_000);
    expect(outcomeOf(await call()).kind).toBe('committed');
    expect(bindings()).toEqual(held(ended));
  });

  test('waits for no other request that changes the account', async () => {
    const { apply, context } = await open();
    const { takeLease } = await import('../../shared/google/lease.ts');
    const lease = await takeLease({ ...context.lease, object: 'access/leases/accounts-1.json' });
    expect(await apply(request)).toEqual({ kind: 'busy', account: 'accounts/1' });
    await lease?.release();
    expect(outcomeOf(await apply(request)).kind).toBe('committed');
  });
});
