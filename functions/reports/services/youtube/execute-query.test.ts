import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultName } from '../../../../local/reports/faults.ts';
import { createYouTube } from '../../../../shared/google/youtube.ts';
import { parseConfiguration } from '../../configuration/parse-configuration.ts';
import { services } from '../index.ts';
import { ownCredential, type StartedServices, startServices } from '../start-for-test.ts';
import { listChannels } from './channels.ts';
import { readOwn } from './configuration.ts';
import { listContentOwners } from './content-owner.ts';
import { createExecuteQuery } from './execute-query.ts';

const day = '2026-06-05';
const id = (number: number) => `UCexample${String(number).padStart(15, '0')}`;
let started: StartedServices;
const configuration = {
  contentOwners: [
    { key: 'network', id: 'ExampleNetwork', credential: 'YOUTUBE_OWNER' },
    { key: 'other', id: 'OtherNetwork', credential: 'YOUTUBE_OWNER' },
  ],
  channels: [
    { key: 'one', ids: [id(1)], owner: 'network' },
    { key: 'gone', ids: [id(2)], owner: 'network' },
    { key: 'other', ids: [id(3)], owner: 'other' },
  ],
};

beforeAll(async () => {
  started = await startServices(
    {
      seed: 5,
      contentOwners: [
        { id: 'ExampleNetwork', displayName: 'Example Network' },
        { id: 'OtherNetwork', displayName: 'Other Network' },
      ],
      channels: [
        { id: id(1), title: 'One', owner: 'ExampleNetwork', viewsPerDay: 500 },
        {
          id: id(2),
          title: 'Gone',
          owner: 'ExampleNetwork',
          viewsPerDay: 500,
          unlinkedAt: '2026-06-10T00:00:00Z',
        },
        { id: id(3), title: 'Other', owner: 'OtherNetwork', viewsPerDay: 500 },
        ...Array.from({ length: 60 }, (_, index) => ({
          id: id(100 + index),
          title: `Small ${index}`,
          owner: 'OtherNetwork',
          viewsPerDay: 1,
        })),
      ],
    },
    '2026-06-08T12:00:00Z',
    configuration,
  );
});
afterAll(() => started.apis.close());
const now = Date.parse('2026-06-08T12:00:00Z');
beforeEach(() => {
  started.apis.faults.clear();
  started.apis.clock.set(now);
  started.calls.length = 0;
  started.waits.length = 0;
});

const hour = 3_600_000;

describe('an error of YouTube ends as its class says', () => {
  test.each<[FaultName, number, string, string, boolean, number | null]>([
    ['invalid_argument', 1, 'broken_report', 'bad_request', true, null],
    ['unauthenticated', 2, 'stopped_owner', 'unauthenticated', true, null],
    ['permission_denied', 1, 'stopped_entity', 'forbidden', true, null],
    ['rate_limited', 5, 'transient', 'rate_limit', false, null],
    ['quota_exceeded', 1, 'deferred', 'quota_exceeded', false, 19 * hour],
    ['internal', 3, 'transient', 'server_error', false, null],
    ['unavailable', 3, 'transient', 'server_error', false, null],
    ['bad_gateway', 4, 'transient', 'gateway', false, null],
    ['gateway_timeout', 4, 'transient', 'gateway', false, null],
    ['reset', 4, 'transient', 'connection_reset', false, null],
    ['errors_in_200', 3, 'transient', 'errors_in_200', false, null],
  ])('%s: %d tries, then %s (%s)', async (fault, tries, kind, reason, alert, notBefore) => {
    started.faults({ fault, api: 'youtube_analytics' });
    const { youtube } = started.reopen();
    const failure = await started.fail(youtube, 'channel_countries', day, id(1));
    expect(failure).toMatchObject({ kind, reason, alert });
    expect(started.calls).toHaveLength(tries);
    if (notBefore === null) expect(failure.notBefore).toBeNull();
    else expect((failure.notBefore?.getTime() ?? 0) - now).toBe(notBefore);
  });
});

