import type { Answer, Call, Route } from './api.ts';
import { applyBucketFields, type BucketFields, DEFAULT_FIELDS } from './bucket-fields.ts';
import { conflict, invalid, noSuchBucket } from './errors.ts';
import { checkBucketName } from './names.ts';
import { readPageSize, readRequired } from './parameters.ts';
import { checkPreconditions, readPreconditions } from './preconditions.ts';
import { readJson } from './read-body.ts';
import { describeBucket } from './resources.ts';
import type { BucketRow, Store } from './store.ts';

const CONDITIONS = ['ifMetagenerationMatch', 'ifMetagenerationNotMatch'];

/** https://cloud.google.com/storage/docs/json_api/v1/buckets */
export const bucketRoutes: readonly Route[] = [
  { method: 'POST', path: 'storage/v1/b', parameters: ['project'], handle: insertBucket },
  {
    method: 'GET',
    path: 'storage/v1/b',
    parameters: ['project', 'prefix', 'maxResults', 'pageToken'],
    handle: listBuckets,
  },
  { method: 'GET', path: 'storage/v1/b/:bucket', parameters: CONDITIONS, handle: getBucket },
  { method: 'PATCH', path: 'storage/v1/b/:bucket', parameters: CONDITIONS, handle: patchBucket },
  { method: 'DELETE', path: 'storage/v1/b/:bucket', parameters: CONDITIONS, handle: deleteBucket },
];

/** The bucket, or 404 thrown. */
export function findBucket(store: Store, name: string): BucketRow {
  const bucket = store.readBucket(name);
  if (bucket === undefined) throw noSuchBucket();
  return bucket;
}

async function insertBucket({ query, request, store, now, origin }: Call): Promise<Answer> {
  const project = readRequired(query, 'project');
  const resource = await readJson(request);
  const { name } = resource;
  if (typeof name !== 'string') throw invalid('Required: name');
  checkBucketName(name);
  const row: BucketRow = {
    name,
    project,
    metageneration: 1,
    created: now(),
    updated: now(),
    fields: JSON.stringify(applyBucketFields(DEFAULT_FIELDS, resource)),
  };
  store.transact(() => {
    if (store.readBucket(name) !== undefined) {
      throw conflict('Your previous request to create the named bucket succeeded and you already own it.');
    }
    store.writeBucket(row);
  });
  return { kind: 'json', body: describeBucket(row, origin) };
}

function listBuckets({ query, store, origin }: Call): Answer {
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('pageToken') ?? '', 'base64url').toString();
  const size = readPageSize(query);
  const rows = store
    .listBuckets(readRequired(query, 'project'))
    .filter(({ name }) => name.startsWith(prefix) && name > after);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    kind: 'json',
    body: {
      kind: 'storage#buckets',
      ...(page.length === 0 ? {} : { items: page.map((row) => describeBucket(row, origin)) }),
      ...(rows.length > size && last !== undefined
        ? { nextPageToken: Buffer.from(last.name).toString('base64url') }
        : {}),
    },
  };
}

function getBucket({ params, query, headers, store, origin }: Call): Answer {
  const bucket = findBucket(store, params.bucket!);
  checkPreconditions(readPreconditions(query, headers), { metageneration: bucket.metageneration });
  return { kind: 'json', body: describeBucket(bucket, origin) };
}

async function patchBucket({ params, query, request, store, now, origin }: Call): Promise<Answer> {
  const change = await readJson(request);
  const conditions = readPreconditions(query);
  const row = store.transact(() => {
    const bucket = findBucket(store, params.bucket!);
    checkPreconditions(conditions, { metageneration: bucket.metageneration });
    if (typeof change.location === 'string') throw invalid('The location of a bucket cannot be changed.');
    const before = JSON.parse(bucket.fields) as BucketFields;
    const after: BucketRow = {
      ...bucket,
      metageneration: bucket.metageneration + 1,
      updated: now(),
      fields: JSON.stringify(applyBucketFields(before, change)),
    };
    store.writeBucket(after);
    return after;
  });
  return { kind: 'json', body: describeBucket(row, origin) };
}

function deleteBucket({ params, query, store }: Call): Answer {
  store.transact(() => {
    const bucket = findBucket(store, params.bucket!);
    checkPreconditions(readPreconditions(query), { metageneration: bucket.metageneration });
    if (store.listObjects(bucket.name, Buffer.alloc(0), undefined, 1).length > 0) {
      throw conflict('The bucket you tried to delete is not empty.');
    }
    store.deleteBucket(bucket.name);
  });
  return { kind: 'empty', code: 204 };
}
