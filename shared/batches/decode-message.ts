import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Message } from '../google/pubsub-publisher.ts';
import { decodeEventBatch, type EventBatch } from '../warehouse/event-batch.ts';
import { currentSchemaVersion, schemaVersions } from '../warehouse/schema-versions.ts';

export type DecodedMessage =
  | { readonly kind: 'batch'; readonly schemaVersion: number; readonly batch: EventBatch }
  /** An ingest that was deployed after this function wrote it. */
  | { readonly kind: 'newer_schema_version'; readonly schemaVersion: number }
  /** Not a message of ours; `detail` says why, without quoting it. */
  | { readonly kind: 'undecodable'; readonly detail: string };

/** What a message may inflate to. Ingest writes less than 1 MB; anything far above is not from there. */
const maxInflatedBytes = 32 * 1024 * 1024;

/** Undoes the compression and slices the rows out, without looking into them. */
export function decodeMessage({ data, attributes }: Message): DecodedMessage {
  const { schema_version: version = '', encoding = '' } = attributes;
  if (!/^[1-9]\d{0,8}$/.test(version)) return undecodable('schema_version is not a version');
  const schemaVersion = Number(version);
  if (!schemaVersions.some((known) => known.version === schemaVersion)) {
    return schemaVersion > currentSchemaVersion
      ? { kind: 'newer_schema_version', schemaVersion }
      : undecodable('schema_version was never written');
  }
  const inflate = inflaters.get(encoding);
  if (inflate === undefined) return undecodable('encoding is not zstd, gzip or identity');
  try {
    return { kind: 'batch', schemaVersion, batch: decodeEventBatch(inflate(data)) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = 'code' in error ? `${error.code} ` : '';
    return undecodable(`${code}${error.message}`);
  }
}

// Synchronous: a batch takes a fraction of a millisecond, and the thread pool would cost more CPU than it saves.
const inflaters = new Map<string, (data: Buffer) => Buffer>([
  ['zstd', (data) => zstdDecompressSync(data, inflateOptions(readZstdSize(data)))],
  [
    'gzip',
    (data) => gunzipSync(data, inflateOptions(data.length < 4 ? 0 : data.readUInt32LE(data.length - 4))),
  ],
  ['identity', (data) => data],
]);

/** With the size that the data claims, its output is one buffer of that size and nothing is copied together. */
function inflateOptions(claimedBytes: number): { maxOutputLength: number; chunkSize: number } {
  const chunkSize = Math.min(Math.max(claimedBytes + 1, 1_024), 2 * 1024 * 1024);
  return { maxOutputLength: maxInflatedBytes, chunkSize };
}

/** The Frame_Content_Size of RFC 8878, section 3.1.1.1; a guess where the frame has none. */
function readZstdSize(data: Buffer): number {
  const descriptor = data[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const start = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >> 6;
  if (data.length < start + 4) return 0;
  if (sizeFlag === 0) return isSingleSegment ? data[start]! : data.length * 8;
  return sizeFlag === 1 ? data.readUInt16LE(start) + 256 : data.readUInt32LE(start);
}

const undecodable = (detail: string): DecodedMessage => ({ kind: 'undecodable', detail });
