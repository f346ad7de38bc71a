import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusalOf, type Started, startForTest } from './start-for-test.ts';

let started: Started;
const ONE = 'UCone';
const TWO = 'UCtwo';
const NOW = '2025-06-10T12:00:00Z';

beforeAll(async () => {
  started = await startForTest(
    {
      seed: 5,
      contentOwners: [
        {
          id: 'Network',
          displayName: 'The network',
          medianLagHours: 30,
          revenueLagHours: 48,
          stragglerRate: 0,
        },
        { id: 'Other', displayName: 'Another' },
      ],
      channels: [
        { id: ONE, title: 'One', owner: 'Network', viewsPerDay: 4000, subscribers: 48_211, monetized: true },
        {
          id: TWO,
          title: 'Two',
          owner: 'Network',
          viewsPerDay: 300,
          zeroDays: ['2025-06-03'],
          hiddenSubscribers: true,
          unlinkedAt: '2025-08-01T00:00:00Z',
        },
        ...Array.from({ length: 55 }, (_, index) => ({
          id: `UCmore${index}`,
          title: `More ${index}`,
          owner: 'Other',
          viewsPerDay: 5,
          deletedVideosRate: 0.5,
        })),
      ],
      credentials: [
        {
          clientId: 'c',
          clientSecret: 's',
          refreshToken: 'r',
          email: 'me@example.com',
          owners: ['Network', 'Other'],
          channels: [ONE],
        },
      ],
    },
    NOW,
  );
});
afterAll(() => started.apis.close());

async function query(parameters: object) {
  const { data } = await started.analytics.reports.query({
    ids: 'contentOwner==Network',
    filters: `channel==${ONE},${TWO}`,
    startDate: '2025-06-01',
    endDate: '2025-06-10',
    ...parameters,
  });
  return data;
}

const lastDay = async (metrics: string) =>
  (await query({ metrics, dimensions: 'day', sort: 'day' })).rows?.at(-1)?.[0] as string;

describe('the truth', () => {
  test.each([[[]], [['video']], [['country']]])(
    'by %j without an instant is what is shown in the end',
    (dimensions) => {
      const range = { channelIds: [ONE, TWO], from: '2025-06-01', to: '2025-06-30', metrics: ['views'] };
      const truth = { ...range, dimensions };
      const inTheEnd = started.apis.channelTruthOf(truth);
      expect(inTheEnd.rows.length).toBeGreaterThan(0);
      // The last restatement comes weeks after a day, the last video that is deleted half a year after it came.
      expect(inTheEnd.rows).toEqual(
        started.apis.channelTruthOf({ ...truth, at: '2029-01-01T00:00:00Z' }).rows,
      );
    },
  );
});

