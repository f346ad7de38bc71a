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
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

function computeCrc32c(bytes: Uint8Array): string {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = TABLE[(remainder ^ byte) & 0xff]! ^ (remainder >>> 8);
  const result = Buffer.alloc(4);
  result.writeUInt32BE((remainder ^ 0xffffffff) >>> 0);
  return result.toString('base64');
}
