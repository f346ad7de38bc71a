import type { Answer, Call, Route } from './api.ts';
import { sendContent } from './download.ts';
import { invalid } from './errors.ts';
import { findObject } from './find-object.ts';
import { applyFields, type ObjectFields } from './object-fields.ts';
import { readInt64 } from './parameters.ts';
import { CONDITIONS, readPreconditions } from './preconditions.ts';
import { readJson } from './read-body.ts';
import { describeObject } from './resources.ts';
import type { ObjectRow } from './store.ts';

const PARAMETERS = ['generation', ...CONDITIONS];

/** https://cloud.google.com/storage/docs/json_api/v1/objects */
export const objectRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'storage/v1/b/:bucket/o/:object',
    parameters: ['alt=media', ...PARAMETERS],
    handle: getObject,
  },
  {
    method: 'GET',
    path: 'download/storage/v1/b/:bucket/o/:object',
    parameters: ['alt=media', ...PARAMETERS],
    handle: getObject,
  },
  { method: 'PATCH', path: 'storage/v1/b/:bucket/o/:object', parameters: PARAMETERS, handle: changeObject },
  { method: 'PUT', path: 'storage/v1/b/:bucket/o/:object', parameters: PARAMETERS, handle: changeObject },
  { method: 'DELETE', path: 'storage/v1/b/:bucket/o/:object', parameters: PARAMETERS, handle: deleteObject },
];

function findNamed({ method, params, query, headers, store }: Call): ObjectRow {
  const wanted = { bucket: params.bucket!, name: params.object!, generation: readInt64(query, 'generation') };
  return findObject(store, wanted, readPreconditions(query, method === 'GET' ? headers : {}));
}

function getObject(call: Call): Answer {
  const row = findNamed(call);
  if (call.query.get('alt') === 'media') return sendContent(call, row);
  return {
    kind: 'json',
    body: describeObject(row, call.origin),
  };
}

/** PATCH changes what is named; PUT replaces all that can be set. */
async function changeObject(call: Call): Promise<Answer> {
  const { method, request, store, now, origin } = call;
  const change = await readJson(request);
  const row = store.transact(() => {
    const found = findNamed(call);
    const before = JSON.parse(found.fields) as ObjectFields;
    if (change.storageClass !== undefined && change.storageClass !== before.storageClass) {
      throw invalid('The storage class of an object is changed by rewriting it.');
    }
    const { storageClass = 'STANDARD', customTime } = before;
    const kept: ObjectFields =
      method === 'PATCH' ? before : { storageClass, ...(customTime === undefined ? {} : { customTime }) };
    const fields = applyFields(kept, change);
    // "Once customTime is set, it cannot be removed and cannot be set to an earlier datetime".
    if (customTime !== undefined && (fields.customTime === undefined || fields.customTime < customTime)) {
      throw invalid('customTime cannot be removed or set to an earlier time.');
    }
    const after: ObjectRow = {
      ...found,
      metageneration: found.metageneration + 1,
      updated: now(),
      fields: JSON.stringify(fields),
    };
    store.updateObject(after);
    return after;
  });
  return { kind: 'json', body: describeObject(row, origin) };
}

function deleteObject(call: Call): Answer {
  call.store.transact(() => call.store.deleteObject(findNamed(call)));
  return { kind: 'empty', code: 204 };
}
