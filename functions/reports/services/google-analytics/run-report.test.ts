import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StartedServices, startServices } from '../start-for-test.ts';

const property = '300000001';
const quirky = '300000009';
const crowded = '300000010';
const day = '2026-06-07';
let started: StartedServices;

const configuration = (more: object = {}) => ({
  sites: [{ key: 'one', properties: [property, quirky, crowded].map((propertyId) => ({ propertyId })) }],
  ...more,
});

beforeAll(async () => {
  started = await startServices(
    {
      seed: 3,
      properties: [
        { id: property, host: 'www.example.com', timeZone: 'Europe/London', viewsPerHour: 20 },
        {
          id: quirky,
          host: 'www.example.org',
          timeZone: 'UTC',
          viewsPerHour: 20,
          thresholdUsers: 2,
          sampledOverEvents: 200,
          restrictedMetrics: [{ metric: 'totalRevenue', type: 'REVENUE_DATA' }],
        },
        { id: crowded, host: 'www.example.net', timeZone: 'UTC', viewsPerHour: 20, otherOverRows: 5 },
      ],
    },
    '2026-06-20T12:20:00Z',
    configuration(),
  );
});
afterAll(() => started.apis.close());
beforeEach(() => {
  started.apis.faults.clear();
  started.apis.clock.advance(24 * 3_600_000);
  started.calls.length = 0;
});

/** What the fake holds in the end, as our rows have it. */
function truth(dimensions: string[], metrics: string[], from = day) {
  const { rows } = started.apis.truthOf({ propertyId: property, from, to: day, dimensions, metrics });
  return new Map(rows.map((row) => [row.dimensions.join('|'), row.metrics.map(BigInt)]));
}

