import { isRecord } from './api.ts';
import { invalid, notImplemented } from './errors.ts';
import { STORAGE_CLASSES } from './object-fields.ts';

/** What a client may set of a bucket. Access is kept and shown, and enforced nowhere: there is one user. */
export interface BucketFields {
  location: string;
  storageClass: string;
  labels?: Record<string, string>;
  iamConfiguration: {
    uniformBucketLevelAccess: { enabled: boolean };
    publicAccessPrevention: string;
  };
}

export const DEFAULT_FIELDS: BucketFields = {
  location: 'US',
  storageClass: 'STANDARD',
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'inherited' },
};

const OUTPUT_ONLY = new Set([
  ...['kind', 'id', 'selfLink', 'name', 'projectNumber', 'generation', 'metageneration', 'locationType'],
  ...['etag', 'timeCreated', 'updated', 'project'],
]);

/** Reads a bucket resource as a change, and refuses every feature that is not there. */
export function applyBucketFields(before: BucketFields, resource: Record<string, unknown>): BucketFields {
  const after: BucketFields = { ...before };
  for (const [name, value] of Object.entries(resource)) {
    if (OUTPUT_ONLY.has(name) || value === null || isOff(name, value)) continue;
    if (name === 'location') after.location = readText(name, value).toUpperCase();
    else if (name === 'storageClass') after.storageClass = readStorageClass(value);
    else if (name === 'labels') continue;
    else if (name === 'iamConfiguration') after.iamConfiguration = readAccess(before.iamConfiguration, value);
    else throw notImplemented(`The bucket field ${name}`);
  }
  if (Object.hasOwn(resource, 'labels')) {
    const labels = readLabels(before.labels ?? {}, resource.labels);
    delete after.labels;
    if (labels !== undefined) after.labels = labels;
  }
  return after;
}

/** What says that a feature is not wanted asks for nothing. */
function isOff(name: string, value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (name === 'versioning') return value.enabled === false;
  return name === 'softDeletePolicy' && String(value.retentionDurationSeconds) === '0';
}

function readText(name: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > 100) throw invalid(`Invalid value for ${name}.`);
  return value;
}

function readStorageClass(value: unknown): string {
  const storageClass = readText('storageClass', value);
  if (!STORAGE_CLASSES.includes(storageClass)) throw invalid(`Invalid storage class: ${storageClass}.`);
  return storageClass;
}

function readAccess(before: BucketFields['iamConfiguration'], value: unknown) {
  if (!isRecord(value)) throw invalid('Invalid value for iamConfiguration.');
  const after = { ...before };
  for (const [name, part] of Object.entries(value)) {
    if (name === 'uniformBucketLevelAccess' && isRecord(part) && typeof part.enabled === 'boolean') {
      after.uniformBucketLevelAccess = { enabled: part.enabled };
    } else if (name === 'publicAccessPrevention' && (part === 'enforced' || part === 'inherited')) {
      after.publicAccessPrevention = part;
    } else throw notImplemented(`The bucket field iamConfiguration.${name}`);
  }
  return after;
}

function readLabels(before: Record<string, string>, change: unknown): Record<string, string> | undefined {
  if (change === null) return undefined;
  if (!isRecord(change)) throw invalid('Invalid value for labels.');
  const after = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) after.delete(key);
    // Keys and values of at most 63 characters, https://cloud.google.com/storage/docs/tags-and-labels#bucket-labels.
    else if (
      typeof value === 'string' &&
      /^\p{Ll}[\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key) &&
      value.length <= 63
    ) {
      after.set(key, value);
    } else throw invalid(`Invalid label: ${key.slice(0, 100)}.`);
  }
  if (after.size > 64) throw invalid('A bucket has at most 64 labels.');
  return after.size === 0 ? undefined : Object.fromEntries(after);
}
