import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addDays, listDays } from './services/calendar.ts';
import { type StartedReports, startReports } from './start-for-test.ts';

// What Statsdash got wrong is told in its tests' names: each shows that ours is right.

const nowMs = Date.parse('2025-06-15T12:00:00Z');
let reports: StartedReports;
let site: string;
let sites = 0;

beforeAll(async () => {
  reports = await startReports({ nowMs });
}, 60_000);
afterAll(() => reports.close());
beforeEach(() => {
  site = `site-${++sites}`;
});

interface Given {
  readonly source?: string;
  readonly report?: string;
  readonly entityId?: string;
  readonly grain?: string;
  readonly ladderDay?: number;
  readonly flags?: readonly string[];
  readonly rows?: readonly { dimensions?: Record<string, string>; metrics: Record<string, number> }[];
}

/** Publishes slices of one site, a day each, as pulls do. */
async function publish(
  dates: readonly string[],
  metricsOf: (date: string) => Record<string, number>,
  given: Given = {},
) {
  const {
    source = 'google_analytics',
    report = 'site_summary',
    entityId = `${site}-1`,
    grain = 'day',
  } = given;
  const slices = dates.map((date) => ({
    date,
    attemptId: randomBytes(16).toString('hex'),
    rows: given.rows ?? [{ metrics: metricsOf(date) }],
  }));
  const { append } = reports.pollOptions;
  const common = { source, report, entity_id: entityId };
  await append(
    'report_rows',
    slices.flatMap(({ date, attemptId, rows }) =>
      rows.map(({ dimensions = {}, metrics }, index) => ({
        ...common,
        attempt_id: attemptId,
        row_index: index,
        date,
        dimensions: JSON.stringify(dimensions),
        metrics: JSON.stringify(metrics),
        pulled_at: nowMs * 1_000,
      })),
    ),
  );
  await append(
    'report_pulls',
    slices.map(({ date, attemptId, rows }) => ({
      ...common,
      attempt_id: attemptId,
      date,
      seq: 1,
      entity_key: site,
      grain,
      report_hash: 'h',
      row_count: rows.length,
      digest: 'd',
      totals: '{}',
      api_totals: '{}',
      flags: given.flags ?? [],
      rule: 'R1_full',
      time_zone: 'Europe/London',
      ladder_day: given.ladderDay ?? 7,
      cause: 'first',
      calls: 1,
      requests: 1,
      tokens: 1,
      units: 0,
      started_at: nowMs * 1_000,
      published_at: nowMs * 1_000,
    })),
  );
}

const compare = (comparison: string, metric: string, date: string) =>
  reports.query(`
    SELECT CAST(base_date AS STRING) AS base_date, value, base, change, percent, comparable FROM media_compare
    WHERE key = '${site}' AND comparison = '${comparison}' AND metric = '${metric}' AND date = '${date}'`);
/** 1 view on the first day of the year, 2 on the next and so on. */
const ordinal = (date: string) => (Date.parse(date) - Date.parse('2025-01-01')) / 86_400_000 + 1;
const views = (date: string) => ({
  screenPageViews: ordinal(date),
  totalUsers: 10,
  sessions: 12,
  screenPageViewsPerSession: 1.5,
});