describe('a targeted query', () => {
  test('has its headers with types, and numbers as numbers', async () => {
    const data = await query({
      metrics: 'views,averageViewPercentage',
      dimensions: 'day',
      sort: 'day',
      endDate: '2025-06-02',
    });
    expect(data.kind).toBe('youtubeAnalytics#resultTable');
    expect(data.columnHeaders).toEqual([
      { name: 'day', columnType: 'DIMENSION', dataType: 'STRING' },
      { name: 'views', columnType: 'METRIC', dataType: 'INTEGER' },
      { name: 'averageViewPercentage', columnType: 'METRIC', dataType: 'FLOAT' },
    ]);
    expect(data.rows).toEqual([
      ['2025-06-01', expect.any(Number), expect.any(Number)],
      ['2025-06-02', expect.any(Number), expect.any(Number)],
    ]);
  });

  test('ends, without a word, at the last day that all of its metrics have', async () => {
    const [views, withRevenue] = [await lastDay('views'), await lastDay('views,estimatedRevenue')];
    expect(withRevenue < views).toBe(true);
    expect(views < '2025-06-10').toBe(true);
    const range = { channelIds: [ONE, TWO], from: '2025-06-01', to: '2025-06-10', dimensions: [], at: NOW };
    expect(started.apis.channelTruthOf({ ...range, metrics: ['estimatedRevenue'] }).lastDay).toBe(
      withRevenue,
    );
    const whole = await query({ metrics: 'views' });
    const byDay = await query({ metrics: 'views', dimensions: 'day' });
    expect(whole.rows?.[0]?.[0]).toBe(byDay.rows?.reduce((sum, row) => sum + Number(row[1]), 0));
    started.apis.clock.set('2025-06-20T12:00:00Z');
    expect(await lastDay('views')).toBe('2025-06-10');
    started.apis.clock.set(NOW);
  });

  test('leaves out days and channels without a view, and the rows when there are none', async () => {
    const two = await query({ metrics: 'views', dimensions: 'day', sort: 'day', filters: `channel==${TWO}` });
    expect(two.rows?.map(([day]) => day)).not.toContain('2025-06-03');
    const none = await query({
      metrics: 'views',
      dimensions: 'day',
      filters: `channel==${TWO}`,
      startDate: '2025-06-03',
      endDate: '2025-06-03',
    });
    expect(none).not.toHaveProperty('rows');
    const both = await query({ metrics: 'views', dimensions: 'channel', endDate: '2025-06-01' });
    expect(both.rows?.map(([channel]) => channel).sort()).toEqual([ONE, TWO]);
  });

  test('tells traffic sources that no list knows, and page by page, in the order of the sort', async () => {
    const whole = await query({
      metrics: 'views,estimatedMinutesWatched',
      dimensions: 'insightTrafficSourceType',
      sort: '-views',
    });
    expect(whole.rows?.map(([type]) => type)).toEqual(expect.arrayContaining(['SHORTS', 'VIDEO_REMIXES']));
    const paged = [];
    for (let startIndex = 1; startIndex <= (whole.rows?.length ?? 0); startIndex += 4) {
      const page = await query({
        metrics: 'views,estimatedMinutesWatched',
        dimensions: 'insightTrafficSourceType',
        sort: '-views',
        startIndex,
        maxResults: 4,
      });
      paged.push(...(page.rows ?? []));
    }
    expect(paged).toEqual(whole.rows);
  });

  test('by video is the top ones, in order, at most 200', async () => {
    const top = { metrics: 'views', dimensions: 'video', sort: '-views' };
    const { rows } = await query({ ...top, maxResults: 10 });
    expect(rows).toHaveLength(10);
    expect(rows?.[0]?.[0]).toMatch(/^[\w-]{11}$/);
    const views = rows?.map((row) => Number(row[1])) ?? [];
    expect(views).toEqual([...views].sort((a, b) => b - a));
    expect(await refusalOf(query(top))).toMatchObject({ status: 400 });
    expect(await refusalOf(query({ ...top, maxResults: 201 }))).toMatchObject({ status: 400 });
  });

  test('counts starts of Shorts as views only since the end of March 2025', async () => {
    const { rows } = await query({
      metrics: 'views,engagedViews',
      dimensions: 'day',
      sort: 'day',
      startDate: '2025-03-30',
      endDate: '2025-03-31',
    });
    expect(rows?.[0]?.[1]).toBe(rows?.[0]?.[2]);
    expect(Number(rows?.[1]?.[1])).toBeGreaterThan(Number(rows?.[1]?.[2]));
  });

  test('is the truth as of the moment', async () => {
    const fields = { dimensions: ['country'], metrics: ['views', 'likes', 'subscribersGained'] };
    const { rows } = await query({ dimensions: 'country', metrics: fields.metrics.join() });
    const truth = started.apis.channelTruthOf({
      channelIds: [ONE, TWO],
      from: '2025-06-01',
      to: '2025-06-10',
      ...fields,
      at: NOW,
    });
    expect(rows).toEqual(truth.rows.map((row) => [...row.dimensions, ...row.metrics]));
    expect(rows?.length).toBeGreaterThan(20);
  });

  test.each([
    ['video and day', { metrics: 'views', dimensions: 'video,day' }, 'not supported'],
    [
      'likes by traffic source',
      { metrics: 'likes', dimensions: 'insightTrafficSourceType' },
      'not supported',
    ],
    ['an owner without a filter', { metrics: 'views', filters: '' }, 'not supported'],
    [
      'an unknown metric',
      { metrics: 'vieus' },
      'Unknown identifier (vieus) given in field parameters.metrics.',
    ],
    ['a sort by what is not there', { metrics: 'views', sort: 'likes' }, 'Unknown identifier (likes)'],
    ['ids of another form', { metrics: 'views', ids: 'owner:Network' }, 'regular expression'],
  ])('of %s is refused', async (_, parameters, words) => {
    const refused = await refusalOf(query(parameters));
    expect(refused).toMatchObject({ status: 400, reason: 'badRequest' });
    expect(refused.message).toContain(words);
  });

  test('of another owner, or of a channel that has left, is forbidden', async () => {
    const forbidden = { status: 403, reason: 'forbidden' };
    expect(await refusalOf(query({ metrics: 'views', ids: 'contentOwner==Nobody' }))).toMatchObject(
      forbidden,
    );
    expect(await refusalOf(query({ metrics: 'views', filters: 'channel==UCmore1' }))).toMatchObject(
      forbidden,
    );
    started.apis.clock.set('2025-08-01T00:00:00Z');
    expect(await refusalOf(query({ metrics: 'views' }))).toMatchObject(forbidden);
    started.apis.clock.set(NOW);
  });

  test('of one own channel needs no owner', async () => {
    const own = { filters: undefined, metrics: 'views', endDate: '2025-06-01' };
    const [mine, named] = [
      await query({ ...own, ids: 'channel==MINE' }),
      await query({ ...own, ids: `channel==${ONE}` }),
    ];
    expect(mine.rows).toEqual(named.rows);
    expect(Number(mine.rows?.[0]?.[0])).toBeGreaterThan(0);
  });
});

