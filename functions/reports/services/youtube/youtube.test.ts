import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StartedServices, startServices } from '../start-for-test.ts';
import { rollUpStats } from './rollup-stats.ts';

const one = 'UCexample0000000000000001';
const two = 'UCexample0000000000000002';
const three = 'UCexample0000000000000003';
const day = '2026-06-05';
let started: StartedServices;

const configuration = {
  contentOwners: [{ key: 'network', id: 'ExampleNetwork', credential: 'YOUTUBE_OWNER' }],
  channels: [
    { key: 'reviews', ids: [one], owner: 'network' },
    { key: 'live', ids: [two, three], owner: 'network' },
  ],
};
const seed = {
  seed: 5,
  contentOwners: [{ id: 'ExampleNetwork', displayName: 'Example Network' }],
  channels: [
    { id: one, title: 'Reviews', owner: 'ExampleNetwork', viewsPerDay: 5000, videos: 90, subscribers: 48211 },
    {
      id: two,
      title: 'Live',
      owner: 'ExampleNetwork',
      viewsPerDay: 300,
      videos: 10,
      hiddenSubscribers: true,
    },
    { id: three, title: 'Old', owner: 'ExampleNetwork', viewsPerDay: 40, videos: 5, zeroDays: [day] },
  ],
};

beforeAll(async () => {
  started = await startServices(seed, '2026-06-20T12:00:00Z', configuration);
});
afterAll(() => started.apis.close());
beforeEach(() => {
  started.apis.faults.clear();
  started.apis.clock.advance(24 * 3_600_000);
  started.calls.length = 0;
});

const truth = (channelIds: string[], dimensions: string[], metrics: string[]) =>
  started.apis.channelTruthOf({ channelIds, from: day, to: day, dimensions, metrics, at: '2026-09-01' }).rows;

