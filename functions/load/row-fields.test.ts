import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { readRowFields } from './row-fields.ts';

const field = fc.tuple(
  fc.integer({ min: 1, max: 3_000 }),
  fc.oneof(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.uint8Array({ maxLength: 300 })),
);

function encode(fields: readonly (readonly [number, number | Uint8Array])[]): Buffer {
  const buffer = createRowBuffer();
  for (const [number, value] of fields) {
    if (typeof value === 'number') buffer.integer(number, value);
    else buffer.blob(number, value);
  }
  return buffer.bytes(0, buffer.length);
}

test('reads the last value of each wanted field', () => {
  fc.assert(
    fc.property(fc.array(field), fc.array(fc.integer({ min: 1, max: 3_000 })), (fields, wanted) => {
      const numbers = [...wanted, ...fields.slice(0, 3).map(([number]) => number)];
      const expected = new Map(fields.filter(([number]) => numbers.includes(number)));
      const plain = new Map(
        [...readRowFields(encode(fields), numbers)].map(([number, value]) => [
          number,
          typeof value === 'number' ? value : new Uint8Array(value),
        ]),
      );
      expect(plain).toEqual(expected);
    }),
  );
});

test('takes what it can of a row that breaks off, and never throws', () => {
  const bytes = encode([
    [3, Buffer.from('shop')],
    [14, 1_795_290_000_000_000],
    [23, Buffer.from('batch')],
  ]);
  for (let length = 0; length < bytes.length; length++) {
    const found = readRowFields(bytes.subarray(0, length), [3, 14, 23]);
    expect(found.has(3)).toBe(length >= 6);
    expect(found.has(23)).toBe(false);
  }
  fc.assert(
    fc.property(fc.uint8Array(), (row) => {
      readRowFields(row, [1, 2, 3]);
    }),
  );
});

test('leaves out a negative number, which a time of ours never is', () => {
  const buffer = createRowBuffer();
  buffer.integer(14, -1);
  buffer.string(3, 'shop');
  const found = readRowFields(buffer.bytes(0, buffer.length), [3, 14]);
  expect([...found.keys()]).toEqual([3]);
});
