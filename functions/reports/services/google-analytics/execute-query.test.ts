import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultName } from '../../../../local/reports/faults.ts';
import { type StartedServices, startServices } from '../start-for-test.ts';

const property = '300000001';
const other = '300000002';
const hour = 3_600_000;
let started: StartedServices;
/** Each test has a day of its own, and with it quotas of its own. */
let now = Date.parse('2026-06-10T12:20:00Z');

beforeAll(async () => {
  started = await startServices(
    {
      seed: 3,
      properties: [
        { id: property, host: 'www.example.com', timeZone: 'Europe/London', viewsPerHour: 20 },
        { id: other, host: 'www.example.org', timeZone: 'UTC', viewsPerHour: 5 },
      ],
    },
    new Date(now).toISOString(),
    {
      sites: [
        { key: 'one', properties: [{ propertyId: property }] },
        { key: 'other', properties: [{ propertyId: other }] },
      ],
    },
  );
});
afterAll(() => started.apis.close());
beforeEach(() => {
  now += 24 * hour;
  started.apis.clock.set(now);
  started.apis.faults.clear();
  started.calls.length = 0;
  started.waits.length = 0;
});

describe('an error of Google Analytics ends as its class says', () => {
  test.each<[FaultName, number, string, string, boolean, number | null]>([
    // fault, tries, kind, reason, alert, not before (milliseconds from now)
    ['invalid_argument', 1, 'broken_report', 'invalid_argument', true, null],
    ['unauthenticated', 2, 'stopped_owner', 'unauthenticated', true, null],
    ['permission_denied', 1, 'stopped_entity', 'permission_denied', true, null],
    ['not_found', 1, 'stopped_entity', 'not_found', true, null],
    ['concurrent_requests', 5, 'transient', 'concurrent_requests', false, null],
    // 12:20 and half of the jitter: 13:02:30.
    ['tokens_per_hour', 1, 'deferred', 'tokens_per_hour', false, 40 * 60_000 + 150_000],
    ['tokens_per_project_per_hour', 1, 'deferred', 'tokens_per_hour', false, 40 * 60_000 + 150_000],
    // Midnight in California is 07:00 UTC in summer.
    ['tokens_per_day', 1, 'deferred', 'tokens_per_day', false, 18 * hour + 40 * 60_000],
    ['thresholded_requests', 1, 'deferred', 'thresholded_requests', false, hour],
    ['server_errors', 1, 'deferred', 'server_errors', false, hour],
    ['internal', 3, 'transient', 'server_error', false, null],
    ['unavailable', 3, 'transient', 'server_error', false, null],
    ['bad_gateway', 4, 'transient', 'gateway', false, null],
    ['gateway_timeout', 4, 'transient', 'gateway', false, null],
    ['reset', 4, 'transient', 'connection_reset', false, null],
    ['cut_body', 4, 'transient', 'connection_reset', false, null],
    ['not_json', 4, 'transient', 'no_json', false, null],
  ])('%s: %d tries, then %s (%s)', async (fault, tries, kind, reason, alert, notBefore) => {
    started.faults({ fault });
    const { analytics } = started.reopen();
    const failure = await started.fail(analytics, 'site_devices', '2026-06-07', property);
    expect(started.calls).toHaveLength(tries);
    expect(failure).toMatchObject({ kind, reason, alert });
    if (notBefore === null) expect(failure.notBefore).toBeNull();
    else expect((failure.notBefore?.getTime() ?? 0) - now).toBe(notBefore);
    expect(started.calls.map(({ attempt }) => attempt)).toEqual(started.calls.map((_, index) => index + 1));
    expect(started.calls.every((call) => call.reason === reason)).toBe(true);
  });

  test('another property goes on', async () => {
    started.faults({ fault: 'permission_denied', entity: property });
    const { analytics } = started.reopen();
    expect(await started.fail(analytics, 'site_devices', '2026-06-07', property)).toMatchObject({
      entityId: property,
      message: expect.stringMatching(/Property 300000001 may not be read.*role Viewer/),
    });
    expect((await started.pull(analytics, 'site_devices', '2026-06-07', other)).reconciled).toBe(true);
  });
});

