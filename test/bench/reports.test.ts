import { expect, test } from 'vitest';
import { compareCalls, isGoodEnough, type TableCalls } from './reports/compare-calls.ts';

// `npm run bench:reports` in small: the first day of one site and two channels, without a ladder yet.
test('each call of the shipped reports is counted, a day of a site takes two, and no quota is used up', async () => {
  const compared = await compareCalls({ sites: 1, channels: 2, days: 1, warmUpDays: 0 });
  const tables = new Map(compared.tables.map((table) => [table.table, table]));
  const sum = (column: 'calls' | 'requests', ...names: string[]) =>
    names.reduce((total, name) => total + (tables.get(name) as TableCalls)[column], 0);

  const ofSites = [
    'site summary',
    'articles',
    'countries',
    'sources and media',
    'referrers',
    'social networks',
  ];
  const days = sum('requests', 'site summary');
  expect(days).toBeGreaterThan(7);
  expect(sum('requests', ...ofSites)).toBe(8 * days);
  // Two for nine with the devices, the second filled up with days that are read together, and one for the month's devices.
  expect(sum('calls', ...ofSites, 'devices')).toBeLessThanOrEqual(2 * days + 1);
  expect(sum('calls', 'channel stats')).toBeLessThan(sum('requests', 'channel stats'));
  expect(sum('calls', 'is the day complete?')).toBeLessThan(24 * 2);

  expect(tables.get('countries')).toMatchObject({ statsdash: 6, reread: 13 });
  expect(compared).toMatchObject({ refused: 0, size: { properties: 1, channels: 2 } });
  expect(compared.buckets.map(({ bucket }) => bucket)).toContain('Google Analytics tokensPerProjectPerHour');
  expect(compared.buckets.every(({ used, limit }) => used < limit)).toBe(true);
  expect(isGoodEnough({ ...compared, ratio: 2.9 })).toBe(false);
  expect(isGoodEnough({ ...compared, ratio: 3, refused: 1 })).toBe(false);
  expect(isGoodEnough({ ...compared, ratio: 3 })).toBe(true);
});