describe('a token that was revoked', () => {
  test('stops its owner with one alert, calls nobody again, and leaves other owners alone', async () => {
    const { youtube } = started.reopen();
    started.faults({ fault: 'invalid_grant', api: 'token', times: 1 });
    const first = await started.fail(youtube, 'channel_countries', day, id(1));
    expect(first).toMatchObject({
      kind: 'stopped_owner',
      reason: 'invalid_grant',
      entityId: null,
      alert: true,
      message: expect.stringContaining('npm run reports -- authorize network'),
    });
    const second = await started.fail(youtube, 'channel_summary', day, id(1));
    expect(second).toEqual({ ...first, alert: false });
    const open = [
      { entity: started.slice(youtube, 'channel_summary', day, id(1)).entity, gate: 'views', dates: [day] },
    ];
    const probed = await youtube.probe({ probeGroup: 'network', open, history: [] }, started.context);
    expect(probed).toMatchObject({ availability: [], failures: [{ kind: 'stopped_owner', alert: false }] });
    expect(started.calls).toMatchObject([{ status: 400, reason: 'invalid_grant', attempt: 1 }]);
    expect((await started.pull(youtube, 'channel_countries', day, id(3))).rows.length).toBeGreaterThan(5);
  });

  test('is looked at again after an hour, when another may have been stored', async () => {
    const { youtube } = started.reopen();
    started.faults({ fault: 'invalid_grant', api: 'token', times: 1 });
    await started.fail(youtube, 'channel_countries', day, id(1));
    started.apis.clock.advance(hour);
    await started.pull(youtube, 'channel_countries', day, id(1));
  });

  test('that fails for the token endpoint itself is tried again and stops nobody', async () => {
    const { youtube } = started.reopen();
    started.faults({ fault: 'internal', api: 'token', times: 2 });
    await started.pull(youtube, 'channel_countries', day, id(1));
    expect(started.calls.map(({ status, reason }) => [status, reason])).toEqual([
      [null, 'no_answer'],
      [null, 'no_answer'],
      [200, null],
    ]);
  });

  test('never stands in what is told', async () => {
    started.faults({ fault: 'invalid_grant', api: 'token' });
    const failure = await started.fail(started.reopen().youtube, 'channel_countries', day, id(1));
    expect(JSON.stringify([failure, started.calls])).not.toMatch(/test-secret|test-refresh/);
  });
});

test('a channel that was unlinked is found and stops alone: the others come without it', async () => {
  started.apis.clock.set('2026-06-11T12:00:00Z');
  const { youtube } = started.reopen();
  const outcomes = await youtube.pull(
    [id(1), id(2)].map((entityId) => started.slice(youtube, 'channel_countries', day, entityId)),
    started.context,
  );
  expect(outcomes).toMatchObject([
    { kind: 'pulled' },
    { kind: 'failed', failure: { kind: 'stopped_entity', entityId: id(2), reason: 'unlinked', alert: true } },
  ]);
  expect(started.calls.map(({ method, status }) => [method, status])).toEqual([
    ['reports.query', 403],
    ['channels.list', 200],
    ['reports.query', 200],
  ]);
});

test.each(['unavailable', 'reset'] as const)(
  'the library tries nothing by itself after %s: Google counts the calls that the ledger counts',
  async (fault) => {
    started.apis.resetCalls();
    started.faults({ fault, api: 'youtube_analytics', times: 2 });
    await started.pull(started.reopen().youtube, 'channel_countries', day, id(1));
    expect(started.calls).toHaveLength(3);
    expect(started.apis.calls()).toMatchObject({ 'youtube_analytics reports.query': { calls: 3 } });
  },
);

test('the units of a day are kept to, and there are new ones after midnight Pacific', async () => {
  const { youtube } = started.reopen({ ...configuration, youtube: { unitsPerDay: 2 } });
  const take = async () =>
    (await youtube.takeSnapshots?.(youtube.entities.slice(0, 1), started.context))?.failures;
  expect([await take(), await take()]).toEqual([[], []]);
  expect(await take()).toMatchObject([{ kind: 'deferred', reason: 'units_per_day' }]);
  expect(started.calls).toHaveLength(2);
  started.apis.clock.advance(20 * hour);
  expect(await take()).toEqual([]);
});

describe('of an owner', () => {
  const open = () => {
    const environment = { LOCAL_GOOGLE_APIS: `127.0.0.1:${started.apis.port}`, YOUTUBE_OWNER: ownCredential };
    const own = readOwn(parseConfiguration(JSON.stringify(configuration), 'the test', services));
    const executeQuery = createExecuteQuery(createYouTube(environment), own.settings, environment);
    return { owner: own.owners[1]!, executeQuery };
  };

  test('all channels are listed, all pages', async () => {
    const { owner, executeQuery } = open();
    const listed = await listChannels(owner, 'other', executeQuery, started.context);
    expect('channels' in listed && listed.channels.length).toBe(61);
    expect(started.calls).toHaveLength(2);
  });

  test('the id is found by the partner API', async () => {
    const { owner, executeQuery } = open();
    expect(await listContentOwners(owner, executeQuery, started.context)).toEqual({
      owners: [
        { id: 'ExampleNetwork', displayName: 'Example Network' },
        { id: 'OtherNetwork', displayName: 'Other Network' },
      ],
    });
  });
});

test('a channel without a content owner is asked for by itself', async () => {
  const { youtube } = started.reopen({
    contentOwners: [{ key: 'me', credential: 'YOUTUBE_OWNER' }],
    channels: [{ key: 'one', ids: [id(1)], owner: 'me' }],
  });
  const pulled = await started.pull(youtube, 'channel_summary', day, id(1));
  expect(pulled).toMatchObject({ reconciled: true, rows: { length: 1 } });
  started.apis.clock.set('2026-06-08T12:00:00Z');
  const [judged] = await started.pollUntilJudged(youtube, id(1), [day], 'views');
  expect(judged).toMatchObject({ verdict: 'available', rule: 'watermark' });
});