describe('what passes is tried again', () => {
  test('with pauses that double and are drawn whole, and each try is in the ledger', async () => {
    started.faults({ fault: 'concurrent_requests', times: 4 });
    const pulled = await started.pull(started.reopen().analytics, 'site_devices', '2026-06-07', property);
    expect(pulled.reconciled).toBe(true);
    expect(started.waits).toEqual([500, 1_000, 2_000, 4_000]);
    expect(started.calls.map(({ status, attempt }) => [status, attempt])).toEqual([
      [429, 1],
      [429, 2],
      [429, 3],
      [429, 4],
      [200, 5],
    ]);
    expect(started.calls[4]).toMatchObject({
      api: 'analyticsdata.v1beta',
      method: 'runReport',
      reports: ['site_devices'],
      reason: null,
      bytes: expect.any(Number),
      tokens: pulled.cost.tokens,
      quotaRemaining: { tokensPerDay: expect.any(Number), serverErrorsPerProjectPerHour: 10 },
    });
  });

  test('an answer that does not come is waited for as long as is configured, and no longer', async () => {
    started.faults({ fault: 'hang', times: 1 });
    const { analytics } = started.reopen({
      sites: [{ key: 'one', properties: [{ propertyId: property }] }],
      googleAnalytics: { timeoutSeconds: 1 },
    });
    await started.pull(analytics, 'site_devices', '2026-06-07', property);
    expect(started.calls.map(({ status, reason }) => [status, reason])).toEqual([
      [null, 'timeout'],
      [200, null],
    ]);
  });

  test('nothing once the function runs out of time', async () => {
    started.faults({ fault: 'unavailable' });
    const { analytics } = started.reopen();
    const ending = new AbortController();
    const context = { ...started.context, signal: ending.signal, sleep: async () => ending.abort() };
    const slice = started.slice(analytics, 'site_devices', '2026-06-07', property);
    expect(await analytics.pull([slice], context)).toMatchObject([
      { kind: 'failed', failure: { kind: 'transient' } },
    ]);
    expect(started.calls.map(({ reason }) => reason)).toEqual(['server_error', 'out_of_time']);
  });

  test('a token that expired is renewed once', async () => {
    started.faults({ fault: 'unauthenticated', times: 1 });
    await started.pull(started.reopen().analytics, 'site_devices', '2026-06-07', property);
    expect(started.calls.map(({ status }) => status)).toEqual([401, 200]);
    expect(started.waits).toEqual([]);
  });

  test('but not where few server errors are left: each costs one of ten an hour', async () => {
    const { analytics } = started.reopen();
    for (const [tries, kind] of [
      [3, 'transient'],
      [3, 'transient'],
      [1, 'deferred'],
    ] as const) {
      started.calls.length = 0;
      started.faults({ fault: 'internal' });
      const failure = await started.fail(analytics, 'site_devices', '2026-06-07', property);
      expect([started.calls.length, failure.kind]).toEqual([tries, kind]);
    }
    // From then on nobody asks before the time.
    started.calls.length = 0;
    started.faults();
    expect(await started.fail(analytics, 'site_devices', '2026-06-07', property)).toMatchObject({
      kind: 'deferred',
      reason: 'server_errors_low',
    });
    expect(started.calls).toEqual([]);
  });

  test('and the library tries nothing by itself: Google counts the calls that the ledger counts', async () => {
    started.apis.resetCalls();
    started.faults({ fault: 'unavailable', times: 2 });
    await started.pull(started.reopen().analytics, 'site_devices', '2026-06-07', property);
    expect(started.calls).toHaveLength(3);
    expect(Object.values(started.apis.calls()).reduce((sum, { calls }) => sum + calls, 0)).toBe(3);
  });
});

test('a property whose quota is used up is left alone until it has some, and then asked again', async () => {
  const { analytics } = started.reopen();
  started.faults({ fault: 'tokens_per_day', times: 1 });
  const first = await started.fail(analytics, 'site_devices', '2026-06-07', property);
  const second = await started.fail(analytics, 'site_sources', '2026-06-07', property);
  expect(second).toEqual(first);
  expect(started.calls).toHaveLength(1);
  started.apis.clock.set(now + 18 * hour + 41 * 60_000);
  await started.pull(analytics, 'site_devices', '2026-06-07', property);
  expect(started.calls).toHaveLength(2);
});
