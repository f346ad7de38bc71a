import { gzipSync, zstdCompressSync } from 'node:zlib';

/** A body as Node sends it, with the `Content-Encoding` that says so. */
export interface CompressedBody {
  readonly body: Buffer;
  readonly encoding: 'gzip' | 'zstd';
}

/** `body`: what `encodeEvents` wrote. zstd is quicker and smaller, gzip is what every proxy knows. */
export const compressBody = (body: string, encoding: CompressedBody['encoding']): CompressedBody => ({
  body: encoding === 'gzip' ? gzipSync(body) : zstdCompressSync(body),
  encoding,
});
