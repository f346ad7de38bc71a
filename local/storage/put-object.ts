import type { BucketFields } from './bucket-fields.ts';
import { findBucket } from './buckets.ts';
import { type Checksums, checkChecksums, computeChecksums } from './checksums.ts';
import type { ObjectFields } from './object-fields.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { ObjectRow, Store } from './store.ts';

export interface NewObject {
  bucket: string;
  name: string;
  fields: ObjectFields;
  content: Uint8Array;
  conditions: Preconditions;
  /** What the client said of the content. */
  expected: Partial<Checksums>;
  /** Of how many parts it was composed; such an object has no MD5. */
  componentCount?: number;
}

/**
 * Stores the object in place of the one of that name. To be called inside `store.transact`: between looking at the
 * conditions and storing nothing else can happen, so of two writers with ifGenerationMatch=0 one finds the other's.
 */
export function putObject(store: Store, now: () => number, object: NewObject): ObjectRow {
  const bucket = findBucket(store, object.bucket);
  checkPreconditions(object.conditions, store.readObject(object.bucket, object.name));
  const checksums = computeChecksums(object.content);
  checkChecksums(object.expected, checksums);
  const { storageClass } = JSON.parse(bucket.fields) as BucketFields;
  const time = now();
  const row: ObjectRow = {
    bucket: object.bucket,
    name: object.name,
    generation: store.nextGeneration(),
    metageneration: 1,
    created: time,
    updated: time,
    size: object.content.length,
    crc32c: checksums.crc32c,
    md5Hash: object.componentCount === undefined ? checksums.md5Hash : null,
    componentCount: object.componentCount ?? null,
    fields: JSON.stringify({ storageClass, ...object.fields }),
  };
  store.putObject(row, object.content);
  return row;
}
