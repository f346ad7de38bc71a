import type { Answer, Call, Route } from './api.ts';
import { findBucket } from './buckets.ts';
import { notImplemented, required } from './errors.ts';
import { parseMultipart } from './multipart.ts';
import { CONDITIONS, readPreconditions } from './preconditions.ts';
import { type NewObject, putObject } from './put-object.ts';
import { parseJson, readBody } from './read-body.ts';
import { readResource } from './read-resource.ts';
import { describeObject } from './resources.ts';
import { startUpload } from './resumable.ts';

/** https://cloud.google.com/storage/docs/json_api/v1/objects/insert */
export const insertRoute: Route = {
  method: 'POST',
  path: 'upload/storage/v1/b/:bucket/o',
  parameters: ['uploadType', 'name', 'contentEncoding', ...CONDITIONS],
  handle: insertObject,
};

async function insertObject(call: Call): Promise<Answer> {
  const { params, query, headers, request, store, now, origin } = call;
  findBucket(store, params.bucket!);
  const uploadType = query.get('uploadType');
  if (uploadType === 'resumable') return startUpload(call);
  const body = await readBody(request);
  let object: Pick<NewObject, 'name' | 'fields' | 'content' | 'expected'>;
  if (uploadType === 'media') {
    const contentType = headers['content-type'];
    object = {
      ...readResource(call, contentType === undefined ? {} : { contentType }),
      content: body,
    };
  } else if (uploadType === 'multipart') {
    const parts = parseMultipart(headers['content-type'] ?? '', body);
    const { contentType, ...resource } = parseJson(parts.metadata);
    object = {
      ...readResource(call, { ...resource, contentType: contentType ?? parts.contentType }),
      content: parts.content,
    };
  } else if (uploadType === null) throw required('uploadType');
  else throw notImplemented(`uploadType=${uploadType}`, 'uploadType');
  const conditions = readPreconditions(query);
  const row = store.transact(() => putObject(store, now, { ...object, bucket: params.bucket!, conditions }));
  return { kind: 'json', body: describeObject(row, origin) };
}
