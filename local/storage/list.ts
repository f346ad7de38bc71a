import type { Answer, Call, Route } from './api.ts';
import { findBucket } from './buckets.ts';
import { invalid } from './errors.ts';
import { readPageSize } from './parameters.ts';
import { describeObject } from './resources.ts';
import type { ObjectRow } from './store.ts';

/** https://cloud.google.com/storage/docs/json_api/v1/objects/list */
export const listRoute: Route = {
  method: 'GET',
  path: 'storage/v1/b/:bucket/o',
  parameters: ['prefix', 'delimiter', 'startOffset', 'endOffset', 'maxResults', 'pageToken'],
  handle: listObjects,
};

function listObjects({ params, query, store, origin }: Call): Answer {
  const bucket = findBucket(store, params.bucket!).name;
  const prefix = Buffer.from(query.get('prefix') ?? '');
  const delimiter = query.get('delimiter') ?? '';
  const size = readPageSize(query);
  const endOffset = query.get('endOffset');
  const below = earliest([endOffset ? Buffer.from(endOffset) : undefined, successorOf(prefix)]);
  let from = latest([
    prefix,
    Buffer.from(query.get('startOffset') ?? ''),
    readPageToken(query.get('pageToken')),
  ]);

  const items: ObjectRow[] = [];
  const prefixes: string[] = [];
  let nextPageToken: string | undefined;
  // One more than the page holds tells whether there is another one.
  search: for (;;) {
    const wanted = size + 1 - items.length - prefixes.length;
    const rows = store.listObjects(bucket, from, below, wanted);
    for (const row of rows) {
      if (items.length + prefixes.length === size) {
        nextPageToken = writePageToken(from);
        break search;
      }
      const cut = delimiter === '' ? -1 : row.name.indexOf(delimiter, prefix.toString().length);
      if (cut < 0) {
        items.push(row);
        from = Buffer.concat([Buffer.from(row.name), Buffer.of(0)]);
        continue;
      }
      const group = row.name.slice(0, cut + delimiter.length);
      prefixes.push(group);
      // All others of the group are passed over at once.
      from = successorOf(Buffer.from(group)) ?? from;
      continue search;
    }
    if (rows.length < wanted) break;
  }
  return {
    kind: 'json',
    body: {
      kind: 'storage#objects',
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
      ...(prefixes.length === 0 ? {} : { prefixes }),
      ...(items.length === 0 ? {} : { items: items.map((row) => describeObject(row, origin)) }),
    },
  };
}

/** The first byte string after all that begin with this one. 0xff is in no UTF-8, so the last byte can grow. */
function successorOf(prefix: Buffer): Buffer | undefined {
  if (prefix.length === 0) return undefined;
  const successor = Buffer.from(prefix);
  successor[successor.length - 1]! += 1;
  return successor;
}

function latest(bounds: Buffer[]): Buffer {
  return bounds.reduce((one, other) => (Buffer.compare(one, other) >= 0 ? one : other));
}

function earliest(bounds: (Buffer | undefined)[]): Buffer | undefined {
  return bounds.reduce((one, other) =>
    one === undefined || (other !== undefined && Buffer.compare(other, one) < 0) ? other : one,
  );
}

/** A token is where the next page begins, so a page that is asked for again is the same unless objects changed. */
const writePageToken = (from: Buffer): string => Buffer.concat([Buffer.of(1), from]).toString('base64url');

function readPageToken(token: string | null): Buffer {
  if (token === null || token === '') return Buffer.alloc(0);
  const bytes = Buffer.from(token, 'base64url');
  if (bytes[0] !== 1 || bytes.toString('base64url') !== token)
    throw invalid('Invalid page token.', 'pageToken');
  return bytes.subarray(1);
}
