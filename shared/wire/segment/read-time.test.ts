import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTime } from './read-time.ts';

describe('a time', () => {
  test.each([
    ['2026-11-21T12:34:56.789Z', '2026-11-21T12:34:56.789Z', 0],
    ['2026-11-21T12:34:56.789123Z', '2026-11-21T12:34:56.789Z', 123],
    ['2026-11-21T12:34:56.7891239Z', '2026-11-21T12:34:56.789Z', 123],
    ['2026-11-21T12:34:56.5+01:30', '2026-11-21T11:04:56.500Z', 0],
    ['2026-11-21T12:34:56-0800', '2026-11-21T20:34:56.000Z', 0],
    ['2026-11-21T12:34:56+02', '2026-11-21T10:34:56.000Z', 0],
    ['2026-11-21 12:34:56', '2026-11-21T12:34:56.000Z', 0],
    ['2026-11-21T12:34', '2026-11-21T12:34:00.000Z', 0],
    ['2026-11-21', '2026-11-21T00:00:00.000Z', 0],
    ['2024-02-29T23:59:60Z', '2024-03-01T00:00:00.000Z', 0],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999Z', 999],
  ])('%s is read to the microsecond', (text, iso, micros) => {
    expect(readTime(text)).toBe(Date.parse(iso) * 1000 + micros);
  });

  test.each([
    '',
    'now',
    '2026-02-30T00:00:00Z',
    '2026-13-01',
    '2026-00-10',
    '2026-11-21T24:00:00Z',
    '2026-11-21T12:60:00Z',
    '2026-11-21T12:00:61Z',
    '2026-11-21T12:00:00+25:00',
    'Sat, 21 Nov 2026 12:34:56 GMT',
    ' 2026-11-21T12:34:56Z',
    '2026-11-21T12:34:56Z ',
  ])('%j is none', (text) => {
    expect(readTime(text)).toBeUndefined();
  });

  test('is what JavaScript writes, for every instant of four-digit years', () => {
    const dates = fc.date({
      min: new Date('0101-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(fc.property(dates, (date) => readTime(date.toISOString()) === date.getTime() * 1000));
  });
});