describe('a slice', () => {
  test('of several channels comes with one call, each with what is its own, and adds up to its total', async () => {
    const outcomes = await started.youtube.pull(
      started.youtube.entities.map(({ entityId }) =>
        started.slice(started.youtube, 'channel_summary', day, entityId),
      ),
      started.context,
    );
    // One by channel and day, one for the totals.
    expect(started.calls).toHaveLength(2);
    const metrics = [
      'estimatedMinutesWatched',
      'views',
      'engagedViews',
      'subscribersGained',
      'subscribersLost',
    ];
    for (const outcome of outcomes) {
      if (outcome.kind === 'failed') throw new Error(outcome.failure.message);
      const [row] = truth([outcome.slice.entity.entityId], [], metrics);
      const expected = metrics.map((name, index) => [name, BigInt(row?.metrics[index] ?? 0)]);
      expect(outcome.pulled.totals).toEqual(Object.fromEntries(expected));
      expect(outcome.pulled).toMatchObject({ reconciled: true, timeZone: 'America/Los_Angeles', flags: [] });
    }
    // A day without one view has no row at all, and its totals say zero.
    expect(outcomes[2]).toMatchObject({ pulled: { rows: [], totals: { views: 0n } } });
  });

  test('of several reports of totals comes with the same query, each with its own metrics', async () => {
    const keys = ['channel_summary', 'channel_stats'];
    const slices = keys.flatMap((key) =>
      started.youtube.entities.map(({ entityId }) => started.slice(started.youtube, key, day, entityId)),
    );
    expect(new Set(slices.map((slice) => started.youtube.batchKey(slice))).size).toBe(1);
    const outcomes = await started.youtube.pull(slices, started.context);
    expect(started.calls.map(({ reports }) => reports)).toEqual([keys, keys]);
    for (const outcome of outcomes) {
      if (outcome.kind === 'failed') throw new Error(outcome.failure.message);
      const { slice, pulled } = outcome;
      started.calls.length = 0;
      const alone = await started.pull(started.youtube, slice.report.key, day, slice.entity.entityId);
      const { digest, totals, apiTotals, reconciled } = alone;
      expect(pulled).toMatchObject({ digest, totals, apiTotals, reconciled });
      expect(Object.keys(totals)).toEqual(slice.report.metrics.map(({ name }) => name));
    }
  });

  test('of a report that YouTube refuses fails alone', async () => {
    const { youtube } = started.reopen({
      ...configuration,
      reports: [{ key: 'wrong', source: 'youtube', metrics: ['views', 'subscribersGane'] }],
    });
    const slices = ['channel_summary', 'wrong'].map((key) => started.slice(youtube, key, day, one));
    const outcomes = await youtube.pull(slices, started.context);
    expect(outcomes.map(({ kind, slice }) => [slice.report.key, kind])).toEqual([
      ['channel_summary', 'pulled'],
      ['wrong', 'failed'],
    ]);
    expect(outcomes[1]).toMatchObject({ failure: { kind: 'broken_report' } });
  });

  test('has every row of the truth, page after page', async () => {
    const { youtube } = started.reopen({ ...configuration, youtube: { rowsPerRequest: 9 } });
    const pulled = await started.pull(youtube, 'channel_countries', day, one);
    const expected = truth(
      [one],
      ['country'],
      ['views', 'estimatedMinutesWatched', 'subscribersGained', 'subscribersLost'],
    );
    const rows = pulled.rows.map(({ dimensions, metrics }) => [dimensions.country ?? '', metrics.views]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(expected.map((row) => [row.dimensions[0], BigInt(row.metrics[0] ?? 0)])),
    );
    expect(started.calls.length).toBe(Math.floor(expected.length / 9) + 1);
    // What is anonymous is in no country: rows and total differ by design.
    expect(pulled.reconciled).toBeNull();
  });

  test('of videos has the top ones in an order that does not change, flagged, and asks for titles 50 at a time', async () => {
    const pulled = await started.pull(started.youtube, 'channel_videos', day, one);
    expect(pulled).toMatchObject({ flags: ['top_n'], rows: { length: 20 } });
    const least = pulled.rows
      .map(({ metrics }) => metrics.estimatedMinutesWatched ?? 0n)
      .sort((a, b) => (a < b ? -1 : 1))[0];
    const all = truth([one], ['video'], ['estimatedMinutesWatched']).map(({ metrics }) =>
      BigInt(metrics[0] ?? 0),
    );
    expect(all.filter((minutes) => minutes > (least ?? 0n)).length).toBeLessThanOrEqual(20);
    started.calls.length = 0;
    const ids = [
      ...pulled.rows.map(({ dimensions }) => dimensions.video ?? ''),
      ...Array.from({ length: 40 }, (_, it) => `gone${it}`),
    ];
    const described = await started.youtube.describeItems?.(ids, 'network', started.context);
    expect(started.calls.map(({ method, units }) => [method, units])).toEqual([
      ['videos.list', 1],
      ['videos.list', 1],
    ]);
    expect(described?.items.filter(({ found }) => found)).toHaveLength(20);
    expect(described?.items[0]).toMatchObject({ title: expect.any(String), channelId: one });
    expect(described?.items.at(-1)).toMatchObject({ id: 'gone39', found: false, title: null });
  });

  test('of traffic sources keeps every type, new ones too', async () => {
    const pulled = await started.pull(started.youtube, 'channel_traffic_sources', day, one);
    const types = truth([one], ['insightTrafficSourceType'], ['views']).map(
      ({ dimensions }) => dimensions[0],
    );
    expect(pulled.rows.map(({ dimensions }) => dimensions.insightTrafficSourceType)).toEqual(types.sort());
    expect(types).toContain('SHORTS');
  });
});

