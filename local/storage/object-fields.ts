import { isRecord } from './api.ts';
import type { Checksums } from './checksums.ts';
import { invalid, notImplemented } from './errors.ts';

/** What a client may set of an object, besides its content. */
export interface ObjectFields {
  contentType?: string;
  contentEncoding?: string;
  contentDisposition?: string;
  contentLanguage?: string;
  cacheControl?: string;
  customTime?: string;
  storageClass?: string;
  metadata?: Record<string, string>;
}

export const STORAGE_CLASSES = ['STANDARD', 'NEARLINE', 'COLDLINE', 'ARCHIVE'];

const TEXTS = [
  'contentType',
  'contentEncoding',
  'contentDisposition',
  'contentLanguage',
  'cacheControl',
  'customTime',
  'storageClass',
] as const;

/** Set by Cloud Storage alone, which ignores them in requests; a client may send a resource back as it got it. */
const OUTPUT_ONLY = new Set([
  ...['kind', 'id', 'selfLink', 'mediaLink', 'size', 'timeCreated', 'updated', 'timeStorageClassUpdated'],
  ...['timeFinalized', 'etag', 'generation', 'metageneration', 'componentCount', 'owner'],
  // Read where they matter, by readExpected and the callers.
  ...['name', 'bucket', 'crc32c', 'md5Hash'],
]);

/** Off unless said otherwise, so saying so asks for nothing. */
const OFF = new Set(['temporaryHold', 'eventBasedHold']);

/** "The combined size of all custom metadata keys and values", https://cloud.google.com/storage/quotas. */
const MAX_CUSTOM_METADATA_BYTES = 8 * 1024;
const MAX_TEXT_BYTES = 1024;

/**
 * Reads an object resource as a change: what is absent stays, null takes away, and so for each key of `metadata`.
 * Applied to nothing it is the resource of an insert.
 */
export function applyFields(before: ObjectFields, resource: Record<string, unknown>): ObjectFields {
  for (const [name, value] of Object.entries(resource)) {
    const known = OUTPUT_ONLY.has(name) || TEXTS.some((text) => text === name) || name === 'metadata';
    if (!known && !(OFF.has(name) && value === false) && value !== null) {
      throw notImplemented(`The object field ${name}`);
    }
  }
  const after: ObjectFields = { ...before };
  for (const name of TEXTS) {
    if (!Object.hasOwn(resource, name)) continue;
    const value = resource[name];
    if (value === null || value === '') delete after[name];
    else after[name] = checkText(name, value);
  }
  if (Object.hasOwn(resource, 'metadata')) {
    const metadata = applyMetadata(before.metadata ?? {}, resource.metadata);
    if (metadata === undefined) delete after.metadata;
    else after.metadata = metadata;
  }
  return after;
}

/** The checksums that the client says the content has. */
export function readExpected(resource: Record<string, unknown>): Partial<Checksums> {
  const { crc32c, md5Hash } = resource;
  return {
    ...(typeof crc32c === 'string' && crc32c !== '' ? { crc32c } : {}),
    ...(typeof md5Hash === 'string' && md5Hash !== '' ? { md5Hash } : {}),
  };
}

function checkText(name: (typeof TEXTS)[number], value: unknown): string {
  if (typeof value !== 'string') throw invalid(`Invalid value for ${name}: a string is required.`);
  // They are sent back as headers of a download.
  const isHeader = [...value].every((character) => character >= ' ' && character !== '\x7f');
  if (!isHeader || !value.isWellFormed() || Buffer.byteLength(value) > MAX_TEXT_BYTES) {
    throw invalid(`Invalid value for ${name}.`);
  }
  if (name === 'storageClass' && !STORAGE_CLASSES.includes(value)) {
    throw invalid(`Invalid storage class: ${value}.`);
  }
  if (name === 'customTime') {
    const time = /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : new Date(Number.NaN);
    if (Number.isNaN(time.getTime())) throw invalid(`Invalid value for customTime: ${value}.`);
    return time.toISOString();
  }
  return value;
}

function applyMetadata(before: Record<string, string>, change: unknown): Record<string, string> | undefined {
  if (change === null) return undefined;
  if (!isRecord(change)) throw invalid('Invalid value for metadata: an object is required.');
  // A map, since a key such as __proto__ is one like any other.
  const after = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) after.delete(key);
    else if (typeof value === 'string') after.set(key, value);
    else throw invalid(`Invalid value for metadata.${key.slice(0, 100)}: a string is required.`);
  }
  let bytes = 0;
  for (const [key, value] of after) {
    if (key === '' || !key.isWellFormed() || !value.isWellFormed()) {
      throw invalid(`Invalid custom metadata key or value: ${JSON.stringify(key.slice(0, 100))}`);
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > MAX_CUSTOM_METADATA_BYTES) {
    throw invalid(`Custom metadata has ${bytes} bytes; the limit is ${MAX_CUSTOM_METADATA_BYTES}.`);
  }
  return after.size === 0 ? undefined : Object.fromEntries(after);
}
