import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import type { Seed } from './index.ts';
import { ADMIN, CALLER, once, refusalOf, startForTest, VIEWER } from './start-for-test.ts';

const dayMs = 24 * 60 * 60 * 1000;
const started = Date.parse('2026-03-01T00:00:00Z');
const seed: Seed = {
  caller: CALLER,
  accounts: [
    {
      id: '1',
      displayName: 'Shops',
      regionCode: 'DE',
      organization: 'org-7',
      createTime: '2020-05-06T07:08:09.5Z',
      bindings: [{ user: CALLER, roles: [ADMIN] }],
      properties: [
        {
          id: '101',
          displayName: 'Web shop',
          timeZone: 'Europe/Berlin',
          currencyCode: 'EUR',
          industryCategory: 'SHOPPING',
          firebase: { projectId: 'shop-prod', projectNumber: '777' },
          bindings: [{ user: 'ben@example.com', roles: [VIEWER] }],
          dataStreams: [
            { id: '5', type: 'WEB_DATA_STREAM', displayName: 'Web', defaultUri: 'https://shop.example' },
            { id: '6', type: 'ANDROID_APP_DATA_STREAM', displayName: 'App', packageName: 'example.shop' },
          ],
        },
        {
          id: '102',
          displayName: 'Part',
          propertyType: 'PROPERTY_TYPE_SUBPROPERTY',
          parent: 'properties/101',
        },
        { id: '103', displayName: 'Gone', deleteTime: '2026-02-20T00:00:00Z' },
      ],
    },
    {
      id: '2',
      displayName: 'Seen',
      properties: [{ id: '201', displayName: 'Site', bindings: [{ user: CALLER, roles: [VIEWER] }] }],
    },
    { id: '3', displayName: 'Hidden', properties: [{ id: '301', displayName: 'Site' }] },
  ],
};

async function start() {
  let now = started;
  const cloud = await startForTest({ seed, clock: () => now });
  return {
    ...cloud,
    wait(ms: number) {
      now += ms;
    },
  };
}

