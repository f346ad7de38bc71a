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

/** What must hold of the object for the request to be carried out. ETags are taken of reads only. */
export interface Preconditions {
  generation?: bigint | undefined;
  notGeneration?: bigint | undefined;
  metageneration?: bigint | undefined;
  notMetageneration?: bigint | undefined;
  etag?: string | undefined;
  notEtag?: string | undefined;
}

/** A read passes its headers, for If-Match and If-None-Match. */
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
 * Throws 412 when a condition does not hold, and 304 when it is one of the NotMatch kind, of writes too, as
 * https://cloud.google.com/storage/docs/request-preconditions says. Of what does not exist only ifGenerationMatch=0
 * holds: "If no live object exists, the precondition fails", says the reference of ifGenerationNotMatch.
 */
export function checkPreconditions(conditions: Preconditions, current: Current | undefined): void {
  if (current === undefined) {
    const { generation, ...others } = conditions;
    const holds =
      (generation ?? 0n) === 0n && Object.values(others).every((condition) => condition === undefined);
    if (!holds) throw conditionNotMet();
    return;
  }
  const generation = BigInt(current.generation ?? 0);
  const metageneration = BigInt(current.metageneration);
  const etag = encodeEtag(current);
  if (
    (conditions.generation ?? generation) !== generation ||
    (conditions.metageneration ?? metageneration) !== metageneration ||
    (conditions.etag ?? etag) !== etag
  ) {
    throw conditionNotMet();
  }
  if (
    conditions.notGeneration === generation ||
    conditions.notMetageneration === metageneration ||
    conditions.notEtag === etag
  ) {
    throw notModified();
  }
}