describe('media_daily', () => {
  test('has both platforms in their own zones, and true zeros', async () => {
    await publish(['2025-03-01'], () => ({
      screenPageViews: 5,
      userEngagementDuration: 90,
      eventCount: 9,
      totalUsers: 3,
      sessions: 4,
    }));
    await publish(['2025-03-02'], () => ({}), { rows: [] });
    await publish(
      ['2025-03-01'],
      () => ({
        views: 50,
        engagedViews: 40,
        estimatedMinutesWatched: 7,
        subscribersGained: 3,
        subscribersLost: 5,
      }),
      {
        source: 'youtube',
        report: 'channel_summary',
        entityId: `UC${site}`,
      },
    );
    const rows = await reports.query(`
      SELECT platform, CAST(date AS STRING) AS date, views, engaged_views, engaged_seconds, audience_gain, events, estimated_users,
        is_settled, flags
      FROM media_daily WHERE key = '${site}' ORDER BY platform, date`);
    const rest = { is_settled: true, flags: null };
    expect(rows).toEqual([
      {
        platform: 'google_analytics',
        date: '2025-03-01',
        views: 5,
        engaged_views: null,
        engaged_seconds: 90,
        audience_gain: null,
        events: 9,
        estimated_users: 3,
        ...rest,
      },
      {
        platform: 'google_analytics',
        date: '2025-03-02',
        views: 0,
        engaged_views: null,
        engaged_seconds: 0,
        audience_gain: null,
        events: 0,
        estimated_users: 0,
        ...rest,
      },
      {
        platform: 'youtube',
        date: '2025-03-01',
        views: 50,
        engaged_views: 40,
        engaged_seconds: 420,
        audience_gain: -2,
        events: null,
        estimated_users: null,
        ...rest,
      },
    ]);
  });

  test('adds views over the properties of a site, and neither users nor ratios', async () => {
    for (const entityId of [`${site}-1`, `${site}-amp`])
      await publish(
        ['2025-03-01'],
        () => ({
          screenPageViews: 5,
          totalUsers: 3,
          sessions: 4,
          screenPageViewsPerSession: 1.25,
          averageSessionDuration: 60,
        }),
        { entityId },
      );
    const rows = await reports.query(`
      SELECT views, estimated_users, estimated_sessions, ratio_views_per_session, ratio_average_session_seconds, entities
      FROM media_daily WHERE key = '${site}'`);
    expect(rows).toEqual([
      {
        views: 10,
        estimated_users: null,
        estimated_sessions: null,
        ratio_views_per_session: null,
        ratio_average_session_seconds: null,
        entities: 2,
      },
    ]);
  });

  test.each<[string, Given]>([
    ['was read too soon', { ladderDay: 2 }],
    ['was forced', { flags: ['forced'] }],
    ['lacks a property', { entityId: 'other' }],
  ])('calls no day settled that %s', async (_, given) => {
    await publish(['2025-02-28', '2025-03-01'], views);
    await publish(given.entityId === undefined ? ['2025-03-01'] : ['2025-02-28'], views, {
      entityId: `${site}-2`,
      ...given,
    });
    expect(
      await reports.query(`SELECT is_settled FROM media_daily WHERE key = '${site}' AND date = '2025-03-01'`),
    ).toEqual([{ is_settled: false }]);
  });
});

describe('media_compare', () => {
  test('compares a week with the seven days before it, Monday to Sunday: no day is left out or counted twice', async () => {
    await publish(listDays('2025-03-03', '2025-03-16'), views);
    const sum = (from: string) =>
      listDays(from, addDays(from, 6)).reduce((total, date) => total + ordinal(date), 0);
    const [value, base] = [sum('2025-03-10'), sum('2025-03-03')];
    expect(await compare('iso_week', 'views', '2025-03-16')).toEqual([
      { base_date: '2025-03-09', value, base, change: 49, percent: (100 * 49) / base, comparable: true },
    ]);
  });

  test('has no week or month of which a day is missing, where the last alone was checked', async () => {
    await publish(
      listDays('2025-03-03', '2025-03-16').filter((date) => date !== '2025-03-05'),
      views,
    );
    expect(await compare('iso_week', 'views', '2025-03-16')).toMatchObject([
      { base: null, percent: null, comparable: false },
    ]);
    expect(await compare('iso_week', 'views', '2025-03-09')).toEqual([]);
  });

  test('takes users of a week as they were read for the week, never as the sum of its days', async () => {
    await publish(listDays('2025-03-03', '2025-03-16'), views);
    await publish(['2025-03-09', '2025-03-16'], (date) => ({ totalUsers: date === '2025-03-16' ? 33 : 30 }), {
      report: 'site_users_weekly',
      grain: 'week',
    });
    expect(await compare('iso_week', 'users', '2025-03-16')).toMatchObject([
      { value: 33, base: 30, percent: 10 },
    ]);
  });

  test('compares months of different lengths, and only whole ones', async () => {
    await publish(listDays('2025-02-01', '2025-03-31'), views);
    const sum = (from: string, to: string) =>
      listDays(from, to).reduce((total, date) => total + ordinal(date), 0);
    expect(await compare('month', 'views', '2025-03-31')).toMatchObject([
      {
        base_date: '2025-02-28',
        value: sum('2025-03-01', '2025-03-31'),
        base: sum('2025-02-01', '2025-02-28'),
        comparable: true,
      },
    ]);
  });

  test('tells new from unchanged: percent is NULL without a figure before, and where that was 0', async () => {
    await publish(['2025-03-02', '2025-03-03', '2025-03-05'], (date) => ({
      screenPageViews: date === '2025-03-02' ? 0 : 7,
    }));
    expect(await compare('previous_day', 'views', '2025-03-03')).toMatchObject([
      { value: 7, base: 0, change: 7, percent: null, comparable: true },
    ]);
    expect(await compare('previous_day', 'views', '2025-03-05')).toMatchObject([
      { value: 7, base: null, change: null, percent: null, comparable: false },
    ]);
    await publish(['2025-03-06'], () => ({ screenPageViews: 7 }));
    expect(await compare('previous_day', 'views', '2025-03-06')).toMatchObject([{ change: 0, percent: 0 }]);
  });

  test('compares a year by date and by weekday, also on a leap day', async () => {
    await publish(
      ['2023-02-28', '2023-03-01', '2024-02-29', '2024-03-01', '2025-02-27', '2025-02-28'],
      views,
    );
    const base = async (comparison: string, date: string) =>
      (await compare(comparison, 'views', date)).map(({ base_date }) => base_date);
    expect(await base('year_by_date', '2024-02-29')).toEqual(['2023-02-28']);
    expect(await base('year_by_weekday', '2024-02-29')).toEqual(['2023-03-02']);
    expect(await base('year_by_date', '2025-02-28')).toEqual(['2024-02-28']);
    expect(await compare('year_by_weekday', 'views', '2025-02-27')).toMatchObject([
      { base_date: '2024-02-29', comparable: true },
    ]);
  });

  test('calls nothing comparable of which one side is not settled', async () => {
    await publish(['2025-03-01'], views);
    await publish(['2025-03-02'], views, { ladderDay: 1 });
    await publish(['2025-03-03'], views, { flags: ['forced'] });
    expect(await compare('previous_day', 'views', '2025-03-02')).toMatchObject([
      { change: 1, comparable: false },
    ]);
    expect(await compare('previous_day', 'views', '2025-03-03')).toMatchObject([
      { change: 1, comparable: false },
    ]);
  });
});

