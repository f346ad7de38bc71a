import { findBucket } from './buckets.ts';
import { noSuchObject } from './errors.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { ObjectRow, Store } from './store.ts';

/**
 * The object, or 404 or 412 thrown. A generation other than the live one is not there: no bucket here has versions.
 */
export function findObject(
  store: Store,
  wanted: { bucket: string; name: string; generation?: bigint | undefined },
  conditions: Preconditions,
): ObjectRow {
  const { bucket, name, generation } = wanted;
  findBucket(store, bucket);
  const row = store.readObject(bucket, name);
  if (row === undefined) throw noSuchObject(bucket, name);
  if (generation !== undefined && generation !== BigInt(row.generation)) {
    throw noSuchObject(bucket, `${name}#${generation}`);
  }
  checkPreconditions(conditions, row);
  return row;
}