describe('the Data API', () => {
  test('lists the channels of an owner, all in pages of at most 50', async () => {
    const ids: string[] = [];
    let pageToken: string | undefined;
    do {
      const { data } = await started.youtube.channels.list({
        part: ['snippet', 'contentOwnerDetails'],
        managedByMe: true,
        onBehalfOfContentOwner: 'Other',
        maxResults: 50,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      expect(data.pageInfo).toEqual({ totalResults: 55, resultsPerPage: 50 });
      ids.push(...(data.items ?? []).map(({ id }) => id ?? ''));
      pageToken = data.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    expect(new Set(ids).size).toBe(55);
  });

  test('writes counts as texts, rounds subscribers down to three figures, and keeps hidden ones', async () => {
    const { data } = await started.youtube.channels.list({ part: ['snippet', 'statistics'], id: [ONE, TWO] });
    const statistics = (id: string) => data.items?.find((item) => item.id === id)?.statistics;
    expect(statistics(ONE)?.subscriberCount).toMatch(/^\d\d\d00$/);
    expect(statistics(ONE)?.viewCount).toMatch(/^\d+$/);
    expect(statistics(TWO)).toMatchObject({ hiddenSubscriberCount: true });
    expect(statistics(TWO)).not.toHaveProperty('subscriberCount');
  });

  test('tells videos by up to 50 ids, and leaves out those that are gone', async () => {
    const channelIds = Array.from({ length: 55 }, (_, index) => `UCmore${index}`);
    const seen = started.apis.channelTruthOf({
      channelIds,
      from: '2025-01-01',
      to: '2025-01-31',
      dimensions: ['video'],
      metrics: ['views'],
      at: '2025-02-10T00:00:00Z',
    });
    const id = seen.rows.slice(0, 50).map(({ dimensions }) => dimensions[0] ?? '');
    const { data } = await started.youtube.videos.list({ part: ['snippet'], id });
    const found = data.items?.map((item) => item.id) ?? [];
    expect(found.length).toBeGreaterThan(10);
    expect(found.length).toBeLessThan(50);
    expect(id).toEqual(expect.arrayContaining(found));
    expect(data.items?.[0]?.snippet?.title).toMatch(/\(part \d+\)$/);
    const tooMany = started.youtube.videos.list({ part: ['snippet'], id: Array(51).fill('x') });
    expect(await refusalOf(tooMany)).toMatchObject({ status: 400, reason: 'invalidParameter' });
  });

  test('lists the content owners that one manages', async () => {
    const response = await fetch(`${started.apis.url}/youtube/partner/v1/contentOwners?fetchMine=true`);
    expect(await response.json()).toMatchObject({
      kind: 'youtubePartner#contentOwnerList',
      items: [{ id: 'Network', displayName: 'The network' }, { id: 'Other' }],
    });
  });
});