describe('the views of reports', () => {
  const youtube = { source: 'youtube', entityId: 'UC1' };

  test('have rates from their two parts: likes and dislikes are shares of both together', async () => {
    await publish(
      ['2025-03-01'],
      () => ({
        views: 2_000,
        likes: 30,
        dislikes: 10,
        comments: 4,
        shares: 0,
        subscribersGained: 1,
        subscribersLost: 0,
      }),
      { ...youtube, report: 'channel_stats' },
    );
    expect(
      await reports.query(
        `SELECT likes_per_1000_views, like_share, dislike_share FROM channel_stats WHERE entity_key = '${site}'`,
      ),
    ).toEqual([{ likes_per_1000_views: 15, like_share: 0.75, dislike_share: 0.25 }]);
  });

  test('keep traffic sources that nobody has thought of, and each in its own column', async () => {
    await publish(['2025-03-01'], () => ({}), {
      ...youtube,
      report: 'channel_traffic_sources',
      rows: ['SHORTS', 'SUBSCRIBER', 'BRAND_NEW'].map((insightTrafficSourceType) => ({
        dimensions: { insightTrafficSourceType },
        metrics: { views: 2, estimatedMinutesWatched: 1 },
      })),
    });
    expect(
      await reports.query(`
        SELECT insight_traffic_source_type AS source, views FROM channel_traffic_sources WHERE entity_key = '${site}' ORDER BY source`),
    ).toEqual(['BRAND_NEW', 'SHORTS', 'SUBSCRIBER'].map((source) => ({ source, views: 2 })));
  });

  test('show a count that the API gave as a fraction as unknown, never as zero', async () => {
    await publish(['2025-03-01'], () => ({ screenPageViews: 12.5 }), { flags: ['float_integer'] });
    expect(
      await reports.query(`SELECT screen_page_views FROM site_summary WHERE entity_key = '${site}'`),
    ).toEqual([{ screen_page_views: null }]);
  });

  test('have the latest title of a video, and the video where its title is gone', async () => {
    const item = { source: 'youtube', item_id: `${site}-v`, found: true, channel_id: 'UC1' };
    const fetchedAt = Date.now() * 1_000;
    await reports.pollOptions.append('video_metadata', [
      { ...item, title: 'Old', fetched_at: fetchedAt - 1_000_000 },
      { ...item, title: 'New', fetched_at: fetchedAt },
    ]);
    await publish(['2025-03-01'], () => ({}), {
      ...youtube,
      report: 'channel_videos',
      rows: [`${site}-v`, `${site}-gone`].map((video) => ({ dimensions: { video }, metrics: { views: 2 } })),
    });
    expect(
      await reports.query(
        `SELECT video_title FROM channel_videos WHERE entity_key = '${site}' ORDER BY video DESC`,
      ),
    ).toEqual([{ video_title: 'New' }, { video_title: null }]);
  });
});