describe('accounts', () => {
  test('are those that the caller has a role on, or on a property of', async () => {
    const { client } = await start();
    const [accounts] = await client.listAccounts({});
    expect(accounts.map(({ name }) => name).sort()).toEqual(['accounts/1', 'accounts/2']);
    expect((await client.getAccount({ name: 'accounts/1' }))[0]).toMatchObject({
      displayName: 'Shops',
      regionCode: 'DE',
      createTime: { seconds: '1588748889', nanos: 500_000_000 },
      gmpOrganization: 'marketingplatformadmin.googleapis.com/organizations/org-7',
    });
    expect((await refusalOf(client.getAccount({ name: 'accounts/3' }))).code).toBe(status.PERMISSION_DENIED);
  });

  test('are changed in what the mask names, in snake case, and only by who may edit them', async () => {
    const { api, client } = await start();
    const account = { name: 'accounts/1', displayName: 'Stores', regionCode: 'FR' };
    await client.updateAccount({ account, updateMask: { paths: ['display_name'] } }, once);
    expect(api.state().accounts['accounts/1']).toMatchObject({ displayName: 'Stores', regionCode: 'DE' });
    for (const paths of [[], ['displayName'], ['create_time']]) {
      const call = client.updateAccount({ account, updateMask: { paths } }, once);
      expect((await refusalOf(call)).code).toBe(status.INVALID_ARGUMENT);
    }
    const other = client.updateAccount(
      { account: { ...account, name: 'accounts/2' }, updateMask: { paths: ['*'] } },
      once,
    );
    expect((await refusalOf(other)).code).toBe(status.PERMISSION_DENIED);
  });

  test('go to the trash and are purged after 35 days with everything below them', async () => {
    const { api, client, wait } = await start();
    await client.deleteAccount({ name: 'accounts/1' }, once);
    expect((await client.listAccounts({}))[0].map(({ name }) => name)).toEqual(['accounts/2']);
    expect((await client.listAccountSummaries({}))[0].map(({ account }) => account)).toEqual(['accounts/2']);
    const [all] = await client.listAccounts({ showDeleted: true });
    expect(all.find(({ name }) => name === 'accounts/1')).toMatchObject({ deleted: true });
    const filter = 'ancestor:accounts/1';
    expect((await client.listProperties({ filter }))[0]).toEqual([]);
    const binding = { parent: 'properties/101', accessBinding: { user: 'x@example.com', roles: [VIEWER] } };
    expect((await refusalOf(client.createAccessBinding(binding, once))).code).toBe(
      status.FAILED_PRECONDITION,
    );
    wait(35 * dayMs);
    expect((await client.listAccounts({ showDeleted: true }))[0]).toHaveLength(1);
    expect(Object.keys(api.state().properties)).toEqual(['properties/201', 'properties/301']);
    expect(Object.keys(api.state().bindings)).toEqual(['properties/201']);
    expect(api.state().dataStreams).toEqual({});
  });

  test('come to be once a person accepts the terms that the ticket is for', async () => {
    const { api, client } = await start();
    const [{ accountTicketId }] = await client.provisionAccountTicket(
      { account: { displayName: 'New', regionCode: 'US' }, redirectUri: 'https://example.com/done' },
      once,
    );
    const names = async () => (await client.listAccounts({}))[0].map(({ displayName }) => displayName).sort();
    expect(await names()).toEqual(['Seen', 'Shops']);
    api.edit.acceptTicket(accountTicketId ?? '', CALLER);
    expect(await names()).toEqual(['New', 'Seen', 'Shops']);
    const nowhere = client.provisionAccountTicket({ account: { displayName: 'New' } }, once);
    expect((await refusalOf(nowhere)).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('properties', () => {
  test.each([
    ['parent:accounts/1', ['properties/101']],
    ['parent:properties/101', ['properties/102']],
    ['ancestor:accounts/1', ['properties/101', 'properties/102']],
    ['firebase_project:shop-prod', ['properties/101']],
    ['firebase_project:777', ['properties/101']],
    ['parent:accounts/3', []],
  ])('are listed by the filter %s', async (filter, names) => {
    const { client } = await start();
    const [properties] = await client.listProperties({ filter });
    expect(properties.map(({ name }) => name).sort()).toEqual(names);
  });

  test.each(['', 'accounts/1', 'ancestor:properties/101', 'name:x'])(
    'are not listed by the filter "%s"',
    async (filter) => {
      const { client } = await start();
      expect((await refusalOf(client.listProperties({ filter }))).code).toBe(status.INVALID_ARGUMENT);
    },
  );

  test('in the trash are listed on request, with the time they are purged at', async () => {
    const { client, wait } = await start();
    const list = async () =>
      (await client.listProperties({ filter: 'parent:accounts/1', showDeleted: true }))[0].find(
        ({ name }) => name === 'properties/103',
      );
    const expireSeconds = Date.parse('2026-03-27T00:00:00Z') / 1000;
    expect(await list()).toMatchObject({ expireTime: { seconds: String(expireSeconds) } });
    wait(25 * dayMs);
    expect(await list()).toBeDefined();
    wait(dayMs);
    expect(await list()).toBeUndefined();
  });

  test('are created, changed in what the mask names, and put into the trash', async () => {
    const { api, client } = await start();
    const given = { parent: 'accounts/1', displayName: 'New', timeZone: 'Asia/Tokyo' };
    const [{ name }] = await client.createProperty({ property: given }, once);
    const created = name ?? '';
    const property = { name: created, displayName: 'Newer', currencyCode: 'JPY', timeZone: '' };
    await client.updateProperty({ property, updateMask: { paths: ['currency_code'] } }, once);
    expect(api.state().properties[created]).toMatchObject({
      displayName: 'New',
      timeZone: 'Asia/Tokyo',
      currencyCode: 'JPY',
    });
    const [gone] = await client.deleteProperty({ name: created }, once);
    expect(gone).toMatchObject({ deleteTime: { seconds: String(started / 1000) } });
    expect((await client.getProperty({ name: created }))[0].expireTime).not.toBeNull();
    const again = client.updateProperty({ property, updateMask: { paths: ['currency_code'] } }, once);
    expect((await refusalOf(again)).code).toBe(status.FAILED_PRECONDITION);
  });

  test.each([
    ['no display name', { displayName: '' }],
    ['a display name of more than 100', { displayName: 'x'.repeat(101) }],
    ['no time zone', { timeZone: '' }],
    ['a time zone that there is not', { timeZone: 'Europe/Nowhere' }],
    ['a currency that there is not', { currencyCode: 'euro' }],
    ['another property for a parent', { parent: 'properties/101' }],
  ])('are not created with %s', async (_what, wrong) => {
    const { client } = await start();
    const property = { parent: 'accounts/1', displayName: 'New', timeZone: 'Asia/Tokyo', ...wrong };
    expect((await refusalOf(client.createProperty({ property }, once))).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('what belongs to a property', () => {
  test('is its data streams, with the address of a web stream', async () => {
    const { api, client } = await start();
    const [streams] = await client.listDataStreams({ parent: 'properties/101' });
    expect(streams.find(({ name }) => name === 'properties/101/dataStreams/5')).toMatchObject({
      type: 'WEB_DATA_STREAM',
      webStreamData: { defaultUri: 'https://shop.example', measurementId: 'G-5' },
    });
    const dataStream = {
      type: 'WEB_DATA_STREAM',
      displayName: 'Blog',
      webStreamData: { defaultUri: 'https://blog.example' },
    } as const;
    const [{ name }] = await client.createDataStream({ parent: 'properties/101', dataStream }, once);
    const changed = { name: name ?? '', webStreamData: { defaultUri: 'https://news.example' } };
    const updateMask = { paths: ['web_stream_data.default_uri'] };
    await client.updateDataStream({ dataStream: changed, updateMask }, once);
    expect(api.state().dataStreams[name ?? '']).toMatchObject({
      displayName: 'Blog',
      defaultUri: 'https://news.example',
    });
    await client.deleteDataStream({ name: name ?? '' }, once);
    expect((await refusalOf(client.getDataStream({ name: name ?? '' }))).code).toBe(status.NOT_FOUND);
  });

  test('is one Firebase link at most, told by the number of its project', async () => {
    const { client } = await start();
    const parent = 'properties/101';
    const [[link]] = await client.listFirebaseLinks({ parent });
    expect(link?.project).toBe('projects/777');
    const create = () =>
      client.createFirebaseLink({ parent, firebaseLink: { project: 'projects/shop-prod' } }, once);
    expect((await refusalOf(create())).code).toBe(status.ALREADY_EXISTS);
    await client.deleteFirebaseLink({ name: link?.name ?? '' }, once);
    expect((await create())[0].project).toMatch(/^projects\/\d+$/);
  });
});

test('what the API has and this one has not is answered UNIMPLEMENTED', async () => {
  const { client } = await start();
  const call = client.listGoogleAdsLinks({ parent: 'properties/101' });
  expect(await refusalOf(call)).toMatchObject({
    code: status.UNIMPLEMENTED,
    details: expect.stringContaining('ListGoogleAdsLinks'),
  });
});
