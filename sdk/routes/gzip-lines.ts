import { gzipSync } from 'node:zlib';

/**
 * Texts as lines, gzipped. They are written to one buffer that every call uses again, because the text of a whole
 * request is a large object to V8, which is collected late: that would cost a tenth of the memory of a busy process.
 */
export function gzipLines(texts: readonly string[], level: number): Uint8Array {
  let most = 0;
  for (const text of texts) most += text.length * bytesPerUnit + 1;
  if (most > lines.length) lines = Buffer.allocUnsafeSlow(most);
  let end = 0;
  for (const text of texts) {
    end += lines.write(text, end);
    lines[end++] = lineFeed;
  }
  return gzipSync(lines.subarray(0, end), { level });
}

/** UTF-8 takes 3 bytes at most for a UTF-16 unit. */
const bytesPerUnit = 3;
const lineFeed = 10;
let lines = Buffer.alloc(0);
