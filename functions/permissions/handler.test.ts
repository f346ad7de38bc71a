import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readTable } from '../../test/markdown-table.ts';
import { readText } from '../../test/repository-files.ts';
import { permissionsCounts } from './metrics.ts';
import { identity } from './organisations-for-test.ts';
import { chief, clerk, type Served, scheduler, servePermissions } from './serve-for-test.ts';

let served: Served;
let world: Served['world'];
let stores: Served['stores'];
let call: Served['call'];
let counts: Served['counts'];

beforeAll(async () => {
  served = await servePermissions();
  ({ world, stores, call, counts } = served);
});
beforeEach(() => world.fake.clearCalls());
afterAll(() => served.close());

const grant = (user: string, on: string, roles: unknown = 'viewer') => ({
  request: { changes: [{ op: 'grant', user, roles, on }] },
});

describe('who may call', () => {
  test.each([
    ['nobody without a token', null, '/plan', 401],
    ['nobody else', 'other@example.com', '/plan', 403],
    ['the scheduler for a plan', scheduler, '/plan', 403],
    ['the clerk for a list of another account', clerk, '/list', 403],
  ])('%s', async (_, email, path, status) => {
    const body = path === '/list' ? { account: 'accounts/2' } : grant('dee@example.com', 'properties/11');
    expect(await call(path, body, email)).toMatchObject({ status });
    expect(world.fake.calls()).toEqual([]);
  });

  test('a caller changes nobody outside the accounts, above the role or of the domains that the policy has', async () => {
    expect(await call('/plan', grant('dee@example.com', 'properties/11', 'admin'), clerk)).toMatchObject({
      status: 400,
      body: {
        error: {
          problems: [{ line: 'changes[0]', reason: 'dee@example.com: you may give no role above editor' }],
        },
      },
    });
    expect(world.fake.calls()).toEqual([]);
    const outside = await call('/plan', grant('dee@example.com', 'properties/21'), clerk);
    expect(outside).toMatchObject({
      status: 409,
      body: { error: { refusals: [{ guard: 'caller_policy' }] } },
    });
    const above = { request: { changes: [{ op: 'revoke', user: 'boss@example.com', on: 'accounts/1' }] } };
    expect(await call('/plan', above, clerk)).toMatchObject({ status: 409 });
    expect(await call('/plan', above)).toMatchObject({ status: 200 });
  });
});

describe('a request that is wrong is refused whole, with its lines, before any call', () => {
  const good = { op: 'grant', user: 'dee@example.com', roles: 'viewer', on: 'properties/11' };
  test.each([
    ['a wrong role', [{ ...good, roles: 'owner' }], 'changes[1].roles', /owner.+ is no role/],
    [
      'a malformed address',
      [{ ...good, user: 'dee@' }],
      'changes[1].user',
      /dee@.+ is not an e-mail address/,
    ],
    [
      'a domain that is not allowed',
      [{ ...good, user: 'dee@example.org' }],
      'changes[1]',
      /addresses of example.org may not/,
    ],
    [
      'two contradictory lines',
      [{ op: 'revoke', user: 'Dee@example.com', on: 'properties/11' }],
      'changes[1]',
      /revoke contradicts changes\[0\], grant viewer/,
    ],
    [
      'two roles for one',
      [{ ...good, roles: ['viewer', 'EDIT'] }],
      'changes[1].roles',
      /names viewer and editor/,
    ],
    ['a place that is none', [{ ...good, on: 'UA-1-2' }], 'changes[1].on', /must be accounts\/123/],
    [
      'a view without its property',
      [{ ...good, on: 'ga:77' }],
      'changes[1].on',
      /view 77 is of the old kind/,
    ],
    ['a word that is unknown', [{ ...good, op: 'give' }], 'changes[1].op', /.*/],
    ['a field that is unknown', [{ ...good, role: 'viewer' }], 'changes[1]', /role/],
  ])('%s', async (_, wrong, line, reason) => {
    const answered = await call('/plan', { request: { changes: [good, ...wrong] } });
    expect(answered).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_argument', problems: [{ line }] } },
    });
    expect(JSON.stringify(answered.body)).toMatch(reason);
    expect(world.fake.calls()).toEqual([]);
  });

  test('neither changes nor desired', async () => {
    expect(await call('/plan', { request: {} })).toMatchObject({ status: 400 });
    expect(await call('/apply', { request: {} })).toMatchObject({ status: 400 });
    expect(world.fake.calls()).toEqual([]);
  });
});

describe('a plan is guarded', () => {
  test.each([
    [
      'the last administrators of an account',
      [{ op: 'revoke', user: [chief, 'boss@example.com', identity], on: 'accounts/1' }],
      'last_administrator',
    ],
    ['who calls', [{ op: 'set', user: chief, roles: 'viewer', on: 'accounts/1' }], 'self'],
    ['the account that the function calls as', [{ op: 'revokeEverywhere', user: identity }], 'self'],
    [
      'a large share of the bindings',
      [{ op: 'revoke', user: 'ann@example.com', on: ['accounts/1', 'properties/11'] }],
      'share_of_removals',
    ],
  ])('against taking access from %s', async (_, changes, guard) => {
    const answered = await call('/plan', { request: { changes } });
    expect(answered.status).toBe(409);
    expect(JSON.stringify(answered.body)).toContain(guard);
    expect(world.fake.calls().filter(({ kind }) => kind === 'write')).toEqual([]);
  });

  test('but for a share that the request names itself', async () => {
    const changes = [{ op: 'revoke', user: 'ann@example.com', on: ['accounts/1', 'properties/11'] }];
    expect(
      await call('/plan', { request: { changes, guards: { maximumShareOfRemovals: 0.5 } } }),
    ).toMatchObject({ status: 200 });
  });
});

