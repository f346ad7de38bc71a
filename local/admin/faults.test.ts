import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { ADMIN, CALLER, once, refusalOf, startForTest, VIEWER } from './start-for-test.ts';

const property = 'properties/101';
const batch = {
  parent: property,
  requests: ['x@example.com', 'y@example.com'].map((user) => ({ accessBinding: { user, roles: [VIEWER] } })),
};
const create = 'BatchCreateAccessBindings';

describe('a fault', () => {
  test.each(['UNAVAILABLE', 'UNKNOWN', 'INTERNAL', 'ABORTED'] as const)(
    '%s befalls the calls it is for, as often as told, and changes nothing',
    async (answers) => {
      const { api, client } = await startForTest();
      const before = api.state();
      api.setFaults([{ methods: [create], parents: [property], skip: 1, times: 2, answers }]);
      const attempt = (parent: string) =>
        client.batchCreateAccessBindings({ ...batch, parent }, once).then(
          () => status.OK,
          ({ code }: { code: number }) => code,
        );
      expect(await attempt('properties/102')).toBe(status.OK);
      expect(await attempt(property)).toBe(status.OK);
      await client.batchDeleteAccessBindings(
        {
          parent: property,
          requests: (await client.listAccessBindings({ parent: property }))[0]
            .filter(({ user }) => user?.endsWith('@example.com') && user !== 'ben@example.com')
            .map(({ name }) => ({ name: name ?? '' })),
        },
        once,
      );
      expect(await attempt(property)).toBe(status[answers]);
      expect(await attempt(property)).toBe(status[answers]);
      expect(api.state().bindings[property]).toEqual(before.bindings[property]);
      expect(await attempt(property)).toBe(status.OK);
      expect(api.faultCounts()).toEqual([2]);
    },
  );

  test('that loses the answer after the commit makes the client itself fail with ALREADY_EXISTS when it tries again', async () => {
    const { api, client } = await startForTest();
    api.setFaults([{ methods: [create], commits: 'everything', answers: 'UNAVAILABLE' }]);
    const refusal = await refusalOf(client.batchCreateAccessBindings(batch));
    expect(refusal.code).toBe(status.ALREADY_EXISTS);
    expect(Object.keys(api.state().bindings[property] ?? {})).toEqual([
      'ben@example.com',
      'x@example.com',
      'y@example.com',
    ]);
    expect(api.calls().map(({ answer, took, isFault }) => ({ answer, took, isFault }))).toEqual([
      { answer: 'UNAVAILABLE', took: 'everything', isFault: true },
      { answer: 'ALREADY_EXISTS', took: 'nothing', isFault: false },
    ]);
  });

  test('that hangs lasts until the deadline, with nothing done or with everything', async () => {
    const { api, client } = await startForTest();
    const before = api.state();
    const attempt = () => refusalOf(client.batchCreateAccessBindings(batch, { ...once, timeout: 150 }));
    api.setFaults([{ kind: 'write', answers: 'NOTHING' }]);
    expect((await attempt()).code).toBe(status.DEADLINE_EXCEEDED);
    expect(api.state()).toEqual(before);
    api.setFaults([{ kind: 'write', answers: 'NOTHING', commits: 'everything' }]);
    expect((await attempt()).code).toBe(status.DEADLINE_EXCEEDED);
    expect(api.state().bindings[property]).toHaveProperty(['x@example.com']);
  });

  test('that commits later does so once the next call is answered', async () => {
    const { api, client } = await startForTest();
    api.setFaults([{ kind: 'write', answers: 'UNAVAILABLE', commits: 'later' }]);
    await refusalOf(client.batchCreateAccessBindings(batch, once));
    const users = async () => (await client.listAccessBindings({ parent: property }))[0].length;
    expect([await users(), await users()]).toEqual([1, 3]);
  });

  test('leaves a batch of deletions or updates half done, be it with an error or with a lie', async () => {
    const { api, client } = await startForTest();
    const remaining = () => Object.keys(api.state().bindings[property] ?? {}).length;
    const deleteAll = async () =>
      client.batchDeleteAccessBindings(
        {
          parent: property,
          requests: (await client.listAccessBindings({ parent: property }))[0].map(({ name }) => ({
            name: name ?? '',
          })),
        },
        once,
      );
    await client.batchCreateAccessBindings(batch, once);
    api.setFaults([{ methods: ['BatchDeleteAccessBindings'], commits: 1, answers: 'INTERNAL' }]);
    expect((await refusalOf(deleteAll())).code).toBe(status.INTERNAL);
    expect(remaining()).toBe(2);
    api.setFaults([{ methods: ['BatchDeleteAccessBindings'], commits: 1, answers: 'OK' }]);
    await deleteAll();
    expect(remaining()).toBe(1);
    expect(api.calls().at(-1)).toMatchObject({ answer: 'OK', took: 'part', isFault: true });
  });

  test('that must leave a transaction half done does nothing of it, since there is no such thing', async () => {
    const { api, client } = await startForTest();
    const before = api.state();
    api.setFaults([{ methods: [create], commits: 1, answers: 'INTERNAL' }]);
    expect((await refusalOf(client.batchCreateAccessBindings(batch, once))).code).toBe(status.INTERNAL);
    expect(api.state()).toEqual(before);
  });
});

