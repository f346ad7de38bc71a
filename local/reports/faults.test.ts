import { OAuth2Client } from 'google-auth-library';
import { importPKCS8, SignJWT } from 'jose';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultName } from './faults.ts';
import { refusalOf, type Started, startForTest } from './start-for-test.ts';

const seed = {
  seed: 3,
  serviceAccounts: ['reports@example.iam.gserviceaccount.com'],
  properties: [
    { id: '1', host: 'www.example.com', timeZone: 'UTC', viewsPerHour: 40 },
    { id: '2', host: 'www.example.com', timeZone: 'UTC', viewsPerHour: 40 },
    { id: '3', host: 'n', timeZone: 'UTC', viewsPerHour: 40, thresholdUsers: 5 },
    { id: '4', host: 'n', timeZone: 'UTC', viewsPerHour: 4, readers: ['someone@example.com'] },
  ],
  contentOwners: [{ id: 'Network', displayName: 'The network' }],
  channels: [{ id: 'UCone', title: 'One', owner: 'Network', viewsPerDay: 400 }],
  credentials: [
    {
      clientId: 'client',
      clientSecret: 'secret',
      refreshToken: 'refresh',
      email: 'me@example.com',
      owners: ['Network'],
    },
  ],
};
const NOW = '2025-06-10T12:10:00Z';
let opened: Started[] = [];
let started: Started;

beforeEach(async () => {
  started = await startForTest(seed, NOW, { youtubeLimits: { unitsPerDay: 20, queriesPerDay: 30 } });
  opened.push(started);
});
afterAll(async () => {
  await Promise.all(opened.map(({ apis }) => apis.close()));
  opened = [];
});

const request = {
  dateRanges: [{ startDate: '2025-06-08', endDate: '2025-06-08' }],
  dimensions: [{ name: 'country' }],
  metrics: [{ name: 'eventCount' }],
  returnPropertyQuota: true,
};
const run = (id = '1', more: object = {}) =>
  started.data.properties.runReport({
    property: `properties/${id}`,
    requestBody: { ...request, ...more },
  });
const query = () =>
  started.analytics.reports.query({
    ids: 'contentOwner==Network',
    filters: 'channel==UCone',
    startDate: '2025-06-01',
    endDate: '2025-06-02',
    metrics: 'views',
  });

