import { gunzipSync } from 'node:zlib';

/**
 * Inflates gzip to `maximumBytes` at the most; throws what zlib throws, ERR_BUFFER_TOO_LARGE where it would be more.
 *
 * Node inflates into chunks of 16 KB. With one of the size that the data claims nothing is copied together, and less
 * memory waits to be collected; what claims to be large gets larger chunks, but none that its claim alone makes dear.
 */
export const gunzip = (bytes: Buffer, maximumBytes: number): Buffer =>
  gunzipSync(bytes, { maxOutputLength: maximumBytes, chunkSize: chunkSizeOf(claimedBytes(bytes)) });

/** One byte more, in which zlib sees that it is done. */
const chunkSizeOf = (bytes: number): number => Math.min(Math.max(bytes + 1, 1024), 256 * 1024);

/** ISIZE of RFC 1952, section 2.3.1: the length, modulo 4 GiB, of the last member. */
const claimedBytes = (bytes: Buffer): number => (bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4));
