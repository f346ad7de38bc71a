import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawDelay, readRetryAfter } from './retry.ts';

const settings = { backoffMs: 100, backoffCeilingMs: 30_000, retryAfterCeilingMs: 300_000 };

test('the delay is anywhere below a time that doubles with each failure, up to the ceiling', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), (failures) => {
      const delay = drawDelay(failures, 0, settings);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(Math.min(30_000, 100 * 2 ** (failures - 1)));
    }),
  );
  const drawn = Array.from({ length: 2000 }, () => drawDelay(4, 0, settings));
  expect(Math.min(...drawn)).toBeLessThan(80);
  expect(Math.max(...drawn)).toBeGreaterThan(720);
});

test('what the server asks for passes first, up to its ceiling', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000 }), (asked) => {
      const delay = drawDelay(1, asked, settings) - Math.min(asked, 300_000);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(100);
    }),
  );
});

test.each([
  [undefined, 0],
  ['', 0],
  ['120', 120_000],
  [' 2 ', 2000],
  ['soon', 0],
  ['-5', 0],
  ['Sun, 22 Nov 2026 00:00:10 GMT', 10_000],
  ['Sun, 22 Nov 2026 00:00:00 GMT', 0],
  ['Sat, 21 Nov 2026 00:00:00 GMT', 0],
])('Retry-After: %j is %i ms', (header, expected) => {
  expect(readRetryAfter(header, Date.parse('2026-11-22T00:00:00Z'))).toBe(expected);
});
