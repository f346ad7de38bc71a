import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gunzip } from './gunzip.ts';

const mebibyte = 1024 * 1024;

test('what was compressed is as it was, of whatever length', () => {
  const lengths = fc.integer({ min: 0, max: mebibyte });
  fc.assert(
    fc.property(lengths, (length) => {
      const bytes = Buffer.concat([randomBytes(Math.min(length, 5000)), Buffer.alloc(length)], length);
      expect(gunzip(gzipSync(bytes), mebibyte).equals(bytes)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('of several members, of which only the last says its length, none is lost', () => {
  const members = [Buffer.alloc(50_000, 'a'), Buffer.alloc(50_000, 'b'), Buffer.from('c')];
  const gzip = Buffer.concat(members.map((member) => gzipSync(member)));
  expect(gunzip(gzip, mebibyte).equals(Buffer.concat(members))).toBe(true);
});

test('what would be more than the bound is refused, whatever it claims to be', () => {
  const gzip = gzipSync(Buffer.alloc(2 * mebibyte));
  for (const claimed of [0, 1, 0xffff_ffff]) {
    gzip.writeUInt32LE(claimed, gzip.length - 4);
    expect(() => gunzip(gzip, mebibyte)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }));
  }
});

test('what is no gzip, or only its beginning, is refused as zlib refuses it', () => {
  const gzip = gzipSync('some text');
  expect(() => gunzip(gzip.subarray(0, 3), 100)).toThrow(expect.objectContaining({ code: 'Z_BUF_ERROR' }));
  expect(() => gunzip(gzip.subarray(0, -4), 100)).toThrow(expect.objectContaining({ code: 'Z_BUF_ERROR' }));
  expect(() => gunzip(Buffer.from('no gzip'), 100)).toThrow(
    expect.objectContaining({ code: 'Z_DATA_ERROR' }),
  );
});
