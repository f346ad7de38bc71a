import type { IncomingHttpHeaders } from 'node:http';
import { conditionNotMet, notModified } from './errors.ts';
import { readInt64 } from './parameters.ts';
import { encodeEtag } from './resources.ts';
import type { ObjectRow } from './store.ts';

/** The parameters that make a request conditional, in the forms for the object itself and for a copy's source. */
export const CONDITIONS = [
  'ifGenerationMatch',
  'ifGenerationNotMatch',
  'ifMetagenerationMatch',
  'ifMetagenerationNotMatch',
] as const;
export const SOURCE_CONDITIONS = CONDITIONS.map((name) => name.replace(/^if/, 'ifSource'));

/** What must hold of the object for the request to be carried out. */
export interface Preconditions {
  generation?: bigint | undefined;
  notGeneration?: bigint | undefined;
  metageneration?: bigint | undefined;
  notMetageneration?: bigint | undefined;
  etag?: string | undefined;
  notEtag?: string | undefined;
}

export function readPreconditions(
  query: URLSearchParams,
  headers: IncomingHttpHeaders = {},
  prefix: 'if' | 'ifSource' = 'if',
): Preconditions {
  return {
    generation: readInt64(query, `${prefix}GenerationMatch`),
    notGeneration: readInt64(query, `${prefix}GenerationNotMatch`),
    metageneration: readInt64(query, `${prefix}MetagenerationMatch`),
    notMetageneration: readInt64(query, `${prefix}MetagenerationNotMatch`),
    etag: headers['if-match'],
    notEtag: headers['if-none-match'],
  };
}

type Current = Pick<ObjectRow, 'metageneration'> & { generation?: number };

/**
 * Throws 412 when a condition does not hold, and 304 when one of the NotMatch kind does not, as
 * https://cloud.google.com/storage/docs/request-preconditions says. An object that does not exist has generation 0,
 * and no other condition on it holds.
 */
export function checkPreconditions(conditions: Preconditions, current: Current | undefined): void {
  const generation = BigInt(current?.generation ?? 0);
  const metageneration = current === undefined ? undefined : BigInt(current.metageneration);
  const etag = current === undefined ? undefined : encodeEtag(current);
  const differs = <Value>(wanted: Value | undefined, found: Value | undefined) =>
    wanted !== undefined && wanted !== found;
  if (
    differs(conditions.generation, generation) ||
    differs(conditions.metageneration, metageneration) ||
    differs(conditions.etag, etag)
  ) {
    throw conditionNotMet();
  }
  const matches = <Value>(unwanted: Value | undefined, found: Value | undefined) =>
    unwanted !== undefined && (found === undefined || unwanted === found);
  const absent = current === undefined && conditions.notGeneration !== undefined;
  if (
    absent ||
    matches(conditions.notGeneration, generation) ||
    matches(conditions.notMetageneration, metageneration) ||
    (etag !== undefined && matches(conditions.notEtag, etag))
  ) {
    throw notModified();
  }
}