describe('the quotas', () => {
  test('refuse the 181st write of a minute and take none of its cost, until the next minute', async () => {
    let now = Date.parse('2026-03-01T00:00:10Z');
    const { api, client } = await startForTest({ clock: () => now });
    const write = (index: number) =>
      client.createAccessBinding(
        { parent: property, accessBinding: { user: `user-${index}@example.com`, roles: [VIEWER] } },
        once,
      );
    for (let index = 0; index < 180; index++) await write(index);
    expect((await refusalOf(write(180))).code).toBe(status.RESOURCE_EXHAUSTED);
    await client.listAccessBindings({ parent: property });
    now += 49_000;
    expect((await refusalOf(write(180))).code).toBe(status.RESOURCE_EXHAUSTED);
    now += 1_000;
    await write(180);
    const writes = api.calls().filter(({ kind }) => kind === 'write');
    expect(writes.reduce((sum, call) => sum + call.writes, 0)).toBe(181);
    expect(writes.filter(({ answer }) => answer === 'RESOURCE_EXHAUSTED')).toHaveLength(2);
  });

  test('slide over the last sixty seconds where the behavior says so, and count entries where it says that', async () => {
    let now = Date.parse('2026-03-01T00:00:50Z');
    const quotas = {
      projectRequestsPerMinute: 4,
      userRequestsPerMinute: 3,
      projectWritesPerMinute: 100,
      userWritesPerMinute: 2,
      entriesPerWrite: 1,
    };
    const { api, client } = await startForTest({
      clock: () => now,
      behavior: { quotas: { ...quotas, window: 'sliding' } },
    });
    await client.batchCreateAccessBindings(batch, once);
    expect(api.calls()).toMatchObject([{ requests: 1, writes: 2, entries: 2 }]);
    now += 30_000;
    const accessBinding = { user: 'z@example.com', roles: [VIEWER] };
    const more = () => client.createAccessBinding({ parent: property, accessBinding }, once);
    expect((await refusalOf(more())).details).toContain('WritesPerMinutePerProjectPerUser');
    now += 30_000;
    await more();
    for (let index = 0; index < 2; index++) await client.listAccessBindings({ parent: property });
    expect((await refusalOf(client.listAccessBindings({ parent: property }))).details).toContain(
      'RequestsPerMinutePerProjectPerUser',
    );
  });

  test('answer in either shape, both with an ErrorInfo that the client reads', async () => {
    const { api, client } = await startForTest({
      behavior: {
        quotas: {
          projectRequestsPerMinute: 0,
          userRequestsPerMinute: 0,
          projectWritesPerMinute: 0,
          userWritesPerMinute: 0,
          entriesPerWrite: 1000,
          window: 'fixed',
        },
      },
    });
    const attempt = () =>
      client.batchCreateAccessBindings(batch, once).catch((error: unknown) => error as object);
    expect(await attempt()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'RATE_LIMIT_EXCEEDED',
      domain: 'googleapis.com',
      errorInfoMetadata: { quota_limit: 'RequestsPerMinutePerProject' },
    });
    api.setBehavior({ throttleShape: 'RATE_LIMIT_EXCEEDED' });
    expect(await attempt()).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'rateLimitExceeded',
      domain: 'usageLimits',
    });
  });
});

test('what changes between two calls is seen by the second', async () => {
  const { api, client } = await startForTest();
  const stop = api.onCall(({ method }) => {
    if (method === create) api.edit.bind(property, 'x@example.com', [ADMIN]);
  });
  expect((await refusalOf(client.batchCreateAccessBindings(batch, once))).code).toBe(status.ALREADY_EXISTS);
  stop();
  api.edit.unbind(property, 'x@example.com');
  await client.batchCreateAccessBindings(batch, once);
  expect(api.state().bindings[property]).toHaveProperty(['x@example.com'], [VIEWER]);
});

test('a seed with a mistake is refused with its place, and so is one that has a name or a user twice', async () => {
  const start = (seed: object) => startForTest({ seed: { caller: CALLER, ...seed } as never });
  await expect(start({ accounts: [{ id: 'x', displayName: '' }] })).rejects.toThrow(/accounts\[0\]\.id/);
  const account = { id: '1', displayName: 'A' };
  await expect(start({ accounts: [account, account] })).rejects.toThrow('accounts/1 twice');
  const bindings = ['a@example.com', 'A@example.com'].map((user) => ({ user, roles: [VIEWER] }));
  await expect(start({ accounts: [{ ...account, bindings }] })).rejects.toThrow('A@example.com twice');
});
