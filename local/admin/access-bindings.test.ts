import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { ADMIN, ANALYST, CALLER, once, refusalOf, startForTest, VIEWER } from './start-for-test.ts';

const account = 'accounts/1';
const property = 'properties/101';

const toCreate = (users: readonly string[], roles = [VIEWER]) =>
  users.map((user) => ({ accessBinding: { user, roles } }));
const many = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}@example.com`);

describe('lists of access bindings', () => {
  test('have those of the account or property itself and none that are inherited', async () => {
    const { client } = await startForTest();
    const [onAccount] = await client.listAccessBindings({ parent: account });
    const [onProperty] = await client.listAccessBindings({ parent: property });
    expect(onAccount.map(({ user }) => user).sort()).toEqual(['Ada@example.com', CALLER]);
    expect(onProperty).toMatchObject([
      { name: `${property}/accessBindings/20`, roles: [ANALYST, 'predefinedRoles/marketer'] },
    ]);
  });

  test('come in pages of 200 unless asked, of 500 at most, each binding once', async () => {
    const { api, client } = await startForTest();
    for (const user of many(1203)) api.edit.bind(property, user, [VIEWER]);
    const sizes = async (pageSize?: number) => {
      const pages: number[] = [];
      const users = new Set<unknown>();
      let pageToken = '';
      do {
        const [page, , answer] = await client.listAccessBindings(
          { parent: property, pageSize: pageSize ?? 0, pageToken },
          { autoPaginate: false },
        );
        pages.push(page.length);
        for (const { user } of page) users.add(user);
        pageToken = answer.nextPageToken ?? '';
      } while (pageToken !== '');
      return { pages, users: users.size };
    };
    expect(await sizes()).toEqual({ pages: [200, 200, 200, 200, 200, 200, 4], users: 1204 });
    expect(await sizes(9000)).toEqual({ pages: [500, 500, 204], users: 1204 });
    api.setBehavior({ shortPages: true });
    expect((await sizes(300)).users).toBe(1204);
  });

  test('have an order that holds from page to page and is another in the next list', async () => {
    const { api, client } = await startForTest();
    for (const user of many(60)) api.edit.bind(property, user, [VIEWER]);
    const users = async () =>
      (await client.listAccessBindings({ parent: property, pageSize: 7 }))[0].map(({ user }) => user);
    const [first, second] = [await users(), await users()];
    expect(first).not.toEqual(second);
    expect([...first].sort()).toEqual([...second].sort());
  });

  test('take a page token of no other list', async () => {
    const { api, client } = await startForTest();
    for (const user of many(3)) api.edit.bind(property, user, [VIEWER]);
    const [, , answer] = await client.listAccessBindings(
      { parent: property, pageSize: 1 },
      { autoPaginate: false },
    );
    const other = client.listAccessBindings(
      { parent: account, pageToken: answer.nextPageToken ?? '' },
      { autoPaginate: false },
    );
    expect((await refusalOf(other)).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('batchCreate', () => {
  test('creates all, and answers with them', async () => {
    const { api, client } = await startForTest();
    const [{ accessBindings }] = await client.batchCreateAccessBindings(
      { parent: property, requests: toCreate(many(1000)) },
      once,
    );
    expect(accessBindings).toHaveLength(1000);
    expect(accessBindings?.[0]?.name).toMatch(/^properties\/101\/accessBindings\/\d+$/);
    expect(Object.keys(api.state().bindings[property] ?? {})).toHaveLength(1001);
  });

  test.each([
    ['a user without a Google account', 'nobody@example.com', status.INVALID_ARGUMENT],
    ['a user who is bound already, in other letters', 'BEN@example.com', status.ALREADY_EXISTS],
    ['a user who is in the batch twice', 'user-1@example.com', status.ALREADY_EXISTS],
    ['no address at all', 'ben', status.INVALID_ARGUMENT],
  ])('creates none for the sake of %s', async (_what, user, code) => {
    const { api, client } = await startForTest();
    const before = api.state();
    const call = client.batchCreateAccessBindings(
      { parent: property, requests: toCreate([...many(3), user, ...many(2).map((it) => `x-${it}`)]) },
      once,
    );
    const refusal = await refusalOf(call);
    expect(refusal.code).toBe(code);
    expect(refusal.details).toContain(user);
    expect(api.state()).toEqual(before);
  });

  test('names none or all of the refused where it is told to', async () => {
    const { api, client } = await startForTest();
    const attempt = () =>
      refusalOf(
        client.batchCreateAccessBindings(
          { parent: property, requests: toCreate(['nobody@example.com', 'ben@example.com']) },
          once,
        ),
      );
    api.setBehavior({ refusalsName: 'none' });
    expect((await attempt()).details).not.toMatch(/@/);
    api.setBehavior({ refusalsName: 'all' });
    expect((await attempt()).details).toMatch(/nobody@example\.com.*ben@example\.com/);
  });

  test('holds to the user policy of the organisation', async () => {
    const { client } = await startForTest({
      seed: {
        caller: CALLER,
        accounts: [
          {
            id: '1',
            displayName: 'Shops',
            allowedDomains: ['example.com'],
            bindings: [{ user: CALLER, roles: [ADMIN] }],
          },
        ],
      },
    });
    const call = client.batchCreateAccessBindings(
      { parent: account, requests: toCreate(['in@example.com', 'out@elsewhere.com']) },
      once,
    );
    expect(await refusalOf(call)).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining("organization's user policy"),
    });
  });

  test('takes roles that are documented only', async () => {
    const { client } = await startForTest();
    const call = client.batchCreateAccessBindings(
      { parent: property, requests: toCreate(['a@example.com'], ['predefinedRoles/marketer']) },
      once,
    );
    expect((await refusalOf(call)).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('a batch', () => {
  test('of more than 1,000 is refused, whatever it does', async () => {
    const { client } = await startForTest();
    const name = `${property}/accessBindings/20`;
    const requests = Array.from({ length: 1001 }, () => ({ name }));
    const updates = requests.map(() => ({ accessBinding: { name, roles: [VIEWER] } }));
    const calls = [
      client.batchCreateAccessBindings({ parent: property, requests: toCreate(many(1001)) }, once),
      client.batchUpdateAccessBindings({ parent: property, requests: updates }, once),
      client.batchDeleteAccessBindings({ parent: property, requests }, once),
    ];
    for (const call of calls) expect((await refusalOf(call)).code).toBe(status.INVALID_ARGUMENT);
  });

  test('is about one parent: that of a child must be it, or absent where one is created', async () => {
    const { client } = await startForTest();
    const binding = { user: 'a@example.com', roles: [VIEWER] };
    const create = (parent: string) =>
      client.batchCreateAccessBindings(
        { parent: property, requests: [{ parent, accessBinding: binding }] },
        once,
      );
    await create(property);
    expect((await refusalOf(create('properties/102'))).code).toBe(status.INVALID_ARGUMENT);
    const other = client.batchDeleteAccessBindings(
      { parent: 'properties/102', requests: [{ name: `${property}/accessBindings/20` }] },
      once,
    );
    expect((await refusalOf(other)).code).toBe(status.INVALID_ARGUMENT);
  });

  test('that updates or deletes applies what comes before the entry that fails', async () => {
    const { api, client } = await startForTest();
    api.edit.bind(property, 'cy@example.com', [VIEWER]);
    const missing = { name: `${property}/accessBindings/404` };
    const deletion = client.batchDeleteAccessBindings(
      { parent: property, requests: [{ name: `${property}/accessBindings/20` }, missing] },
      once,
    );
    expect((await refusalOf(deletion)).code).toBe(status.NOT_FOUND);
    expect(api.state().bindings[property]).toEqual({ 'cy@example.com': [VIEWER] });
  });

  test('that updates or deletes is all or nothing where the behavior says so', async () => {
    const { api, client } = await startForTest({ behavior: { partialBatches: false } });
    const before = api.state();
    const deletion = client.batchDeleteAccessBindings(
      {
        parent: property,
        requests: [{ name: `${property}/accessBindings/20` }, { name: `${property}/accessBindings/404` }],
      },
      once,
    );
    expect((await refusalOf(deletion)).code).toBe(status.NOT_FOUND);
    expect(api.state()).toEqual(before);
  });
});

describe('an update', () => {
  test('replaces the roles whole, and keeps an unknown one that the binding has', async () => {
    const { api, client } = await startForTest();
    const name = `${property}/accessBindings/20`;
    const roles = [VIEWER, 'predefinedRoles/marketer'];
    await client.batchUpdateAccessBindings(
      { parent: property, requests: [{ accessBinding: { name, roles } }] },
      once,
    );
    expect(api.state().bindings[property]?.['ben@example.com']).toEqual([...roles].sort());
    await client.updateAccessBinding({ accessBinding: { name, roles: [ADMIN] } }, once);
    expect(api.state().bindings[property]?.['ben@example.com']).toEqual([ADMIN]);
  });

  test('to no roles at all deletes the binding', async () => {
    const { api, client } = await startForTest();
    const name = `${property}/accessBindings/20`;
    await client.updateAccessBinding({ accessBinding: { name, roles: [] } }, once);
    expect(api.state().bindings[property]).toBeUndefined();
    expect((await refusalOf(client.getAccessBinding({ name }))).code).toBe(status.NOT_FOUND);
  });
});

test('one binding is created, read, and deleted, and the next has another name', async () => {
  const { client } = await startForTest();
  const accessBinding = { user: 'a@example.com', roles: [VIEWER] };
  const [first] = await client.createAccessBinding({ parent: property, accessBinding }, once);
  expect((await client.getAccessBinding({ name: first.name ?? '' }))[0]).toMatchObject(accessBinding);
  await client.deleteAccessBinding({ name: first.name ?? '' }, once);
  const [second] = await client.createAccessBinding({ parent: property, accessBinding }, once);
  expect(second.name).not.toBe(first.name);
  const names = [second.name ?? '', `${property}/accessBindings/20`];
  const [got] = await client.batchGetAccessBindings({ parent: property, names });
  expect(got.accessBindings?.map(({ user }) => user)).toEqual(['a@example.com', 'ben@example.com']);
});

describe('who is no administrator', () => {
  test('may neither read nor change bindings, and does not learn what exists', async () => {
    const { api, client } = await startForTest();
    const asCaller = (parent: string) => refusalOf(client.listAccessBindings({ parent }));
    const denied = await asCaller('properties/201');
    expect(denied.code).toBe(status.PERMISSION_DENIED);
    expect(await asCaller('properties/999')).toEqual(denied);
    const create = client.batchCreateAccessBindings(
      { parent: 'accounts/2', requests: toCreate(['a@example.com']) },
      once,
    );
    expect((await refusalOf(create)).code).toBe(status.PERMISSION_DENIED);
    api.edit.bind('properties/201', CALLER, [ADMIN]);
    expect((await client.listAccessBindings({ parent: 'properties/201' }))[0]).toHaveLength(1);
  });

  test('is also the caller who has just removed itself: nothing guards the last administrator', async () => {
    const { api, client } = await startForTest();
    await client.deleteAccessBinding({ name: `${account}/accessBindings/10` }, once);
    expect(api.state().bindings[account]).toEqual({ 'ada@example.com': [VIEWER] });
    expect((await refusalOf(client.listAccessBindings({ parent: account }))).code).toBe(
      status.PERMISSION_DENIED,
    );
  });
});

test('the account summaries are the tree of what the caller may see, 50 accounts a page unless asked', async () => {
  const accounts = Array.from({ length: 120 }, (_, index) => ({
    id: String(1000 + index),
    displayName: `Account ${index}`,
    bindings: [{ user: CALLER, roles: [index % 2 === 0 ? ADMIN : VIEWER] }],
    properties: [
      { id: String(5000 + index), displayName: 'Site' },
      { id: String(7000 + index), displayName: 'Gone', deleteTime: '2026-01-01T00:00:00Z' },
    ],
  }));
  const { api, client } = await startForTest({ seed: { ...{ caller: CALLER }, accounts } });
  const [summaries] = await client.listAccountSummaries({});
  expect(api.calls().map(({ method }) => method)).toEqual(Array(3).fill('ListAccountSummaries'));
  expect(summaries).toHaveLength(120);
  expect(summaries.find(({ account: of }) => of === 'accounts/1001')).toMatchObject({
    name: 'accountSummaries/1001',
    displayName: 'Account 1',
    propertySummaries: [{ property: 'properties/5001', parent: 'accounts/1001', canEdit: false }],
  });
});

test('a reset begins anew from another seed, for whoever needs many worlds', async () => {
  const { api, client } = await startForTest();
  api.setFaults([{ kind: 'read', answers: 'ABORTED', times: null }]);
  await refusalOf(client.listAccessBindings({ parent: account }));
  api.reset({
    caller: 'me@example.com',
    accounts: [{ id: '7', displayName: 'Next', bindings: [{ user: 'me@example.com', roles: [ADMIN] }] }],
  });
  expect(api.calls()).toEqual([]);
  const [bindings] = await client.listAccessBindings({ parent: 'accounts/7' });
  expect(bindings.map(({ user }) => user)).toEqual(['me@example.com']);
  expect(Object.keys(api.state().accounts)).toEqual(['accounts/7']);
});
