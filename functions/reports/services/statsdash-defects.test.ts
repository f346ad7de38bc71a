import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addDays, endOfPeriod, hourLabels, startOfPeriod } from './calendar.ts';
import { finishSlice } from './finish-slice.ts';
import { deriveDimensions } from './google-analytics/derive-dimensions.ts';
import { divide, rollUp } from './rollup.ts';
import type { Report, ReportRow } from './service.ts';
import { type StartedServices, startServices } from './start-for-test.ts';

const row = (dimensions: ReportRow['dimensions'], metrics: ReportRow['metrics']): ReportRow => ({
  dimensions,
  metrics,
  isOther: false,
});
let started: StartedServices;
const channel = 'UCexample0000000000000001';

beforeAll(async () => {
  started = await startServices(
    {
      seed: 9,
      properties: [{ id: '1', host: 'big.example.com', timeZone: 'Europe/London', viewsPerHour: 200 }],
      contentOwners: [{ id: 'ExampleNetwork', displayName: 'Example Network' }],
      channels: [{ id: channel, title: 'One', owner: 'ExampleNetwork', viewsPerDay: 4000 }],
    },
    '2026-06-20T12:00:00Z',
    {
      sites: [{ key: 'big', properties: [{ propertyId: '1' }] }],
      contentOwners: [{ key: 'network', id: 'ExampleNetwork', credential: 'YOUTUBE_OWNER' }],
      channels: [{ key: 'one', ids: [channel], owner: 'network' }],
    },
  );
});
afterAll(() => started.apis.close());
beforeEach(() => {
  started.apis.faults.clear();
  started.calls.length = 0;
});

