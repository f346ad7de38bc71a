import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusalOf, type Started, startForTest } from '../start-for-test.ts';

let started: Started;
const BUSY = '1';
const QUIET = '2';

beforeAll(async () => {
  started = await startForTest(
    {
      seed: 11,
      properties: [
        { id: BUSY, host: 'www.example.com', timeZone: 'Europe/London', viewsPerHour: 60 },
        { id: QUIET, host: 'quiet.example', timeZone: 'UTC', viewsPerHour: 3 },
        {
          id: '6',
          host: 'n',
          timeZone: 'UTC',
          viewsPerHour: 60,
          restrictedMetrics: [{ metric: 'purchaseRevenue', type: 'REVENUE_DATA' }],
        },
      ],
    },
    '2025-06-10T12:00:00Z',
  );
});
afterAll(() => started.apis.close());

const day = (date: string) => [{ startDate: date, endDate: date }];
const named = (...names: string[]) => names.map((name) => ({ name }));
const run = (propertyId: string, requestBody: object) =>
  started.data.properties.runReport({ property: `properties/${propertyId}`, requestBody });

describe('the limits of a request', () => {
  const base = { dateRanges: day('2025-06-02'), metrics: named('eventCount') };
  test.each([
    ['ten dimensions', { ...base, dimensions: named(...'abcdefghij') }, 'limited to 9 dimensions'],
    ['eleven metrics', { ...base, metrics: named(...'abcdefghijk') }, 'limited to 10 metrics'],
    ['five ranges', { ...base, dateRanges: Array(5).fill(base.dateRanges[0]) }, 'limited to 4 date ranges'],
    ['no range', { metrics: named('eventCount') }, 'dateRange'],
    ['an unknown metric', { ...base, metrics: named('pageviews') }, 'Field pageviews is not a valid metric.'],
    ['an unknown dimension', { ...base, dimensions: named('socialNetwork') }, 'is not a valid dimension'],
    ['a date that is none', { ...base, dateRanges: day('2025-02-30') }, '2025-02-30'],
    [
      'an end before its start',
      { ...base, dateRanges: [{ startDate: '2025-06-02', endDate: '2025-06-01' }] },
      'after',
    ],
    ['an unknown name', { ...base, dimension: [] }, 'Unknown name "dimension": Cannot find field.'],
    ['an order by another field', { ...base, orderBys: [{ metric: { metricName: 'sessions' } }] }, 'OrderBy'],
    ['fields that do not go together', { ...base, dimensions: named('itemName') }, 'Please remove itemName'],
    [
      'an empty list',
      { ...base, dimensionFilter: { filter: { fieldName: 'country', inListFilter: { values: [] } } } },
      'non-empty',
    ],
  ])('%s is refused', async (_, requestBody, words) => {
    const refused = await refusalOf(run(BUSY, requestBody));
    expect(refused).toMatchObject({ status: 400, reason: 'INVALID_ARGUMENT' });
    expect(refused.message).toContain(words);
  });

  test('a batch has up to five reports, all of its property', async () => {
    const batch = (requests: object[]) =>
      started.data.properties.batchRunReports({ property: `properties/${BUSY}`, requestBody: { requests } });
    const { data } = await batch(Array(5).fill({ ...base, returnPropertyQuota: true }));
    expect(data.kind).toBe('analyticsData#batchRunReports');
    expect(data.reports).toHaveLength(5);
    const left = (data.reports ?? []).map((it) => it.propertyQuota?.tokensPerDay?.remaining ?? 0);
    expect(left).toEqual([...left].sort((a, b) => b - a));
    expect(await refusalOf(batch(Array(6).fill(base)))).toMatchObject({ status: 400 });
    const other = await refusalOf(batch([base, { ...base, property: `properties/${QUIET}` }]));
    expect(other.message).toContain('same property');
  });
});

describe('fields', () => {
  test('are described, with their types', async () => {
    const { data } = await started.data.properties.getMetadata({ name: 'properties/6/metadata' });
    const metric = (name: string) => data.metrics?.find(({ apiName }) => apiName === name);
    expect(data.name).toBe('properties/6/metadata');
    expect(metric('screenPageViews')).toMatchObject({ type: 'TYPE_INTEGER', uiName: 'Screen page views' });
    expect(metric('purchaseRevenue')?.blockedReasons).toEqual(['NO_REVENUE_METRICS']);
    expect(data.dimensions?.map(({ apiName }) => apiName)).toContain('sessionSourceMedium');
  });

  test('are told compatible or not', async () => {
    const { data } = await started.data.properties.checkCompatibility({
      property: `properties/${BUSY}`,
      requestBody: {
        dimensions: named('itemName'),
        metrics: named('screenPageViews'),
        compatibilityFilter: 'INCOMPATIBLE',
      },
    });
    expect(data.metricCompatibilities?.map((it) => it.metricMetadata?.apiName)).toContain('screenPageViews');
  });
});
