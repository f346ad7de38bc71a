import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gzipLines } from './gzip-lines.ts';

test('every text is a line, whatever was written before', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 })), (texts) => {
      const expected = texts.map((text) => `${text}\n`).join('');
      expect(gunzipSync(gzipLines(texts, 1)).toString()).toBe(expected);
    }),
  );
});
