import type { Call, Route } from './api.ts';
import { findObject } from './find-object.ts';
import { checkObjectName } from './names.ts';
import { applyFields, type ObjectFields } from './object-fields.ts';
import { readInt64 } from './parameters.ts';
import { CONDITIONS, readPreconditions, SOURCE_CONDITIONS } from './preconditions.ts';
import { putObject } from './put-object.ts';
import { readJson } from './read-body.ts';
import { describeObject } from './resources.ts';
import type { ObjectRow } from './store.ts';

const PARAMETERS = ['sourceGeneration', ...CONDITIONS, ...SOURCE_CONDITIONS];

/** https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite and .../copy */
export const copyRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: 'storage/v1/b/:bucket/o/:object/rewriteTo/b/:destinationBucket/o/:destinationObject',
    parameters: PARAMETERS,
    async handle(call) {
      const row = await copyObject(call);
      return {
        kind: 'json',
        body: {
          kind: 'storage#rewriteResponse',
          totalBytesRewritten: String(row.size),
          objectSize: String(row.size),
          done: true,
          resource: describeObject(row, call.origin),
        },
      };
    },
  },
  {
    method: 'POST',
    path: 'storage/v1/b/:bucket/o/:object/copyTo/b/:destinationBucket/o/:destinationObject',
    parameters: PARAMETERS,
    async handle(call) {
      return { kind: 'json', body: describeObject(await copyObject(call), call.origin) };
    },
  },
];

/** Metadata in the request takes the place of the source's; without any, the source's is copied. */
async function copyObject({ params, query, request, store, now }: Call): Promise<ObjectRow> {
  const resource = await readJson(request);
  const name = params.destinationObject!;
  checkObjectName(name);
  return store.transact(() => {
    const wanted = {
      bucket: params.bucket!,
      name: params.object!,
      generation: readInt64(query, 'sourceGeneration'),
    };
    const source = findObject(store, wanted, readPreconditions(query, {}, 'ifSource'));
    const { storageClass: _, ...copied } = JSON.parse(source.fields) as ObjectFields;
    const fields = Object.keys(resource).length === 0 ? copied : applyFields({}, resource);
    return putObject(store, now, {
      bucket: params.destinationBucket!,
      name,
      fields,
      content: store.readContent(source.generation),
      conditions: readPreconditions(query),
      expected: {},
      ...(source.componentCount === null ? {} : { componentCount: source.componentCount }),
    });
  });
}
