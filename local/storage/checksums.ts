import { createHash } from 'node:crypto';
import { invalid } from './errors.ts';

/** Base64, as in the object resource: the CRC32C big-endian. */
export interface Checksums {
  crc32c: string;
  md5Hash: string;
}

export function computeChecksums(bytes: Uint8Array): Checksums {
  return { crc32c: computeCrc32c(bytes), md5Hash: createHash('md5').update(bytes).digest('base64') };
}

/** Answers 400 when the client sent a checksum that is not that of the data, as Cloud Storage does. */
export function checkChecksums(expected: Partial<Checksums>, found: Checksums): void {
  if (expected.crc32c !== undefined && expected.crc32c !== found.crc32c) {
    throw invalid(`Provided CRC32C "${expected.crc32c}" doesn't match calculated CRC32C "${found.crc32c}".`);
  }
  if (expected.md5Hash !== undefined && expected.md5Hash !== found.md5Hash) {
    throw invalid(
      `Provided MD5 hash "${expected.md5Hash}" doesn't match calculated MD5 hash "${found.md5Hash}".`,
    );
  }
}

/** Reads `X-Goog-Hash: crc32c=...,md5=...`. */
export function readHashHeader(header: string | string[] | undefined): Partial<Checksums> {
  const checksums: Partial<Checksums> = {};
  for (const part of String(header ?? '').split(',')) {
    const [, algorithm, value] = /^\s*(crc32c|md5)=(.*?)\s*$/.exec(part) ?? [];
    if (value === undefined) continue;
    checksums[algorithm === 'crc32c' ? 'crc32c' : 'md5Hash'] = value;
  }
  return checksums;
}

// The Castagnoli polynomial, reflected (RFC 3720, appendix B.4).
const POLYNOMIAL = 0x82f63b78;

/** At [n * 256 + byte]: what the byte does to the remainder once n more bytes have come after it. */
const TABLE = createTable();

function createTable(): Uint32Array {
  const table = new Uint32Array(8 * 256);
  for (let index = 0; index < table.length; index++) {
    let value = index < 256 ? index : table[index - 256]!;
    if (index < 256) {
      for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    } else value = table[value & 0xff]! ^ (value >>> 8);
    table[index] = value;
  }
  return table;
}

/** Eight bytes a step, since an object may have 64 MB and everybody waits meanwhile. */
function computeCrc32c(bytes: Uint8Array): string {
  let remainder = 0xffffffff;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    remainder ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    remainder =
      TABLE[0x700 + (remainder & 0xff)]! ^
      TABLE[0x600 + ((remainder >>> 8) & 0xff)]! ^
      TABLE[0x500 + ((remainder >>> 16) & 0xff)]! ^
      TABLE[0x400 + (remainder >>> 24)]! ^
      TABLE[0x300 + bytes[at + 4]!]! ^
      TABLE[0x200 + bytes[at + 5]!]! ^
      TABLE[0x100 + bytes[at + 6]!]! ^
      TABLE[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) remainder = TABLE[(remainder ^ bytes[at]!) & 0xff]! ^ (remainder >>> 8);
  const result = Buffer.alloc(4);
  result.writeUInt32BE((remainder ^ 0xffffffff) >>> 0);
  return result.toString('base64');
}
