import { randomBytes } from 'node:crypto';
import type { Answer, Call, Route } from './api.ts';
import { readHashHeader } from './checksums.ts';
import { invalid, StorageError, tooLarge } from './errors.ts';
import { CONDITIONS, readPreconditions } from './preconditions.ts';
import { type NewObject, putObject } from './put-object.ts';
import { MAX_OBJECT_BYTES, readJson, readWhatComes } from './read-body.ts';
import { readResource } from './read-resource.ts';
import { describeObject } from './resources.ts';
import type { UploadRow } from './store.ts';

/** https://cloud.google.com/storage/docs/performing-resumable-uploads */
export const uploadRoutes: readonly Route[] = [
  {
    method: 'PUT',
    path: 'upload/storage/v1/b/:bucket/o',
    // The parameters of the start may come again; those of the start count.
    parameters: ['uploadType', 'upload_id', 'name', 'contentEncoding', ...CONDITIONS],
    handle: continueUpload,
  },
  {
    method: 'DELETE',
    path: 'upload/storage/v1/b/:bucket/o',
    parameters: ['uploadType', 'upload_id', 'name', ...CONDITIONS],
    handle: cancelUpload,
  },
];

/** "Expires after one week", says https://cloud.google.com/storage/docs/resumable-uploads of the address of an upload. */
const LIFETIME_MS = 7 * 24 * 3_600_000;
/** What is stored of an unfinished upload is a multiple of this. */
const UNIT_BYTES = 256 * 1024;

type Start = Pick<NewObject, 'name' | 'fields' | 'expected'> & { query: string; size: number | undefined };

export async function startUpload(call: Call): Promise<Answer> {
  const { params, query, headers, request, store, now, origin } = call;
  const resource = await readJson(request);
  const contentType = headers['x-upload-content-type'];
  if (resource.contentType === undefined && contentType !== undefined) resource.contentType = contentType;
  const object = readResource(call, resource);
  const announced = headers['x-upload-content-length'];
  const size = announced === undefined ? undefined : Number(announced);
  if (size !== undefined && !Number.isSafeInteger(size)) throw invalid('Invalid X-Upload-Content-Length.');
  if (size !== undefined && size > MAX_OBJECT_BYTES) throw tooLarge(MAX_OBJECT_BYTES);
  const start: Start = { ...object, query: query.toString(), size };
  const id = randomBytes(24).toString('base64url');
  store.transact(() => {
    store.deleteUploadsOlderThan(now() - LIFETIME_MS);
    store.createUpload({
      id,
      created: now(),
      bucket: params.bucket!,
      start: JSON.stringify(start),
      received: 0,
      answer: null,
    });
  });
  // Conditions are looked at when the object is stored, and stand in the address until then, as in Cloud Storage.
  const parameters = new URLSearchParams(query);
  parameters.set('name', object.name);
  parameters.set('upload_id', id);
  const location = `${origin}/upload/storage/v1/b/${params.bucket}/o?${parameters}`;
  return { kind: 'empty', code: 200, headers: { location, 'x-guploader-uploadid': id } };
}

async function continueUpload(call: Call): Promise<Answer> {
  const { headers, request, store } = call;
  const range = readContentRange(headers['content-range']);
  const { bytes, complete } = await readWhatComes(request);
  // From here on nothing waits, so that no other request for this upload comes between.
  const upload = findUpload(call);
  if (upload.answer !== null) return { kind: 'json', body: JSON.parse(upload.answer) as object };
  const start = JSON.parse(upload.start) as Start;
  const total = range.total ?? start.size;

  if (range.first === undefined) {
    // A question for how much has arrived; only with the total can it also be the end.
    if (total === upload.received && range.total !== undefined) {
      return finish(call, upload, start, Buffer.alloc(0));
    }
    return resumeIncomplete(upload.received);
  }
  if (range.first > upload.received) {
    throw invalid(`Byte ${range.first} came where byte ${upload.received} was next.`);
  }
  // "Once Cloud Storage persists bytes in a resumable upload, those bytes cannot be overwritten".
  const fresh = bytes.subarray(upload.received - range.first);
  const end = upload.received + fresh.length;
  if (end > MAX_OBJECT_BYTES) throw tooLarge(MAX_OBJECT_BYTES);
  if (total !== undefined && end > total)
    throw invalid(`More bytes than the ${total} that were announced came.`);
  const isLast = complete && (total === undefined ? range.isOpenEnded : end === total);
  if (isLast) return finish(call, upload, start, fresh);
  if (complete && range.isOpenEnded) throw invalid(`The body ended at byte ${end} of ${total}.`);
  const kept = fresh.subarray(0, fresh.length - (fresh.length % UNIT_BYTES));
  if (kept.length > 0) store.transact(() => store.appendToUpload(upload.id, kept));
  return resumeIncomplete(upload.received + kept.length);
}

function finish(call: Call, upload: UploadRow, start: Start, rest: Uint8Array): Answer {
  const { store, now, origin, headers } = call;
  try {
    const resource = store.transact(() => {
      const row = putObject(store, now, {
        bucket: upload.bucket,
        name: start.name,
        fields: start.fields,
        expected: { ...start.expected, ...readHashHeader(headers['x-goog-hash']) },
        conditions: readPreconditions(new URLSearchParams(start.query)),
        content: Buffer.concat([store.readUploaded(upload.id), rest]),
      });
      const described = describeObject(row, origin);
      store.finishUpload(upload.id, JSON.stringify(described));
      return described;
    });
    return { kind: 'json', body: resource };
  } catch (error) {
    // Bytes that are not what the client says they are make the whole upload useless.
    if (error instanceof StorageError && error.code === 400)
      store.transact(() => store.deleteUpload(upload.id));
    throw error;
  }
}

function cancelUpload(call: Call): Answer {
  const upload = findUpload(call);
  call.store.transact(() => call.store.deleteUpload(upload.id));
  return { kind: 'empty', code: 499 };
}

function findUpload({ params, query, store, now }: Call): UploadRow {
  const upload = store.readUpload(query.get('upload_id') ?? '');
  if (upload === undefined || upload.bucket !== params.bucket || upload.created < now() - LIFETIME_MS) {
    throw new StorageError(404, 'notFound', 'No such upload.');
  }
  return upload;
}

function resumeIncomplete(received: number): Answer {
  // Without a Range header nothing has been stored.
  return { kind: 'empty', code: 308, headers: received === 0 ? {} : { range: `bytes=0-${received - 1}` } };
}

interface ContentRange {
  /** Absent in a question for the state. */
  first: number | undefined;
  /** The end of the body is the end of the range: `bytes 0-*` followed by the size or `*`. */
  isOpenEnded: boolean;
  total: number | undefined;
}

function readContentRange(header: string | undefined): ContentRange {
  // Without one the body is all there is.
  if (header === undefined) return { first: 0, isOpenEnded: true, total: undefined };
  // The client writes the range of an empty last chunk as 0--1.
  const [, range, first, last, total] = /^bytes (\*|(\d+)-(\*|-?\d+))\/(\*|\d+)$/.exec(header) ?? [];
  if (range === undefined || total === undefined)
    throw invalid(`Invalid Content-Range: ${header.slice(0, 100)}`);
  return {
    first: range === '*' ? undefined : Number(first),
    isOpenEnded: last === '*',
    total: total === '*' ? undefined : Number(total),
  };
}
