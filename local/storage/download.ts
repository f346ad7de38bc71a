import type { OutgoingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Answer, Call, Route } from './api.ts';
import { notImplemented, StorageError } from './errors.ts';
import { findObject } from './find-object.ts';
import type { ObjectFields } from './object-fields.ts';
import { MAX_OBJECT_BYTES } from './read-body.ts';
import { encodeEtag } from './resources.ts';
import type { ObjectRow } from './store.ts';

/** The path of the XML API, for reading only: https://cloud.google.com/storage/docs/xml-api/get-object-download. */
export const downloadRoutes: readonly Route[] = ['GET', 'HEAD'].map((method) => ({
  method,
  path: ':bucket/*object',
  parameters: [],
  handle: (call) => {
    const { params, headers, store } = call;
    const wanted = { bucket: params.bucket!, name: params.object! };
    return sendContent(
      call,
      findObject(store, wanted, { etag: headers['if-match'], notEtag: headers['if-none-match'] }),
    );
  },
}));

/** The content of an object with the headers that Cloud Storage sends it with. */
export function sendContent({ headers, store }: Call, row: ObjectRow): Answer {
  const fields = JSON.parse(row.fields) as ObjectFields;
  const stored = store.readContent(row.generation);
  const described: OutgoingHttpHeaders = {
    'content-type': encodeHeader(fields.contentType ?? 'application/octet-stream'),
    'cache-control': encodeHeader(fields.cacheControl ?? 'private, max-age=0'),
    etag: encodeEtag(row),
    'last-modified': new Date(row.updated).toUTCString(),
    'x-goog-generation': String(row.generation),
    'x-goog-metageneration': String(row.metageneration),
    'x-goog-hash': `crc32c=${row.crc32c}${row.md5Hash === null ? '' : `,md5=${row.md5Hash}`}`,
    'x-goog-storage-class': fields.storageClass ?? 'STANDARD',
    'x-goog-stored-content-encoding': encodeHeader(fields.contentEncoding ?? 'identity'),
    'x-goog-stored-content-length': String(row.size),
  };
  if (fields.contentDisposition !== undefined) {
    described['content-disposition'] = encodeHeader(fields.contentDisposition);
  }
  if (fields.contentLanguage !== undefined) {
    described['content-language'] = encodeHeader(fields.contentLanguage);
  }
  if (isTranscoded(fields, headers['accept-encoding'])) {
    // "the Range header is ignored", https://cloud.google.com/storage/docs/transcoding.
    return { kind: 'bytes', code: 200, bytes: decompress(stored), headers: described };
  }
  described['accept-ranges'] = 'bytes';
  if (fields.contentEncoding !== undefined) {
    described['content-encoding'] = encodeHeader(fields.contentEncoding);
  }
  const range = readRange(headers.range, stored.length);
  if (range === undefined) return { kind: 'bytes', code: 200, bytes: stored, headers: described };
  described['content-range'] = `bytes ${range.first}-${range.last}/${stored.length}`;
  return {
    kind: 'bytes',
    code: 206,
    bytes: stored.subarray(range.first, range.last + 1),
    headers: described,
  };
}

/** What is stored as gzip is decompressed for whoever does not say that he takes gzip. */
function isTranscoded(fields: ObjectFields, acceptEncoding: string | string[] | undefined): boolean {
  return (
    fields.contentEncoding === 'gzip' &&
    !/\bgzip\b/i.test(String(acceptEncoding ?? '')) &&
    !/\bno-transform\b/i.test(fields.cacheControl ?? '')
  );
}

function decompress(stored: Buffer): Buffer {
  try {
    return gunzipSync(stored, { maxOutputLength: 4 * MAX_OBJECT_BYTES });
  } catch {
    throw notImplemented('Decompressive transcoding of an object that is not gzip or is over 256 MB');
  }
}

/** undefined for the whole content: without the header, and for forms that Cloud Storage does not take. */
function readRange(header: string | undefined, length: number): { first: number; last: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  const first = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  if (first > last) {
    throw new StorageError(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable', {
      type: 'header',
      name: 'Range',
    });
  }
  return { first, last };
}

/** A header's text is Latin-1 in Node; what is beyond goes out as UTF-8. */
const encodeHeader = (text: string): string => Buffer.from(text).toString('latin1');
