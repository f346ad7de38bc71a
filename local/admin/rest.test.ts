import { v1alpha } from '@google-analytics/admin';
import { OAuth2Client } from 'google-auth-library';
import { afterEach, describe, expect, test } from 'vitest';
import { CALLER, smallSeed, startForTest, VIEWER } from './start-for-test.ts';

const clients: v1alpha.AnalyticsAdminServiceClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** The API, Google's client of it over HTTP, and plain requests. */
async function start() {
  const { api } = await startForTest({ restPort: 0 });
  const base = api.restUrl ?? '';
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'anything', expiry_date: Date.now() + 3_600_000 });
  const client = new v1alpha.AnalyticsAdminServiceClient({
    apiEndpoint: '127.0.0.1',
    port: Number(new URL(base).port),
    protocol: 'http',
    fallback: true,
    authClient: authClient as never,
  });
  clients.push(client);
  const ask = async (verb: string, path: string, body?: object, token = 'anything') => {
    const response = await fetch(`${base}/v1alpha/${path}`, {
      method: verb,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { api, client, ask };
}

describe("Google's client over HTTP", () => {
  test('lists, creates, updates and deletes bindings as it does over gRPC', async () => {
    const { api, client } = await start();
    const parent = 'properties/101';
    const requests = ['x@example.com', 'y@example.com'].map((user) => ({
      accessBinding: { user, roles: [VIEWER] },
    }));
    const [{ accessBindings }] = await client.batchCreateAccessBindings({ parent, requests });
    expect(accessBindings?.map(({ user }) => user)).toEqual(['x@example.com', 'y@example.com']);
    const name = accessBindings?.[0]?.name ?? '';
    await client.batchUpdateAccessBindings({
      parent,
      requests: [{ accessBinding: { name, roles: ['predefinedRoles/editor'] } }],
    });
    await client.batchDeleteAccessBindings({
      parent,
      requests: [{ name: accessBindings?.[1]?.name ?? '' }],
    });
    const [listed] = await client.listAccessBindings({ parent, pageSize: 1 });
    expect(listed.map(({ user }) => user).sort()).toEqual(['ben@example.com', 'x@example.com']);
    expect(api.state().bindings[parent]?.['x@example.com']).toEqual(['predefinedRoles/editor']);
    expect(api.calls().every(({ transport }) => transport === 'rest')).toBe(true);
  });

  test('changes what its mask names and reads enums and times', async () => {
    const { client } = await start();
    await client.updateProperty({
      property: { name: 'properties/101', displayName: 'Shop', industryCategory: 'SHOPPING' },
      updateMask: { paths: ['display_name', 'industry_category'] },
    });
    const [property] = await client.getProperty({ name: 'properties/101' });
    expect(property).toMatchObject({
      displayName: 'Shop',
      industryCategory: 'SHOPPING',
      propertyType: 'PROPERTY_TYPE_ORDINARY',
    });
    expect(Number(property.createTime?.seconds)).toBeGreaterThan(1_700_000_000);
    const [summaries] = await client.listAccountSummaries({});
    expect(summaries).toMatchObject([{ account: 'accounts/1' }]);
  });
});

describe('REST', () => {
  test('has the JSON of the reference: names of enums, times of ISO, nothing that is empty', async () => {
    const { ask } = await start();
    const { body } = await ask('GET', 'properties?filter=parent:accounts/1&pageSize=1');
    expect(body.properties).toMatchObject([{ propertyType: 'PROPERTY_TYPE_ORDINARY' }]);
    expect(JSON.stringify(body)).toMatch(/"createTime":"\d{4}-\d\d-\d\dT[\d:.]+Z"/);
    expect(body.properties).not.toMatchObject([{ currencyCode: '' }]);
    expect(body.nextPageToken).toEqual(expect.any(String));
    const { body: next } = await ask(
      'GET',
      `properties?filter=parent:accounts/1&page_token=${body.nextPageToken}`,
    );
    expect(next).not.toHaveProperty('nextPageToken');
    expect(await ask('DELETE', 'properties/101/accessBindings/20')).toEqual({ status: 200, body: {} });
  });

  test('reads several of one query parameter, and both cases of a name', async () => {
    const { ask } = await start();
    const names = ['10', '11'].map((id) => `names=accounts/1/accessBindings/${id}`).join('&');
    const { body } = await ask('GET', `accounts/1/accessBindings:batchGet?${names}`);
    expect(body.accessBindings).toHaveLength(2);
    const property = { display_name: 'Shop', displayName: 'Shop' };
    for (const mask of ['display_name', 'displayName']) {
      const answer = await ask('PATCH', `properties/101?updateMask=${mask}`, property);
      expect(answer).toMatchObject({ status: 200, body: { displayName: 'Shop' } });
    }
  });

  test.each([
    ['a name that the message has not', { accessBinding: {} }, 'Unknown name "accessBinding"'],
    [
      'a value of another type',
      { requests: [{ accessBinding: { user: 5 } }] },
      'requests[0].accessBinding.user',
    ],
    ['a batch that is empty', {}, 'empty'],
  ])('refuses %s with 400', async (_what, body, message) => {
    const { ask } = await start();
    const answer = await ask('POST', 'properties/101/accessBindings:batchCreate', body);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining(message) } },
    });
  });

  test('refuses who has no token with 401, and a path that there is not with 404', async () => {
    const { ask } = await start();
    expect((await ask('GET', 'accounts', undefined, '')).status).toBe(401);
    expect((await ask('GET', 'nothing')).status).toBe(404);
    expect((await ask('GET', 'properties/101/googleAdsLinks')).status).toBe(501);
  });

  test('takes the caller from a token that is an e-mail address', async () => {
    const { ask } = await start();
    const path = 'properties/101/accessBindings';
    expect((await ask('GET', path, undefined, 'ben@example.com')).status).toBe(403);
    expect((await ask('GET', path, undefined, CALLER)).status).toBe(200);
    expect(smallSeed.caller).toBe(CALLER);
  });

  test('throttles with 429, or with the 403 of the page of quotas', async () => {
    const { api, ask } = await start();
    api.setFaults([{ answers: 'RESOURCE_EXHAUSTED' }, { answers: 'RATE_LIMIT_EXCEEDED' }]);
    expect(await ask('GET', 'accounts')).toMatchObject({
      status: 429,
      body: {
        error: {
          status: 'RESOURCE_EXHAUSTED',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'RATE_LIMIT_EXCEEDED' }],
        },
      },
    });
    expect(await ask('GET', 'accounts')).toMatchObject({
      status: 403,
      body: { error: { errors: [{ domain: 'usageLimits', reason: 'rateLimitExceeded' }] } },
    });
  });
});
