import { GoogleAuth } from 'google-auth-library';
import { type ObjectStore, openObjectStore } from './object-store.ts';

export type { NewObject, ObjectPage, ObjectStore, StoredObject, WriteOutcome } from './object-store.ts';

/** Opens a bucket with the credentials of the environment; they are looked for with the first call. */
export function openBucket(bucket: string, environment: NodeJS.ProcessEnv): ObjectStore {
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/devstorage.read_write' });
  return openObjectStore(bucket, environment, async () => Object.fromEntries(await auth.getRequestHeaders()));
}