describe('a slice', () => {
  test('has every row of the truth, to the integer, however many pages it takes', async () => {
    const { analytics } = started.reopen(configuration({ googleAnalytics: { rowsPerRequest: 7 } }));
    const pulled = await started.pull(analytics, 'site_sources', day, property);
    const expected = truth(['sessionSourceMedium'], ['screenPageViews', 'totalUsers']);
    expect(expected.size).toBeGreaterThan(14);
    const rows = pulled.rows.map(({ dimensions, metrics }) => [
      dimensions.sessionSourceMedium,
      [metrics.screenPageViews, metrics.totalUsers],
    ]);
    expect(new Map(rows as [string, bigint[]][])).toEqual(expected);
    expect(pulled).toMatchObject({ reconciled: true, flags: [], timeZone: 'Europe/London' });
    expect(pulled.totals).toEqual({ screenPageViews: pulled.apiTotals.screenPageViews });
    expect(started.calls).toHaveLength(Math.ceil(expected.size / 7));
    expect(pulled.cost.requests).toBe(started.calls.length);
  });

  test('is the same, to its digest, from one page or from many', async () => {
    const { analytics: small } = started.reopen(configuration({ googleAnalytics: { rowsPerRequest: 40 } }));
    const one = await started.pull(started.analytics, 'site_articles', day, property);
    const many = await started.pull(small, 'site_articles', day, property);
    expect(many.digest).toBe(one.digest);
    expect(many.rows).toEqual(one.rows);
  });

  test('of a week has the users of the week, which are fewer than those of its days together', async () => {
    const week = await started.pull(started.analytics, 'site_users_weekly', day, property);
    const days = truth(['date'], ['totalUsers', 'screenPageViews'], '2026-06-01');
    const sums = [...days.values()].reduce(
      ([users = 0n, views = 0n], [more = 0n, seen = 0n]) => [users + more, views + seen],
      [0n, 0n],
    );
    expect(days.size).toBe(7);
    expect(week.rows[0]?.metrics.screenPageViews).toBe(sums[1]);
    expect(week.rows[0]?.metrics.totalUsers).toBeLessThan(sums[0] ?? 0n);
    expect(week.totals).not.toHaveProperty('totalUsers');
  });

  test('of countries names some and lets the API count the users of all others', async () => {
    const { analytics } = started.reopen(configuration({ maps: { countries: ['Germany', 'France'] } }));
    const pulled = await started.pull(analytics, 'site_countries', day, property);
    expect(pulled.rows.map(({ dimensions }) => dimensions.country)).toEqual([
      'France',
      'Germany',
      'Rest of the world',
    ]);
    const rest = pulled.rows[2]?.metrics;
    const all = truth([], ['screenPageViews']).get('')?.[0] ?? 0n;
    const named = truth(['country'], ['screenPageViews', 'totalUsers']);
    const [views = 0n] = ['Germany', 'France']
      .map((it) => named.get(it)?.[0] ?? 0n)
      .map((it, index, both) => (index === 0 ? it + (both[1] ?? 0n) : it));
    expect(rest?.screenPageViews).toBe(all - views);
    const summed = [...named]
      .filter(([name]) => !/^(Germany|France)$/.test(name))
      .reduce((sum, [, [, users = 0n]]) => sum + users, 0n);
    expect(rest?.totalUsers).toBeLessThanOrEqual(summed);
    expect(pulled.reconciled).toBe(true);
    // Both requests go in one call.
    expect(started.calls).toMatchObject([
      { method: 'batchRunReports', reports: ['site_countries', 'site_countries'] },
    ]);
  });

  test('of articles leaves out what is denied, and tells the article and AMP of each page', async () => {
    const pulled = await started.pull(started.analytics, 'site_articles', day, property);
    const paths = pulled.rows.map(({ dimensions }) => dimensions);
    expect(paths.some(({ pagePath }) => /^\/($|page\/|forum|search)/.test(pagePath ?? ''))).toBe(false);
    const amp = paths.find((it) => it.amp === 'AMP');
    expect(amp?.pagePath).toBe(`${amp?.article}/amp/`);
    const plain = paths.filter((it) => it.article === amp?.article);
    expect(plain.every(({ article = '' }) => !/[?#]|amp/.test(article))).toBe(true);
  });
});

describe('what a slice says of its quality', () => {
  test('is flagged: sampled, withheld, and that it does not add up to the total of the API', async () => {
    const pulled = await started.pull(started.analytics, 'site_sources', day, quirky);
    expect(pulled.flags).toEqual(['not_reconciled', 'sampled', 'thresholded']);
    expect(pulled.reconciled).toBe(false);
    expect(pulled.apiTotals.screenPageViews).not.toBe(pulled.totals.screenPageViews);
    expect(pulled.metadata).toHaveProperty('samplingMetadatas');
  });

  test('what Google rolled up into (other) is a row that is marked, and the slice is flagged', async () => {
    const pulled = await started.pull(started.analytics, 'site_sources', day, crowded);
    expect(pulled).toMatchObject({ flags: ['other_row'], reconciled: true });
    expect(pulled.rows.filter(({ isOther }) => isOther)).toMatchObject([
      { dimensions: { sessionSourceMedium: '(other)' } },
    ]);
    started.faults({ fault: 'other_date' });
    expect((await started.pull(started.analytics, 'site_devices', day, property)).flags).toEqual([
      'other_row',
    ]);
  });

  test('a metric that the account may not see is flagged as restricted', async () => {
    const report = {
      key: 'revenue',
      source: 'google_analytics',
      metrics: ['totalRevenue', 'screenPageViews'],
    };
    const { analytics } = started.reopen(configuration({ reports: [report] }));
    expect((await started.pull(analytics, 'revenue', day, quirky)).flags).toContain('restricted');
  });

  test('integers that come as floats are taken for what they are, and flagged', async () => {
    started.faults({ fault: 'float_integers' });
    const pulled = await started.pull(started.analytics, 'site_devices', day, property);
    const total = truth([], ['screenPageViews']).get('')?.[0];
    expect(pulled.totals.screenPageViews).toBe(total);
    expect(pulled).toMatchObject({ flags: ['float_integer'], reconciled: true });
  });

  test('an answer without rowCount is read to its short page', async () => {
    started.faults({ fault: 'no_row_count' });
    const { analytics } = started.reopen(configuration({ googleAnalytics: { rowsPerRequest: 7 } }));
    expect((await started.pull(analytics, 'site_sources', day, property)).reconciled).toBe(true);
  });

  test('pages that are shorter than asked for are paged by what came', async () => {
    started.faults({ fault: 'short_page' });
    const { analytics } = started.reopen(configuration({ googleAnalytics: { rowsPerRequest: 10 } }));
    const pulled = await started.pull(analytics, 'site_sources', day, property);
    expect(pulled.rows).toHaveLength(truth(['sessionSourceMedium'], ['screenPageViews']).size);
  });
});

describe('pages of two states of the data fail the slice, and nothing of it is taken', () => {
  test.each([
    ['row_count_changes', 'row_count_changed'],
    ['empty_page', 'empty_page'],
    ['duplicate_row', 'duplicate_key'],
    ['swapped_headers', 'header_mismatch'],
    ['row_count_without_rows', 'empty_page'],
  ] as const)('%s', async (fault, reason) => {
    started.faults({ fault });
    const { analytics } = started.reopen(configuration({ googleAnalytics: { rowsPerRequest: 7 } }));
    expect(await started.fail(analytics, 'site_sources', day, property)).toMatchObject({
      kind: 'transient',
      reason,
      alert: false,
      message: expect.stringContaining(`site_sources of property ${property} for ${day}`),
    });
  });
});

describe('slices of a batch', () => {
  test('go five requests a call, and the one that is wrong fails alone', async () => {
    const wrong = { key: 'wrong', source: 'google_analytics', metrics: ['screenPageVews'] };
    const { analytics } = started.reopen(configuration({ reports: [wrong] }));
    const keys = ['site_summary', 'wrong', 'site_sources', 'site_devices', 'site_articles'];
    const outcomes = await analytics.pull(
      keys.map((key) => started.slice(analytics, key, day, property)),
      started.context,
    );
    expect(outcomes.map(({ kind, slice }) => [slice.report.key, kind])).toEqual([
      ['site_summary', 'pulled'],
      ['wrong', 'failed'],
      ['site_sources', 'pulled'],
      ['site_devices', 'pulled'],
      ['site_articles', 'pulled'],
    ]);
    expect(outcomes[1]).toMatchObject({
      failure: { kind: 'broken_report', message: expect.stringMatching(/^Report wrong: .*screenPageVews/) },
    });
    // The batch was refused once, and its members asked one by one.
    expect(started.calls.map(({ method }) => method)).toEqual([
      'batchRunReports',
      ...Array.from({ length: 5 }, () => 'runReport'),
    ]);
  });

  test('that is good takes one call, and each slice has its share of the cost', async () => {
    const keys = ['site_summary', 'site_sources', 'site_devices', 'site_articles', 'site_social'];
    const outcomes = await started.analytics.pull(
      keys.map((key) => started.slice(started.analytics, key, day, property)),
      started.context,
    );
    expect(started.calls).toHaveLength(1);
    const costs = outcomes.map((it) => (it.kind === 'pulled' ? it.pulled.cost : null));
    expect(costs.map((it) => it?.calls)).toEqual([0.2, 0.2, 0.2, 0.2, 0.2]);
    expect(costs.reduce((sum, it) => sum + (it?.tokens ?? 0), 0)).toBe(started.calls[0]?.tokens);
    const [slice] = outcomes.map((it) => it.slice);
    if (slice === undefined) throw new Error('There is none.');
    // What it took is what it is expected to take the next time.
    expect(started.analytics.estimate(slice.report, slice.entity).tokens).toBe(costs[0]?.tokens);
  });
});
