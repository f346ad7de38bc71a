import type { analyticsdata_v1beta } from '@googleapis/analyticsdata';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusalOf, type Started, startForTest } from './start-for-test.ts';

type Report = analyticsdata_v1beta.Schema$RunReportResponse;

let started: Started;
const BUSY = '1';
const QUIET = '2';

beforeAll(async () => {
  started = await startForTest(
    {
      seed: 11,
      properties: [
        { id: BUSY, host: 'www.example.com', timeZone: 'Europe/London', viewsPerHour: 120 },
        { id: QUIET, host: 'quiet.example', timeZone: 'Asia/Kolkata', viewsPerHour: 3, shape: 'flat' },
        { id: '3', host: 'n', timeZone: 'UTC', viewsPerHour: 30, thresholdUsers: 12 },
        { id: '4', host: 'n', timeZone: 'UTC', viewsPerHour: 60, sampledOverEvents: 1000 },
        { id: '5', host: 'n', timeZone: 'UTC', viewsPerHour: 60, otherOverRows: 10 },
        {
          id: '6',
          host: 'n',
          timeZone: 'UTC',
          viewsPerHour: 60,
          restrictedMetrics: [{ metric: 'purchaseRevenue', type: 'REVENUE_DATA' }],
          floatIntegers: true,
        },
        { id: '7', host: 'n', timeZone: 'UTC', viewsPerHour: 60, zeroDays: ['2025-06-02'] },
        {
          id: '8',
          host: 'n',
          timeZone: 'UTC',
          viewsPerHour: 9,
          createdAt: '2025-05-20T10:00:00Z',
          deletedAt: '2025-07-01T00:00:00Z',
        },
      ],
    },
    '2025-06-10T12:00:00Z',
  );
});
afterAll(() => started.apis.close());

const day = (date: string) => [{ startDate: date, endDate: date }];
const named = (...names: string[]) => names.map((name) => ({ name }));

async function run(propertyId: string, requestBody: object): Promise<Report> {
  return (await started.data.properties.runReport({ property: `properties/${propertyId}`, requestBody }))
    .data;
}

const table = (report: Report) =>
  (report.rows ?? []).map((row) => [
    ...(row.dimensionValues ?? []).map(({ value }) => value),
    ...(row.metricValues ?? []).map(({ value }) => value),
  ]);

