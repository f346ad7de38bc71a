import { setTimeout as wait } from 'node:timers/promises';

/** Makes the buckets that are not there yet, as Terraform does. Rejects where that takes longer than `withinMs`. */
export async function createBuckets(
  project: string,
  port: number,
  names: readonly string[],
  withinMs = 60_000,
): Promise<void> {
  const over = AbortSignal.timeout(withinMs);
  await Promise.all(names.map((name) => createBucket(project, port, name, over)));
}

/** By a request of its own: to load Google's client takes a fifth of a second of CPU at each start. */
async function createBucket(project: string, port: number, name: string, over: AbortSignal): Promise<void> {
  let failed: unknown;
  while (!over.aborted) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/storage/v1/b?project=${project}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, ...closed }),
        signal: AbortSignal.any([over, AbortSignal.timeout(oneTryMs)]),
      });
      const body = await answer.text();
      if (answer.ok || answer.status === 409) return;
      failed = new Error(`${answer.status}: ${body}`);
      if (answer.status < 500) break;
    } catch (error) {
      // What told that the time is over says less than what failed before it.
      failed = over.aborted ? (failed ?? error) : error;
    }
    // A storage that is told to fail now and then fails here too.
    await wait(50);
  }
  throw new Error(`The bucket ${name} could not be made.`, { cause: failed });
}

const oneTryMs = 10_000;

/** Versions and rules of deleting, which Terraform also gives some of them, the local Cloud Storage does not have. */
const closed = {
  iamConfiguration: {
    uniformBucketLevelAccess: { enabled: true },
    publicAccessPrevention: 'enforced',
  },
};