describe('a fault', () => {
  test.each<[FaultName, number, string]>([
    ['invalid_argument', 400, 'invalid argument'],
    ['unauthenticated', 401, 'invalid authentication credentials'],
    ['permission_denied', 403, 'sufficient permissions for this property'],
    ['not_found', 404, 'not found'],
    ['concurrent_requests', 429, 'Exhausted concurrent requests quota.'],
    ['tokens_per_day', 429, 'Exhausted property tokens per day.'],
    ['tokens_per_hour', 429, 'Exhausted property tokens per hour.'],
    ['tokens_per_project_per_hour', 429, 'Exhausted property tokens for a project per hour.'],
    ['thresholded_requests', 429, 'Exhausted potentially thresholded requests quota.'],
    ['server_errors', 429, 'Exhausted server errors quota.'],
    ['internal', 500, 'Internal error'],
    ['unavailable', 503, 'currently unavailable'],
    ['gateway_timeout', 504, 'Deadline expired'],
  ])('%s answers the Data API with %i', async (fault, status, words) => {
    started.apis.faults.set([{ fault, api: 'google_analytics' }]);
    const refused = await refusalOf(run());
    expect(refused.status).toBe(status);
    expect(refused.message).toContain(words);
  });

  test.each<[FaultName, number, string]>([
    ['invalid_argument', 400, 'badRequest'],
    ['unauthenticated', 401, 'authError'],
    ['permission_denied', 403, 'forbidden'],
    ['quota_exceeded', 403, 'quotaExceeded'],
    ['rate_limited', 429, 'rateLimitExceeded'],
    ['internal', 500, 'backendError'],
    ['unavailable', 503, 'backendError'],
  ])('%s answers YouTube with %i and the reason %s', async (fault, status, reason) => {
    started.apis.faults.set([{ fault, api: 'youtube_analytics' }]);
    expect(await refusalOf(query())).toMatchObject({ status, reason });
  });

  test('hits whom it names, after those it lets pass, as often as it says', async () => {
    started.apis.faults.set([{ fault: 'unavailable', entity: '1', method: 'runReport', skip: 1, times: 2 }]);
    await run('2');
    await run('1');
    expect(await refusalOf(run('1'))).toMatchObject({ status: 503 });
    await run('2');
    expect(await refusalOf(run('1'))).toMatchObject({ status: 503 });
    await run('1');
    expect(started.apis.calls()['google_analytics runReport']?.statuses).toEqual({ 200: 4, 503: 2 });
  });

  test('hits requests that hold a text, and between two instants of the clock', async () => {
    started.apis.faults.set([
      { fault: 'internal', holds: 'deviceCategory' },
      { fault: 'unavailable', from: '2025-06-10T13:00:00Z', until: '2025-06-10T14:00:00Z' },
    ]);
    await run();
    expect(await refusalOf(run('1', { dimensions: [{ name: 'deviceCategory' }] }))).toMatchObject({
      status: 500,
    });
    started.apis.clock.set('2025-06-10T13:30:00Z');
    expect(await refusalOf(run())).toMatchObject({ status: 503 });
    started.apis.clock.set('2025-06-10T14:00:00Z');
    await run();
  });

  test.each<[FaultName]>([['reset'], ['reset_after_work'], ['cut_body'], ['not_json']])(
    '%s leaves the client without an answer',
    async (fault) => {
      started.apis.faults.set([{ fault, times: 1 }]);
      const before = started.apis.quotaOf('1')?.hour ?? 0;
      const response = await run().catch((error: unknown) => error);
      if (!(response instanceof Error)) expect(typeof (response as { data: unknown }).data).toBe('string');
      const spent = (started.apis.quotaOf('1')?.hour ?? 0) - before;
      expect(spent > 0).toBe(fault !== 'reset');
      await run();
    },
  );

  test('hangs until the client gives up', async () => {
    started.apis.faults.set([{ fault: 'hang' }]);
    const hung = started.data.properties.runReport(
      { property: 'properties/1', requestBody: request },
      { signal: AbortSignal.timeout(50) },
    );
    await expect(hung).rejects.toThrow(/abort/i);
    // On a busy machine the call may be given up before it comes here.
    started.apis.faults.clear();
    await run();
  });

  test('sends a page of the front end, which is no JSON', async () => {
    started.apis.faults.set([{ fault: 'bad_gateway', times: 1 }]);
    expect(await refusalOf(run())).toMatchObject({ status: 502 });
  });

  test('bends a good answer', async () => {
    const bent = async (fault: FaultName, more: object = {}) => {
      started.apis.faults.set([{ fault, times: 1 }]);
      return (await run('1', more)).data;
    };
    const good = (await run()).data;
    expect(await bent('no_row_count')).not.toHaveProperty('rowCount');
    expect((await bent('row_count_without_rows')).rows).toBeUndefined();
    expect((await bent('row_count_changes')).rowCount).toBe(good.rowCount);
    expect((await bent('row_count_changes', { offset: '5' })).rowCount).toBe((good.rowCount ?? 0) + 1);
    expect((await bent('empty_page', { offset: '5' })).rows).toBeUndefined();
    expect((await bent('short_page')).rows?.length).toBeLessThan(good.rows?.length ?? 0);
    const twice = (await bent('duplicate_row')).rows ?? [];
    expect(twice.at(-1)).toEqual(twice[0]);
    expect((await bent('other_date')).rows?.[0]?.dimensionValues).toEqual([{ value: '(other)' }]);
    expect((await bent('float_integers')).rows?.[0]?.metricValues?.[0]?.value).toMatch(/^\d+\.0$/);
    started.apis.faults.set([{ fault: 'errors_in_200' }]);
    expect((await query()).data).toMatchObject({ errors: { code: 'INTERNAL_ERROR' } });
  });
});

/** A busy machine takes its time. */
const patient = { timeout: 30_000 };

describe('quotas of a property', () => {
  test('are told with each answer, and come back by the hour and at midnight in Los Angeles', async () => {
    const first = (await run()).data.propertyQuota;
    const cost = first?.tokensPerDay?.consumed ?? 0;
    expect(cost).toBeGreaterThan(0);
    expect(first).toEqual({
      tokensPerDay: { consumed: cost, remaining: 200_000 - cost },
      tokensPerHour: { consumed: cost, remaining: 40_000 - cost },
      tokensPerProjectPerHour: { consumed: cost, remaining: 14_000 - cost },
      concurrentRequests: { consumed: 0, remaining: 10 },
      serverErrorsPerProjectPerHour: { consumed: 0, remaining: 10 },
      potentiallyThresholdedRequestsPerHour: { consumed: 0, remaining: 120 },
    });
    started.apis.clock.set('2025-06-10T13:00:00Z');
    const later = (await run()).data.propertyQuota;
    expect(later?.tokensPerHour?.remaining).toBe(40_000 - cost);
    expect(later?.tokensPerDay?.remaining).toBe(200_000 - 2 * cost);
    started.apis.clock.set('2025-06-11T07:00:00Z');
    expect((await run()).data.propertyQuota?.tokensPerDay?.remaining).toBe(200_000 - cost);
  });

  test('of server errors are used up by ten of them in an hour', async () => {
    started.apis.faults.set([{ fault: 'internal', times: 10 }]);
    for (let index = 0; index < 10; index++) expect(await refusalOf(run())).toMatchObject({ status: 500 });
    expect((await refusalOf(run())).message).toContain('Exhausted server errors quota.');
    await run('2');
    started.apis.clock.advance(3_600_000);
    await run();
  });

  test('of reports whose rows may be withheld count each of a batch', async () => {
    const batch = (count: number) =>
      started.data.properties.batchRunReports({
        property: 'properties/3',
        requestBody: { requests: Array(count).fill(request) },
      });
    for (let index = 0; index < 24; index++) await batch(5);
    expect((await refusalOf(batch(1))).message).toContain('Exhausted potentially thresholded requests');
  });

  test('of running requests refuse the eleventh', async () => {
    started.apis.faults.set([{ fault: 'hang', times: 10 }]);
    const over = new AbortController();
    const hanging = Array.from({ length: 10 }, () =>
      started.data.properties
        .runReport({ property: 'properties/1', requestBody: request }, { signal: over.signal })
        .catch(() => 'given up'),
    );
    await expect.poll(() => started.apis.calls()['google_analytics runReport']?.calls, patient).toBe(10);
    expect((await refusalOf(run())).message).toContain('Exhausted concurrent requests quota.');
    await run('2');
    over.abort();
    expect(await Promise.all(hanging)).toEqual(Array(10).fill('given up'));
    await expect
      .poll(async () => (await run().catch(() => undefined))?.data.propertyQuota?.concurrentRequests, patient)
      .toEqual({ consumed: 0, remaining: 10 });
  });
});