describe('availability', () => {
  const poll = (gate: string, from: string, ...dates: string[]) => {
    started.apis.clock.set(from);
    return started.pollUntilJudged(started.youtube, one, dates, gate);
  };

  test('is read off the last day that has all metrics of a gate, views before subscribers', async () => {
    const [views] = await poll('views', '2026-06-06T08:00:00Z', day);
    const viewsAt = started.context.now();
    expect(views).toMatchObject({ verdict: 'available', rule: 'watermark', gate: 'views' });
    const [subscribers] = await poll('subscribers', '2026-06-06T08:00:00Z', day);
    expect(subscribers).toMatchObject({ rule: 'watermark', proof: { watermark: day } });
    expect(started.context.now()).toBeGreaterThan(viewsAt);
    expect(subscribers?.proof.metrics).toContain('subscribersGained');
  });

  test('of all channels of an owner takes one call, and one without a row while others have theirs is a zero', async () => {
    started.apis.clock.set('2026-06-12T12:00:00Z');
    const open = started.youtube.entities.map((entity) => ({ entity, gate: 'views', dates: [day] }));
    const { availability } = await started.youtube.probe(
      { probeGroup: 'network', open, history: [] },
      started.context,
    );
    expect(started.calls).toHaveLength(1);
    expect(availability.map(({ entityId, rule }) => [entityId, rule])).toEqual([
      [one, 'watermark'],
      [two, 'watermark'],
      [three, 'watermark_zero'],
    ]);
  });
});

describe('availability of subscribers', () => {
  test('is not asked for where that of views has just shown that no day is there yet', async () => {
    const probe = (dates: string[]) =>
      started.youtube.probe(
        {
          probeGroup: 'network',
          open: ['subscribers', 'views'].flatMap((gate) =>
            started.youtube.entities.map((entity) => ({ entity, gate, dates })),
          ),
          history: [],
        },
        started.context,
      );
    // Days of this owner come after some thirty hours: this one ended fourteen hours ago, the one before is there.
    started.apis.clock.set('2026-06-06T21:00:00Z');
    const { availability } = await probe([day]);
    expect(started.calls).toHaveLength(1);
    expect(availability.map(({ verdict, rule }) => [verdict, rule])).toEqual(
      Array(6).fill(['waiting', 'waiting_watermark']),
    );
    started.calls.length = 0;
    const both = await probe(['2026-06-03', day]);
    expect(started.calls).toHaveLength(2);
    const verdicts = both.availability.map(({ gate, date, verdict }) => `${gate} ${date} ${verdict}`);
    expect(new Set(verdicts)).toEqual(
      new Set(
        ['views', 'subscribers'].flatMap((gate) => [
          `${gate} 2026-06-03 available`,
          `${gate} ${day} waiting`,
        ]),
      ),
    );
  });
});

describe('live counters', () => {
  test('are null where the owner hides them, and sums tell whose are missing', async () => {
    const { snapshots = [] } =
      (await started.youtube.takeSnapshots?.(started.youtube.entities, started.context)) ?? {};
    expect(started.calls).toHaveLength(1);
    expect(
      snapshots.map(({ title, counters }) => [title, typeof counters.subscribers, typeof counters.views]),
    ).toEqual([
      ['Reviews', 'bigint', 'bigint'],
      ['Live', 'object', 'bigint'],
      ['Old', 'bigint', 'bigint'],
    ]);
    const [first, , third] = snapshots.map(({ counters }) => counters.subscribers ?? 0n);
    const rolled = rollUpStats([one, two, three], snapshots);
    expect(rolled.counters.subscribers).toBe((first ?? 0n) + (third ?? 0n));
    expect(rolled.incomplete).toEqual([two]);
  });
});

describe('before the first pull', () => {
  test('nothing is wrong with the shipped reports', async () => {
    expect(await started.youtube.checkReports(started.context)).toEqual([]);
  });

  test.each([
    [{ metrics: ['viewz'] }, 'metrics', 'viewz', 'Did you mean views?'],
    [{ metrics: ['views'], dimensions: ['contry'] }, 'dimensions', 'contry', 'Did you mean country?'],
  ])('a wrong name is named: %j', async (report, field, name, hint) => {
    const { youtube } = started.reopen({
      ...configuration,
      defaultReports: false,
      reports: [{ key: 'mine', source: 'youtube', ...report }],
    });
    expect(await youtube.checkReports(started.context)).toEqual([
      { report: 'mine', entityId: one, field, name, message: expect.stringContaining(hint) },
    ]);
  });
});