describe('a request', () => {
  test('is planned, applied by its hash, and answers its id again', async () => {
    const asked = grant('dee@example.com', 'accounts/1/properties/*', 'READ_AND_ANALYZE');
    const planned = await call('/plan', asked);
    expect(planned).toMatchObject({
      status: 200,
      body: { kind: 'planned', counts: { creates: 2, writes: 2 } },
    });
    const apply = { ...asked, planHash: planned.body.planHash, requestId: 'first' };
    const applied = await call('/apply', apply);
    expect(applied).toMatchObject({ status: 200, body: { kind: 'committed', writes: 2 } });
    expect(await call('/apply', apply)).toEqual(applied);
    expect(await call('/apply', apply, clerk)).toMatchObject({
      status: 409,
      body: { error: { code: 'already_exists' } },
    });
    expect(await call('/apply', { ...apply, requestId: 'second' })).toMatchObject({
      status: 409,
      body: { error: { code: 'stale_plan' } },
    });
    expect(await call('/resume', {}, scheduler)).toMatchObject({ status: 200, body: { resumed: [] } });
  });

  test('that Google cannot be asked for is answered 503, and nothing is done', async () => {
    world.fake.setFaults([{ answers: 'UNAVAILABLE', times: null }]);
    expect(await call('/plan', grant('eva@example.com', 'properties/11'))).toMatchObject({ status: 503 });
    world.fake.setFaults([]);
  });

  test('for the users of an account is answered with what each has of itself and with the account', async () => {
    const { status, body } = await call('/list', { account: 'accounts/1' }, clerk);
    expect(status).toBe(200);
    const users = body.users ?? [];
    expect(users.find(({ user }) => user === 'ann@example.com')?.bindings).toEqual([
      {
        parent: 'accounts/1',
        displayName: 'Account 1',
        roles: ['editor', 'no-cost-data'],
        effective: ['editor', 'no-cost-data'],
        shadowed: false,
      },
      {
        parent: 'properties/11',
        displayName: 'Property 11',
        roles: ['viewer'],
        effective: ['editor', 'no-cost-data'],
        shadowed: true,
      },
    ]);
  });
});

describe('snapshots', () => {
  test('show who can see what, and what was changed by others', async () => {
    expect(await call('/snapshot', {}, scheduler)).toMatchObject({
      status: 200,
      body: { accounts: 2, properties: 3, left: 0 },
    });
    const effective = (user: string) =>
      stores.query(
        `SELECT resource, access, role, no_cost_data FROM access_effective WHERE user_email = '${user}' ORDER BY resource`,
      );
    expect(await effective('ann@example.com')).toEqual([
      { resource: 'accounts/1', access: 'direct', role: 'editor', no_cost_data: true },
      { resource: 'properties/11', access: 'shadowed', role: 'editor', no_cost_data: true },
      { resource: 'properties/12', access: 'inherited', role: 'editor', no_cost_data: true },
      { resource: 'properties/21', access: 'direct', role: 'viewer', no_cost_data: false },
    ]);
    expect(await stores.query('SELECT COUNT(*) AS drifts FROM access_drift')).toEqual([{ drifts: 0 }]);

    const asked = grant('fay@example.com', 'properties/11');
    const { planHash } = (await call('/plan', asked)).body;
    await call('/apply', { ...asked, planHash });
    world.fake.edit.bind('properties/12', 'ann@example.com', ['predefinedRoles/admin']);
    world.fake.edit.unbind('properties/21', 'ann@example.com');
    await call('/snapshot', {}, scheduler);
    const drift =
      'SELECT resource, user_email, before_roles, after_roles FROM access_drift ORDER BY resource';
    expect(await stores.query(drift)).toEqual([
      {
        resource: 'properties/12',
        user_email: 'ann@example.com',
        before_roles: null,
        after_roles: 'predefinedRoles/admin',
      },
      {
        resource: 'properties/21',
        user_email: 'ann@example.com',
        before_roles: 'predefinedRoles/viewer predefinedRoles/marketer',
        after_roles: null,
      },
    ]);
    expect(await effective('ann@example.com')).toContainEqual({
      resource: 'properties/12',
      access: 'direct',
      role: 'admin',
      no_cost_data: true,
    });
    expect(counts).toMatchObject({ committed: 3, snapshots: 4 });
  });
});

test('the README tells of every count', () => {
  const rows = readTable(readText('functions/permissions/README.md'), '| Metric ');
  expect(rows).toEqual(
    Object.values(permissionsCounts).map(({ name, unit, description }) => [name, unit, description]),
  );
});

test('a request that its caller does not come back to is gone on with', async () => {
  const asked = grant('hal@example.com', 'accounts/1/properties/*');
  const planned = await call('/plan', asked);
  // After its first call, of which it then cannot know what became.
  world.fake.setFaults([{ answers: 'UNAVAILABLE', kind: 'read', skip: 4, times: null }]);
  const apply = { ...asked, planHash: planned.body.planHash, requestId: 'left-alone' };
  expect(await call('/apply', apply)).toMatchObject({ status: 503 });
  world.fake.setFaults([]);
  const who = (property: string) => Object.keys(world.bindings()[property] ?? {});
  expect(who('properties/11')).toContain('hal@example.com');
  expect(who('properties/12')).not.toContain('hal@example.com');
  expect(await call('/resume', {}, scheduler)).toEqual({
    status: 200,
    body: { resumed: [{ requestId: 'left-alone', kind: 'committed' }] },
  });
  expect(who('properties/12')).toContain('hal@example.com');
  expect(await call('/progress', { requestId: 'left-alone' })).toMatchObject({
    body: { done: 2, undone: 0, ended: true },
  });
  expect(await call('/resume', {}, scheduler)).toMatchObject({ body: { resumed: [] } });
});
