import { z } from 'zod';
import type { Answer, Call, Route } from './api.ts';
import { invalid, tooLarge } from './errors.ts';
import { findObject } from './find-object.ts';
import { checkObjectName } from './names.ts';
import { applyFields } from './object-fields.ts';
import { readPreconditions } from './preconditions.ts';
import { putObject } from './put-object.ts';
import { MAX_OBJECT_BYTES, readJson } from './read-body.ts';
import { describeObject } from './resources.ts';

/** https://cloud.google.com/storage/docs/json_api/v1/objects/compose */
export const composeRoute: Route = {
  method: 'POST',
  path: 'storage/v1/b/:bucket/o/:object/compose',
  parameters: ['ifGenerationMatch', 'ifMetagenerationMatch'],
  handle: composeObject,
};

const generation = z.union([z.string().regex(/^\d{1,19}$/), z.int().nonnegative()]).transform(BigInt);

const requestSchema = z.strictObject({
  kind: z.string().optional(),
  destination: z.record(z.string(), z.unknown()).default({}),
  sourceObjects: z
    .array(
      z.strictObject({
        name: z.string(),
        generation: generation.optional(),
        objectPreconditions: z.strictObject({ ifGenerationMatch: generation.optional() }).default({}),
      }),
    )
    .min(1)
    .max(32),
});

/** Joins up to 32 objects of the bucket, in order; the result has no MD5. */
async function composeObject({ params, query, request, store, now, origin }: Call): Promise<Answer> {
  const read = requestSchema.safeParse(await readJson(request));
  if (!read.success) throw invalid(`Invalid compose request: ${z.prettifyError(read.error)}`);
  const { sourceObjects, destination } = read.data;
  const [bucket, name] = [params.bucket!, params.object!];
  checkObjectName(name);
  const fields = applyFields({}, destination);
  const row = store.transact(() => {
    const sources = sourceObjects.map((source) =>
      findObject(
        store,
        { bucket, name: source.name, generation: source.generation },
        { generation: source.objectPreconditions.ifGenerationMatch },
      ),
    );
    const size = sources.reduce((sum, source) => sum + source.size, 0);
    if (size > MAX_OBJECT_BYTES) throw tooLarge(MAX_OBJECT_BYTES);
    return putObject(store, now, {
      bucket,
      name,
      fields,
      content: Buffer.concat(sources.map((source) => store.readContent(source.generation))),
      conditions: readPreconditions(query),
      expected: {},
      componentCount: sources.reduce((count, source) => count + (source.componentCount ?? 1), 0),
    });
  });
  return { kind: 'json', body: describeObject(row, origin) };
}
