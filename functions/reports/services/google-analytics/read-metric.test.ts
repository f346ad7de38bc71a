import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readMetric } from './read-metric.ts';

test('an integer is read to its last digit, however long', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      expect(readMetric(String(value), 'TYPE_INTEGER')).toEqual({ value, isFloatInteger: false });
      expect(readMetric(`${value}.0`, 'TYPE_INTEGER')).toEqual({ value, isFloatInteger: true });
    }),
  );
});

test('a fraction is the double that was written, and never rounded to an integer', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(readMetric(String(value), 'TYPE_FLOAT')?.value).toBe(Object.is(value, -0) ? 0 : value);
    }),
  );
  expect(readMetric('7.5', 'TYPE_INTEGER')).toEqual({ value: 7.5, isFloatInteger: true });
  expect(readMetric('61.25', 'TYPE_SECONDS')).toEqual({ value: 61.25, isFloatInteger: false });
  expect(readMetric('61', 'TYPE_SECONDS')).toEqual({ value: 61n, isFloatInteger: false });
});

test.each(['', '(not set)', 'NaN', 'Infinity', '1,000', '0x10', '1e999'])('%j is no number', (text) => {
  expect(readMetric(text, 'TYPE_INTEGER')).toBeUndefined();
});