test('the quotas of YouTube are used up by units and by queries, until midnight in Los Angeles', async () => {
  const list = () => started.youtube.channels.list({ part: ['id'], id: ['UCone'] });
  for (let index = 0; index < 20; index++) await list();
  expect(await refusalOf(list())).toMatchObject({ status: 403, reason: 'quotaExceeded' });
  for (let index = 0; index < 30; index++) await query();
  expect(await refusalOf(query())).toMatchObject({ status: 429, reason: 'rateLimitExceeded' });
  started.apis.clock.set('2025-06-11T07:00:00Z');
  await Promise.all([list(), query()]);
});

describe('tokens', () => {
  const user = () => {
    const client = new OAuth2Client({
      clientId: 'client',
      clientSecret: 'secret',
      endpoints: { oauth2TokenUrl: `${started.apis.url}/token` },
    });
    client.setCredentials({ refresh_token: 'refresh' });
    return client;
  };
  const headers = async (path: string, headers: Record<string, string>) =>
    fetch(`${started.apis.url}${path}`, { headers });

  test('of a refresh token read what its owner may, for an hour', async () => {
    const { token } = await user().getAccessToken();
    const path = '/youtube/v3/channels?part=id&managedByMe=true&onBehalfOfContentOwner=Network';
    const authorization = `Bearer ${token}`;
    expect((await headers(path, { authorization })).status).toBe(200);
    started.apis.clock.advance(3_600_000);
    expect((await headers(path, { authorization })).status).toBe(401);
    expect((await headers(path, { authorization: 'Bearer other' })).status).toBe(401);
  });

  test('are refused as invalid_grant once consent is taken back, and those issued are void', async () => {
    const { token } = await user().getAccessToken();
    started.apis.tokens.revoke('refresh');
    expect(await refusalOf(user().getAccessToken())).toMatchObject({ status: 400, reason: 'invalid_grant' });
    const path = '/youtube/v3/channels?part=id&id=UCone';
    expect((await headers(path, { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('of a service account are given for what it signed, and read only what it is a reader of', async () => {
    const key = started.apis.createServiceAccountKey(
      'reports@example.iam.gserviceaccount.com',
      `${started.apis.url}/token`,
    );
    const assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/analytics.readonly' })
      .setProtectedHeader({ alg: 'RS256', kid: key.private_key_id })
      .setIssuer(key.client_email)
      .setAudience('https://oauth2.googleapis.com/token')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(await importPKCS8(key.private_key, 'RS256'));
    const response = await fetch(key.token_uri, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    const read = async (id: string) =>
      (
        await fetch(`${started.apis.url}/v1beta/properties/${id}:runReport`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(request),
        })
      ).status;
    expect(await read('1')).toBe(200);
    expect(await read('4')).toBe(403);
    const forged = await fetch(key.token_uri, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: `${assertion.slice(0, -8)}AAAAAAAA`,
      }),
    });
    expect(forged.status).toBe(400);
    expect(await forged.json()).toEqual({
      error: 'invalid_grant',
      error_description: 'Invalid JWT Signature.',
    });
  });

  test('are required where nobody is anonymous', async () => {
    const strict = await startForTest(seed, NOW, { anonymous: false });
    opened.push(strict);
    const call = strict.data.properties.runReport({ property: 'properties/1', requestBody: request });
    expect(await refusalOf(call)).toMatchObject({ status: 401, reason: 'UNAUTHENTICATED' });
  });

  test('of consent come by way of a redirect and a code', async () => {
    const page = new URL(`${started.apis.url}/o/oauth2/v2/auth`);
    page.search = new URLSearchParams({
      client_id: 'client',
      redirect_uri: 'http://127.0.0.1:9/back',
      response_type: 'code',
      scope: 'a b',
      state: 'x',
    }).toString();
    const response = await fetch(page, { redirect: 'manual' });
    const back = new URL(response.headers.get('location') ?? '');
    expect(back.searchParams.get('state')).toBe('x');
    const { tokens } = await user().getToken({ code: back.searchParams.get('code') ?? '' });
    expect(tokens).toMatchObject({ refresh_token: 'refresh', token_type: 'Bearer' });
  });
});
