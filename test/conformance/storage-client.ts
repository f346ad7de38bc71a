import { Storage, type StorageOptions } from '@google-cloud/storage';
import { PassThroughClient } from 'google-auth-library';

/** Google's own client, unmodified, on the local Cloud Storage. Its retries wait a second instead of up to a minute. */
export function connectStorage(port: number, options: StorageOptions = {}): Storage {
  return new Storage({
    projectId: 'local',
    apiEndpoint: `http://127.0.0.1:${port}`,
    // Google's packages carry several copies of google-auth-library whose classes differ in type and not in what they do.
    authClient: new PassThroughClient() as unknown as NonNullable<StorageOptions['authClient']>,
    // Less than a second makes the client's retries throw: it never waits less.
    retryOptions: { maxRetryDelay: 1 },
    ...options,
  });
}

/** The HTTP code a promise fails with, or what it resolves to. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'succeeded',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}
