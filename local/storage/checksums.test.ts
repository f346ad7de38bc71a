import { CRC32C } from '@google-cloud/storage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeChecksums } from './checksums.ts';

test('the CRC32C of any bytes is the one that Google computes for them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const theirs = new CRC32C();
      theirs.update(Buffer.from(bytes));
      expect(computeChecksums(bytes).crc32c).toBe(theirs.toString());
    }),
  );
});