describe('a report', () => {
  test('has its headers, its rows as texts, its count, its zone and currency, and its kind', async () => {
    const report = await run(BUSY, {
      dateRanges: day('2025-06-02'),
      dimensions: named('date', 'deviceCategory'),
      metrics: named('screenPageViews', 'averageSessionDuration'),
      orderBys: [{ dimension: { dimensionName: 'deviceCategory' } }],
    });
    expect(report.kind).toBe('analyticsData#runReport');
    expect(report.dimensionHeaders).toEqual([{ name: 'date' }, { name: 'deviceCategory' }]);
    expect(report.metricHeaders).toEqual([
      { name: 'screenPageViews', type: 'TYPE_INTEGER' },
      { name: 'averageSessionDuration', type: 'TYPE_SECONDS' },
    ]);
    expect(report.metadata).toEqual({ currencyCode: 'USD', timeZone: 'Europe/London' });
    expect(report.rowCount).toBe(report.rows?.length);
    expect(table(report).map(([date, device]) => [date, device])).toEqual([
      ['20250602', 'desktop'],
      ['20250602', 'mobile'],
      ['20250602', 'smart tv'],
      ['20250602', 'tablet'],
    ]);
    for (const [, , views, seconds] of table(report)) {
      expect(views).toMatch(/^\d+$/);
      expect(seconds).toMatch(/^\d+(\.\d+)?$/);
    }
  });

  test('of a day without a hit has neither rows nor a count of them, and an empty total', async () => {
    const report = await run('7', {
      dateRanges: day('2025-06-02'),
      dimensions: named('country'),
      metrics: named('screenPageViews'),
      metricAggregations: ['TOTAL'],
      keepEmptyRows: true,
    });
    expect(report).not.toHaveProperty('rows');
    expect(report).not.toHaveProperty('rowCount');
    expect(report.totals).toEqual([{}]);
    expect(report.metadata).not.toHaveProperty('emptyReason');
  });

  test('comes in pages that together are the whole, in the order that was asked for', async () => {
    const request = {
      dateRanges: day('2025-06-02'),
      dimensions: named('pagePath', 'pageTitle'),
      metrics: named('screenPageViews'),
      orderBys: [{ dimension: { dimensionName: 'pagePath' } }, { dimension: { dimensionName: 'pageTitle' } }],
    };
    const whole = await run(BUSY, { ...request, limit: '250000' });
    const size = 100;
    const pages: ReturnType<typeof table> = [];
    for (let offset = 0; offset < (whole.rowCount ?? 0); offset += size) {
      const page = await run(BUSY, { ...request, limit: String(size), offset: String(offset) });
      expect(page.rowCount).toBe(whole.rowCount);
      pages.push(...table(page));
    }
    expect(whole.rowCount).toBeGreaterThan(200);
    expect(pages).toEqual(table(whole));
    const paths = pages.map(([path]) => String(path));
    expect(paths).toEqual([...paths].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  });

  test('adds views up to its total, and counts users and visits of the total anew', async () => {
    const report = await run(BUSY, {
      dateRanges: day('2025-06-02'),
      dimensions: named('pagePath'),
      metrics: named('screenPageViews', 'eventCount', 'sessions', 'totalUsers'),
      metricAggregations: ['TOTAL', 'MAXIMUM'],
      limit: '250000',
    });
    const sums = [0, 1, 2, 3].map((place) =>
      table(report).reduce((sum, row) => sum + Number(row[1 + place]), 0),
    );
    const total = report.totals?.[0];
    const [views, events, visits, users] = (total?.metricValues ?? []).map(({ value }) => Number(value));
    expect(total?.dimensionValues).toEqual([{ value: 'RESERVED_TOTAL' }]);
    expect(report.maximums?.[0]?.dimensionValues).toEqual([{ value: 'RESERVED_MAX' }]);
    expect(sums.slice(0, 2)).toEqual([views, events]);
    expect(sums[2]).toBeGreaterThan(Number(visits));
    expect(sums[3]).toBeGreaterThan(Number(users));
  });

  test('of two days has fewer users than the two days have together', async () => {
    const users = async (from: string, to: string) => {
      const report = await run(BUSY, {
        dateRanges: [{ startDate: from, endDate: to }],
        metrics: named('totalUsers'),
      });
      return Number(table(report)[0]?.[0]);
    };
    const [first, second, both] = await Promise.all([
      users('2025-06-02', '2025-06-02'),
      users('2025-06-03', '2025-06-03'),
      users('2025-06-02', '2025-06-03'),
    ]);
    expect(both).toBeGreaterThan(Math.max(first, second));
    expect(both).toBeLessThan(first + second);
  });

  test('filters by dimensions that it does not show, by metrics, and by not, and, or', async () => {
    const of = async (dimensionFilter: object) => {
      const report = await run(BUSY, {
        dateRanges: day('2025-06-02'),
        metrics: named('screenPageViews'),
        dimensionFilter,
      });
      return Number(table(report)[0]?.[0] ?? 0);
    };
    const mobile = { filter: { fieldName: 'deviceCategory', stringFilter: { value: 'MOBILE' } } };
    const english = { filter: { fieldName: 'countryId', inListFilter: { values: ['GB', 'US'] } } };
    const social = {
      filter: {
        fieldName: 'sessionSource',
        stringFilter: { matchType: 'FULL_REGEXP', value: '(m|l)\\.facebook\\.com' },
      },
    };
    const [all, isMobile, isEnglish, both, either] = await Promise.all([
      of({ notExpression: { filter: { fieldName: 'country', stringFilter: { value: 'Atlantis' } } } }),
      of(mobile),
      of(english),
      of({ andGroup: { expressions: [mobile, english] } }),
      of({ orGroup: { expressions: [mobile, english] } }),
    ]);
    expect(isMobile).toBeLessThan(all);
    expect(either).toBe(isMobile + isEnglish - both);
    expect(await of(social)).toBeGreaterThan(0);
    const most = await run(BUSY, {
      dateRanges: day('2025-06-02'),
      dimensions: named('country'),
      metrics: named('screenPageViews'),
      metricFilter: {
        filter: {
          fieldName: 'screenPageViews',
          numericFilter: { operation: 'GREATER_THAN', value: { int64Value: '100' } },
        },
      },
    });
    expect(table(most).every(([, views]) => Number(views) > 100)).toBe(true);
  });

  test('of several ranges tells them apart by name', async () => {
    const report = await run(BUSY, {
      dateRanges: [
        { startDate: '2025-06-02', endDate: '2025-06-02' },
        { startDate: '2025-06-01', endDate: '2025-06-01', name: 'before' },
      ],
      metrics: named('screenPageViews'),
      metricAggregations: ['TOTAL'],
    });
    expect(report.dimensionHeaders).toEqual([{ name: 'dateRange' }]);
    expect(
      table(report)
        .map(([range]) => range)
        .sort(),
    ).toEqual(['before', 'date_range_0']);
    expect(report.totals).toHaveLength(2);
  });

  test('knows pages with their query strings, as AMP, with one title for both', async () => {
    const report = await run(BUSY, {
      dateRanges: [{ startDate: '2025-06-01', endDate: '2025-06-03' }],
      dimensions: named('pagePath', 'pagePathPlusQueryString', 'pageTitle'),
      metrics: named('screenPageViews'),
      limit: '250000',
    });
    const rows = table(report);
    const amp = rows.find(([path]) => String(path).endsWith('/amp/'));
    const plain = rows.find(([path]) => `${path}/amp/` === amp?.[0]);
    expect(plain?.[2]).toBe(amp?.[2]);
    expect(rows.some(([path, full]) => path !== full && String(full).startsWith(`${path}?`))).toBe(true);
  });
});

describe('hours', () => {
  const labels = async (date: string, propertyId = BUSY) => {
    const report = await run(propertyId, {
      dateRanges: day(date),
      dimensions: named('dateHour'),
      metrics: named('eventCount'),
      orderBys: [{ dimension: { dimensionName: 'dateHour' } }],
    });
    return table(report).map(([label]) => String(label).slice(8));
  };

  test('are 23 labels when the clocks go forward and 24 when they go back, with twice the traffic in one', async () => {
    expect(await labels('2025-03-30')).toHaveLength(23);
    expect(await labels('2025-03-30')).not.toContain('01');
    started.apis.clock.set('2025-11-10T12:00:00Z');
    expect(await labels('2025-10-26')).toHaveLength(24);
    started.apis.clock.set('2025-06-10T12:00:00Z');
  });

  test('of a quiet property are missing where nobody came, even when empty rows are kept', async () => {
    const seen = await labels('2025-06-01', QUIET);
    expect(seen.length).toBeLessThan(24);
    expect(seen.length).toBeGreaterThan(10);
  });

  test('of a zone at half past begin at half past', () => {
    const first = started.apis.truthOf({
      propertyId: QUIET,
      from: '2025-06-02',
      to: '2025-06-02',
      dimensions: [],
      metrics: ['eventCount'],
    });
    expect(first.hits).toBeGreaterThan(0);
    // India's second of June begins at 18:30 on the first, so that its first hour has nothing to show an hour later.
    const changes = started.apis.changesOf(QUIET, '2025-06-02');
    expect(Math.min(...changes)).toBeGreaterThan(Date.parse('2025-06-01T19:30:00Z'));
  });
});

describe('what bends a report is told', () => {
  test('withheld rows: the flag, and totals over what is withheld too', async () => {
    const report = await run('3', {
      dateRanges: day('2025-06-02'),
      dimensions: named('sessionSource'),
      metrics: named('screenPageViews'),
      metricAggregations: ['TOTAL'],
    });
    expect(report.metadata?.subjectToThresholding).toBe(true);
    const sum = table(report).reduce((it, [, views]) => it + Number(views), 0);
    expect(sum).toBeLessThan(Number(report.totals?.[0]?.metricValues?.[0]?.value));
  });

  test('a sample: how much was read, of how much', async () => {
    const report = await run('4', { dateRanges: day('2025-06-02'), metrics: named('eventCount') });
    const [sample] = report.metadata?.samplingMetadatas ?? [];
    expect(Number(sample?.samplesReadCount)).toBeLessThan(Number(sample?.samplingSpaceSize));
    expect(Number(table(report)[0]?.[0])).toBe(Number(sample?.samplingSpaceSize));
  });

  test('too many rows: the rest in one named (other)', async () => {
    const report = await run('5', {
      dateRanges: day('2025-06-02'),
      dimensions: named('pagePath'),
      metrics: named('screenPageViews'),
      metricAggregations: ['TOTAL'],
    });
    expect(report.metadata?.dataLossFromOtherRow).toBe(true);
    expect(report.rowCount).toBe(10);
    expect(table(report).map(([path]) => path)).toContain('(other)');
    const sum = table(report).reduce((it, [, views]) => it + Number(views), 0);
    expect(String(sum)).toBe(report.totals?.[0]?.metricValues?.[0]?.value);
  });

  test('a metric that the role may not see: zeros and the restriction; integers that come as floats', async () => {
    const report = await run('6', {
      dateRanges: day('2025-06-02'),
      metrics: named('purchaseRevenue', 'screenPageViews'),
    });
    expect(report.metadata?.schemaRestrictionResponse?.activeMetricRestrictions).toEqual([
      { metricName: 'purchaseRevenue', restrictedMetricTypes: ['REVENUE_DATA'] },
    ]);
    expect(table(report)[0]?.[0]).toBe('0');
    expect(table(report)[0]?.[1]).toMatch(/^\d+\.0$/);
  });
});

test('a property is refused before it is created, once it is deleted, and when there is none', async () => {
  const request = { dateRanges: day('2025-06-02'), metrics: named('eventCount') };
  expect(table(await run('8', request))).toHaveLength(1);
  for (const now of ['2025-05-20T09:59:00Z', '2025-07-01T00:00:00Z']) {
    started.apis.clock.set(now);
    expect(await refusalOf(run('8', request))).toMatchObject({ status: 403, reason: 'PERMISSION_DENIED' });
  }
  started.apis.clock.set('2025-06-10T12:00:00Z');
  expect(await refusalOf(run('99', request))).toMatchObject({ status: 403 });
});

describe('what is shown', () => {
  const query = { propertyId: BUSY, from: '2025-06-05', to: '2025-06-05' };

  test('is the truth as of the moment, for any fields', async () => {
    const fields = ['country', 'pagePath', 'sessionSourceMedium', 'deviceCategory', 'hour', 'pageReferrer'];
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...fields), { maxLength: 3 }),
        fc.integer({ min: 0, max: 40 }),
        async (dimensions, hours) => {
          const at = new Date(Date.parse('2025-06-05T08:00:00Z') + hours * 3_600_000);
          started.apis.clock.set(at);
          const report = await run(BUSY, {
            dateRanges: day('2025-06-05'),
            dimensions: named(...dimensions),
            metrics: named('screenPageViews', 'sessions'),
            limit: '250000',
          });
          const truth = started.apis.truthOf({
            ...query,
            dimensions,
            metrics: ['screenPageViews', 'sessions'],
            at,
          });
          const rows = truth.rows
            .filter(({ metrics }) => metrics.some((value) => value !== 0))
            .map((row) => [...row.dimensions, ...row.metrics.map(String)]);
          expect(table(report).map(String).sort()).toEqual(rows.map(String).sort());
        },
      ),
      { numRuns: 15 },
    );
    started.apis.clock.set('2025-06-10T12:00:00Z');
  });

  test('grows hour by hour to the final truth, and stays it from the last change on', () => {
    const ask = (at?: Date) =>
      started.apis.truthOf({ ...query, dimensions: [], metrics: ['screenPageViews'], ...(at ? { at } : {}) })
        .totals[0] ?? 0;
    const changes = started.apis.changesOf(BUSY, '2025-06-05');
    const [first = 0, last = 0] = [changes[0], changes.at(-1)];
    expect(ask(new Date(first - 1))).toBe(0);
    expect(ask(new Date(first))).toBeGreaterThan(0);
    expect(ask(new Date(last))).toBe(ask());
    expect(changes.length).toBeGreaterThan(40);
  });
});