describe('what Statsdash (gamernetwork/gastatsdash, b786c363) gets wrong comes out right', () => {
  test('the week before is the seven days before: for 2018-05-28 to 06-03 it ends with 05-27, which Statsdash leaves out', () => {
    const [start, end] = [startOfPeriod('week', '2018-06-03'), endOfPeriod('week', '2018-06-03')];
    const before = endOfPeriod('week', addDays(start, -1));
    expect([startOfPeriod('week', before), before, start, end]).toEqual([
      '2018-05-21',
      '2018-05-27',
      '2018-05-28',
      '2018-06-03',
    ]);
  });

  const report: Pick<Report, 'metrics' | 'ratios'> = {
    metrics: [
      { name: 'screenPageViews', kind: 'additive' },
      { name: 'userEngagementDuration', kind: 'additive' },
      { name: 'totalUsers', kind: 'estimate' },
      { name: 'averageSessionDuration', kind: 'ratio' },
    ],
    ratios: [
      {
        name: 'seconds_per_view',
        numerator: 'userEngagementDuration',
        denominator: ['screenPageViews'],
        factor: 1,
      },
    ],
  };
  const two = [
    {
      entityId: '1',
      rows: [
        row(
          {},
          {
            screenPageViews: 900n,
            userEngagementDuration: 9000n,
            totalUsers: 300n,
            averageSessionDuration: 40.5,
          },
        ),
      ],
    },
    {
      entityId: '2',
      rows: [
        row(
          {},
          {
            screenPageViews: 100n,
            userEngagementDuration: 9000n,
            totalUsers: 200n,
            averageSessionDuration: 90.5,
          },
        ),
      ],
    },
  ];

  test('ratios over a site’s properties are those of the sums, and not sums or means of ratios', () => {
    const [rolled] = rollUp(report, two);
    expect(rolled?.additive).toEqual({ screenPageViews: 1000n, userEngagementDuration: 18000n });
    expect(rolled?.ratios).toEqual({ seconds_per_view: 18 });
    expect(rolled?.apart.averageSessionDuration).toEqual({ 1: 40.5, 2: 90.5 });
  });

  test('users of two properties are never summed: they stay what each of them says', () => {
    const [rolled] = rollUp(report, two);
    expect(rolled?.additive).not.toHaveProperty('totalUsers');
    expect(rolled?.apart.totalUsers).toEqual({ 1: 300n, 2: 200n });
  });

  test('nothing is cut at the first thousand rows', async () => {
    const dimensions = ['hour', 'country', 'sessionSource', 'pagePath', 'deviceCategory', 'browser'];
    const fine = {
      key: 'fine',
      source: 'google_analytics',
      grain: 'week',
      dimensions,
      metrics: ['screenPageViews'],
    };
    const { analytics } = started.reopen({
      sites: [{ key: 'big', properties: [{ propertyId: '1' }] }],
      reports: [fine],
    });
    const pulled = await started.pull(analytics, 'fine', '2026-06-07', '1');
    expect(pulled.rows.length).toBeGreaterThan(1000);
    expect(pulled.reconciled).toBe(true);
  });

  test('a day of 23 hours passes by rule, in the zone of the property and not that of a server', async () => {
    started.apis.clock.set('2026-03-29T12:00:00Z');
    expect(hourLabels('2026-03-29', 'Europe/London')).toHaveLength(23);
    const [judged] = await started.pollUntilJudged(started.analytics, '1', ['2026-03-29']);
    expect(judged).toMatchObject({ verdict: 'available', rule: 'R1_full', proof: { labels: 23 } });
    started.apis.clock.set('2026-06-20T12:00:00Z');
  });

  test('types of traffic that are not on any list are kept: SHORTS is one', async () => {
    const pulled = await started.pull(started.youtube, 'channel_traffic_sources', '2026-06-05');
    expect(pulled.rows.map(({ dimensions }) => dimensions.insightTrafficSourceType)).toContain('SHORTS');
  });

  test('the shares of likes and dislikes add up to one, and are NULL, not 0 or 1, where there were none', async () => {
    const ratios = started.youtube.reports.find(({ key }) => key === 'channel_stats')?.ratios ?? [];
    expect(divide(ratios, { views: 2000n, likes: 30n, dislikes: 10n })).toMatchObject({
      likes_per_1000_views: 15,
      dislikes_per_1000_views: 5,
      like_share: 0.75,
      dislike_share: 0.25,
    });
    expect(divide(ratios, { views: 0n, likes: 0n, dislikes: 0n })).toMatchObject({
      likes_per_1000_views: null,
      like_share: null,
      dislike_share: null,
    });
  });

  test('titles of twenty videos take one call, after the list is cut', async () => {
    const pulled = await started.pull(started.youtube, 'channel_videos', '2026-06-05');
    started.calls.length = 0;
    const ids = pulled.rows.map(({ dimensions }) => dimensions.video ?? '');
    const described = await started.youtube.describeItems?.(ids, 'network', started.context);
    expect(described?.items).toHaveLength(20);
    expect(started.calls).toHaveLength(1);
  });

  test('networks are told by their names, so that none takes the place of another that is missing', () => {
    const sources = { 'facebook.com': 'Facebook', 't.co': 'X' };
    const networkOf = (sessionSource: string) =>
      deriveDimensions({ sessionSource }, ['socialNetwork'], sources).socialNetwork;
    expect(['m.facebook.com', 't.co', 'L.Facebook.com', 'notfacebook.com', 'google'].map(networkOf)).toEqual([
      'Facebook',
      'X',
      'Facebook',
      '(not set)',
      '(not set)',
    ]);
  });

  test('a total that is not that of its rows is noticed: 42550 over hours that add up to 126070', () => {
    const hours = [7260, 6502, 6141, 5416, 5276, 4679, 5220, 2056, 83520];
    const hourly: Pick<Report, 'metrics'> = { metrics: [{ name: 'screenPageViews', kind: 'additive' }] };
    const read = {
      rows: hours.map((views, hour) => row({ hour: String(hour) }, { screenPageViews: BigInt(views) })),
      flags: [],
      timeZone: 'Europe/London',
      metadata: {},
      cost: { calls: 1, requests: 1, tokens: 0, units: 0 },
      isComparable: true,
    };
    expect(finishSlice(hourly, { ...read, apiTotals: { screenPageViews: 42550n } })).toMatchObject({
      totals: { screenPageViews: 126070n },
      reconciled: false,
      flags: ['not_reconciled'],
    });
    expect(finishSlice(hourly, { ...read, apiTotals: { screenPageViews: 126070n } })).toMatchObject({
      reconciled: true,
      flags: [],
    });
  });

  test('a probe that fails once is tried again, and one that fails for good is told and judges nothing', async () => {
    const [entity] = started.youtube.entities;
    if (entity === undefined) throw new Error('There is none.');
    const probe = () =>
      started.youtube.probe(
        { probeGroup: 'network', open: [{ entity, gate: 'views', dates: ['2026-06-05'] }], history: [] },
        started.context,
      );
    started.faults({ fault: 'unavailable', api: 'youtube_analytics', times: 1 });
    expect(await probe()).toMatchObject({ availability: [{ verdict: 'available' }], failures: [] });
    started.faults({ fault: 'unavailable', api: 'youtube_analytics' });
    expect(await probe()).toMatchObject({ availability: [], failures: [{ kind: 'transient' }] });
  });
});
