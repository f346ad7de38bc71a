import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { createBuckets } from './buckets.ts';
import { noFaults } from './storage/faults.ts';
import { startStorage } from './storage/index.ts';

const closers: (() => unknown)[] = [];
afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

/** A Cloud Storage that answers with this status, or never. Returns its port, and how often it was asked. */
async function serve(status: number | undefined) {
  const seen = { requests: 0 };
  const server = createServer((_, response) => {
    seen.requests++;
    if (status !== undefined) response.writeHead(status).end('no buckets today');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return { seen, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

test('a bucket is made in a storage that fails and loses answers, and is left as it is where it is there', async () => {
  const faults = noFaults();
  const storage = await startStorage({ port: 0, file: ':memory:', faults });
  closers.push(() => storage.close());
  let asked = 0;
  // Failed, stored with the answer lost, then neither.
  faults.random = () => [0, 1, 0, 1, 1][asked++] ?? 1;
  Object.assign(faults, { unavailableRate: 0.5, storedThenLostRate: 0.5 });
  await createBuckets('local', storage.port, ['one']);
  expect(asked).toBeGreaterThan(2);
  await createBuckets('local', storage.port, ['one', 'two']);
  expect(Object.keys(storage.counts().buckets).sort()).toEqual(['one', 'two']);
});

test('a storage that never answers is not waited for for ever', async () => {
  const { port } = await serve(undefined);
  await expect(createBuckets('local', port, ['one'], 100)).rejects.toThrow(
    'The bucket one could not be made.',
  );
});

test('a storage that always fails is tried again, and in the end what it said is told', async () => {
  const { port, seen } = await serve(503);
  await expect(createBuckets('local', port, ['one'], 1_000)).rejects.toMatchObject({
    cause: { message: '503: no buckets today' },
  });
  expect(seen.requests).toBeGreaterThan(1);
});

test('a bucket that is refused is not tried again', async () => {
  const { port, seen } = await serve(400);
  await expect(createBuckets('local', port, ['one'])).rejects.toMatchObject({
    cause: { message: '400: no buckets today' },
  });
  expect(seen.requests).toBe(1);
});
