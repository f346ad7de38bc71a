import type { Call } from './api.ts';
import { readHashHeader } from './checksums.ts';
import { invalid, required } from './errors.ts';
import { checkObjectName } from './names.ts';
import { applyFields, type ObjectFields, readExpected } from './object-fields.ts';
import type { NewObject } from './put-object.ts';

/** What the request says of the object; a parameter counts before the resource. */
export function readResource(
  { params, query, headers }: Pick<Call, 'params' | 'query' | 'headers'>,
  resource: Record<string, unknown>,
): Pick<NewObject, 'name' | 'fields' | 'expected'> {
  const name = query.get('name') ?? resource.name;
  if (typeof name !== 'string') throw required('name');
  checkObjectName(name);
  if (resource.bucket !== undefined && resource.bucket !== params.bucket) {
    throw invalid(`The bucket of the resource is not ${params.bucket}.`);
  }
  const contentEncoding = query.get('contentEncoding');
  const fields: ObjectFields = applyFields(
    {},
    {
      ...resource,
      ...(contentEncoding === null ? {} : { contentEncoding }),
    },
  );
  fields.contentType ??= 'application/octet-stream';
  const md5Hash = headers['content-md5'];
  return {
    name,
    fields,
    expected: {
      ...readExpected(resource),
      ...readHashHeader(headers['x-goog-hash']),
      ...(typeof md5Hash === 'string' ? { md5Hash } : {}),
    },
  };
}
