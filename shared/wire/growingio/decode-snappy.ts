/**
 * How long the content of a raw snappy block is, where the bytes are one to the last bit: every element inside, and as
 * many bytes written as the block claims. Undefined for anything else. Nothing is allocated, and the time it takes
 * depends on the bytes alone, whatever they claim. `key`: with which every byte is XORed.
 *
 * Written after the format description of google/snappy. The packages for JavaScript believe the lengths they read; one
 * of them never ends where a literal says that it is negative.
 */
export const measureSnappy = (bytes: Buffer, key = 0): number | undefined => walk(bytes, key, undefined);

/** The content of what `measureSnappy` found to be a block of this length. */
export function decodeSnappy(bytes: Buffer, length: number): Buffer {
  const content = Buffer.allocUnsafe(length);
  walk(bytes, 0, content);
  return content;
}

function walk(bytes: Buffer, key: number, content: Buffer | undefined): number | undefined {
  const end = bytes.length;
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) return undefined;
    const byte = (bytes[at++] as number) ^ key;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  let written = 0;
  while (at < end) {
    const tag = (bytes[at++] as number) ^ key;
    const type = tag & 3;
    if (type === 0) {
      let size = (tag >>> 2) + 1;
      if (size > 60) {
        const extra = size - 60;
        if (at + extra > end) return undefined;
        size = readLittleEndian(bytes, at, extra, key) + 1;
        at += extra;
      }
      if (at + size > end || written + size > length) return undefined;
      content?.set(bytes.subarray(at, at + size), written);
      at += size;
      written += size;
    } else {
      const extra = type === 3 ? 4 : type;
      if (at + extra > end) return undefined;
      const size = type === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const low = readLittleEndian(bytes, at, extra, key);
      const offset = type === 1 ? ((tag >>> 5) << 8) | low : low;
      at += extra;
      if (offset === 0 || offset > written || written + size > length) return undefined;
      // Byte by byte, since what is copied may be what this copy writes.
      if (content !== undefined) {
        for (let to = written; to < written + size; to++) content[to] = content[to - offset] as number;
      }
      written += size;
    }
  }
  return written === length ? length : undefined;
}

function readLittleEndian(bytes: Buffer, at: number, size: number, key: number): number {
  let value = 0;
  for (let index = 0; index < size; index++)
    value += ((bytes[at + index] as number) ^ key) * 2 ** (8 * index);
  return value;
}
