import type { BucketFields } from './bucket-fields.ts';
import type { ObjectFields } from './object-fields.ts';
import type { BucketRow, ObjectRow } from './store.ts';

/** The resource of https://cloud.google.com/storage/docs/json_api/v1/objects#resource. */
export function describeObject(row: ObjectRow, origin: string): object {
  const { storageClass, ...fields } = JSON.parse(row.fields) as ObjectFields;
  const path = `b/${row.bucket}/o/${encodeURIComponent(row.name)}`;
  return {
    kind: 'storage#object',
    id: `${row.bucket}/${row.name}/${row.generation}`,
    selfLink: `${origin}/storage/v1/${path}`,
    mediaLink: `${origin}/download/storage/v1/${path}?generation=${row.generation}&alt=media`,
    name: row.name,
    bucket: row.bucket,
    generation: String(row.generation),
    metageneration: String(row.metageneration),
    ...fields,
    storageClass,
    size: String(row.size),
    ...(row.md5Hash === null ? {} : { md5Hash: row.md5Hash }),
    crc32c: row.crc32c,
    etag: encodeEtag(row),
    timeCreated: new Date(row.created).toISOString(),
    updated: new Date(row.updated).toISOString(),
    timeStorageClassUpdated: new Date(row.created).toISOString(),
    timeFinalized: new Date(row.created).toISOString(),
    ...(row.componentCount === null ? {} : { componentCount: row.componentCount }),
  };
}

/** The resource of https://cloud.google.com/storage/docs/json_api/v1/buckets#resource. */
export function describeBucket(row: BucketRow, origin: string): object {
  const fields = JSON.parse(row.fields) as BucketFields;
  return {
    kind: 'storage#bucket',
    id: row.name,
    selfLink: `${origin}/storage/v1/b/${row.name}`,
    name: row.name,
    projectNumber: '0',
    generation: String(row.created * 1000),
    metageneration: String(row.metageneration),
    locationType: /^(US|EU|ASIA)$/.test(fields.location) ? 'multi-region' : 'region',
    ...fields,
    etag: encodeEtag({ metageneration: row.metageneration }),
    timeCreated: new Date(row.created).toISOString(),
    updated: new Date(row.updated).toISOString(),
  };
}

/** Generation and metageneration as the base64 of a protobuf, the form Cloud Storage's own etags have. */
export function encodeEtag({ generation, metageneration }: { generation?: number; metageneration: number }) {
  const bytes: number[] = [];
  const add = (tag: number, value: number) => {
    bytes.push(tag);
    let rest = BigInt(value);
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
  };
  if (generation === undefined) add(0x08, metageneration);
  else {
    add(0x08, generation);
    add(0x10, metageneration);
  }
  return Buffer.from(bytes).toString('base64');
}
