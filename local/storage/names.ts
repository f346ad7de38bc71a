import { invalid } from './errors.ts';

const MAX_OBJECT_NAME_BYTES = 1024;

/**
 * Refuses what is no bucket's name, by https://cloud.google.com/storage/docs/buckets#naming. Names with dots are taken
 * unverified; of the misspellings of "google" only "g00gle", which the page gives, is refused.
 */
export function checkBucketName(name: string): void {
  const components = name.split('.');
  const wellFormed =
    /^[a-z0-9][a-z0-9._-]*[a-z0-9]$/.test(name) &&
    name.length >= 3 &&
    name.length <= (components.length === 1 ? 63 : 222) &&
    components.every((component) => component.length >= 1 && component.length <= 63) &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !name.startsWith('goog') &&
    !/google|g00gle/.test(name);
  if (!wellFormed) throw invalid(`Invalid bucket name: '${name.slice(0, 300)}'`);
}

/** Refuses what is no object's name, by https://cloud.google.com/storage/docs/objects#naming. */
export function checkObjectName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) throw invalid('Object name must not be empty.');
  if (bytes > MAX_OBJECT_NAME_BYTES) {
    throw invalid(`The maximum object length is 1024 characters, but got a name with ${bytes} characters.`);
  }
  const refused =
    /[\r\n]/.test(name) ||
    !name.isWellFormed() ||
    name === '.' ||
    name === '..' ||
    name.startsWith('.well-known/acme-challenge/');
  if (refused) throw invalid(`Disallowed object name: ${JSON.stringify(name)}`);
}
