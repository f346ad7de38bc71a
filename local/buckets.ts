import { Storage } from '@google-cloud/storage';

/** Makes the buckets that are not there yet, as Terraform does. */
export async function createBuckets(project: string, port: number, names: readonly string[]): Promise<void> {
  // With an endpoint of its own the client asks for no credentials.
  const storage = new Storage({ projectId: project, apiEndpoint: `http://127.0.0.1:${port}` });
  await Promise.all(
    names.map((name) =>
      storage.createBucket(name, closed).catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 409) return;
        throw error;
      }),
    ),
  );
}

/** Versions and rules of deleting, which Terraform also gives some of them, the local Cloud Storage does not have. */
const closed = {
  iamConfiguration: {
    uniformBucketLevelAccess: { enabled: true },
    publicAccessPrevention: 'enforced',
  },
};
