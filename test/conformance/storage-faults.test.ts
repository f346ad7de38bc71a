import type { Bucket } from '@google-cloud/storage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StorageFaults, type StorageServer, startStorage } from '../../local/storage/index.ts';
import { codeOf, connectStorage } from './storage-client.ts';

// What becomes of requests whose answer fails or is lost. The client's behaviour is that of
// https://cloud.google.com/storage/docs/retry-strategy: it repeats what is idempotent, and a write is so with
// ifGenerationMatch.

let faults: StorageFaults;
let server: StorageServer;
let bucket: Bucket;

beforeEach(async () => {
  faults = { unavailableRate: 0, delayMs: 0, storedThenLostRate: 0, random: () => 1 };
  server = await startStorage({ port: 0, file: ':memory:', faults });
  [bucket] = await connectStorage(server.port).createBucket('bucket');
});

afterEach(() => server.close());

/** Makes the numbered requests from now on go wrong, counted from 0, and counts them. */
function fail(rate: 'unavailableRate' | 'storedThenLostRate', ...which: number[]): { requests: number } {
  const counted = { requests: 0 };
  faults[rate] = 0.5;
  faults.random = () => (which.includes(counted.requests++) ? 0 : 1);
  return counted;
}

const newOnly = { preconditionOpts: { ifGenerationMatch: 0 } };
const contentOf = async (name: string) => String((await bucket.file(name).download())[0]);

describe('a request that is answered 503', () => {
  test.each([
    ['the start of a resumable upload', true, 0],
    ['the content of a resumable upload', true, 1],
    ['a simple upload', false, 0],
  ])('is repeated when it is a write with ifGenerationMatch: %s', async (_, resumable, which) => {
    const counted = fail('unavailableRate', which);
    await bucket.file('object').save('content', { resumable, ...newOnly });
    expect(counted.requests).toBeGreaterThan(which + 1);
    expect(await contentOf('object')).toBe('content');
    expect(server.counts()).toEqual({ buckets: { bucket: { objects: 1, bytes: 7 } } });
  });

  test.each([true, false])('is not repeated without, resumable: %s', async (resumable) => {
    const counted = fail('unavailableRate', 0);
    expect(await codeOf(bucket.file('object').save('content', { resumable }))).toBe(503);
    expect(counted.requests).toBe(1);
    expect(server.counts().buckets.bucket?.objects).toBe(0);
  });

  test('is repeated when it is a read', async () => {
    await bucket.file('object').save('content', newOnly);
    // Not a download: this version of the client, repeating one, leaves a rejection that ends the process.
    fail('unavailableRate', 0);
    expect((await bucket.getFiles())[0]).toHaveLength(1);
    fail('unavailableRate', 0);
    expect((await bucket.file('object').getMetadata())[0].size).toBe('7');
  });

  test('fails for good after the last retry, in the shape of the JSON API', async () => {
    faults.unavailableRate = 1;
    faults.random = () => 0;
    const once = connectStorage(server.port, { retryOptions: { autoRetry: false } }).bucket('bucket');
    await expect(once.file('object').getMetadata()).rejects.toMatchObject({
      code: 503,
      errors: [{ domain: 'global', reason: 'backendError' }],
    });
  });
});

describe('a write that is done, with its answer lost', () => {
  test('answers the repeated simple upload 412, since the first one is there', async () => {
    fail('storedThenLostRate', 0);
    expect(await codeOf(bucket.file('object').save('content', { resumable: false, ...newOnly }))).toBe(412);
    expect(await contentOf('object')).toBe('content');
  });

  test('answers a resumable upload with the object it has made, since its address is known', async () => {
    fail('storedThenLostRate', 1);
    const file = bucket.file('object');
    await file.save('content', newOnly);
    const [stored] = await bucket.file('object').getMetadata();
    expect(file.metadata.generation).toBe(stored.generation);
    expect(await contentOf('object')).toBe('content');
  });

  test('leaves no object when it was the start of a resumable upload', async () => {
    fail('storedThenLostRate', 0);
    await bucket.file('object').save('content', newOnly);
    expect(await contentOf('object')).toBe('content');
    expect((await bucket.file('object').getMetadata())[0].metageneration).toBe('1');
  });

  test('reaches the caller as an error when it had no precondition', async () => {
    fail('storedThenLostRate', 0);
    expect(await codeOf(bucket.file('object').save('content', { resumable: false }))).toBe('ECONNRESET');
    expect(await contentOf('object')).toBe('content');
  });
});

test('an answer that is late comes after what was asked for is done', async () => {
  faults.delayMs = 1000;
  let answered = false;
  const saving = bucket
    .file('object')
    .save('content', { resumable: false })
    .then(() => {
      answered = true;
    });
  await expect.poll(() => server.counts().buckets.bucket?.objects, { interval: 5, timeout: 30_000 }).toBe(1);
  expect(answered).toBe(false);
  await saving;
});

test.each([
  ['unavailableRate', [0, 1, 2, 3, 4]],
  // Not the last one: asking then how far it got, this version of the client takes "all of it" for "nothing".
  ['storedThenLostRate', [0, 1, 2, 3]],
] as const)(
  'a chunked upload goes on where it was after a failure of any of its requests: %s',
  async (rate, failing) => {
    const content = Buffer.alloc(3 * 256 * 1024 + 17, 'abcdefgh');
    await Promise.all(
      failing.map(async (which) => {
        const own: StorageFaults = { ...faults, [rate]: 0.5 };
        const each = await startStorage({ port: 0, file: ':memory:', faults: own });
        const [into] = await connectStorage(each.port).createBucket('chunks');
        let requests = 0;
        own.random = () => (requests++ === which ? 0 : 1);
        await into.file('object').save(content, { chunkSize: 256 * 1024, ...newOnly });
        Object.assign(own, { [rate]: 0 });
        expect((await into.file('object').download())[0].equals(content)).toBe(true);
        await each.close();
      }),
    );
  },
);

test('of many writers in a storm of failures each hears of success, of 412 for what is there, or of a failure', async () => {
  let seed = 7;
  const storm = { unavailableRate: 0.2, storedThenLostRate: 0.2 };
  Object.assign(faults, storm, {
    random: () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed / 2 ** 31;
    },
  });
  const results = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const name = `object ${index}`;
      const save = bucket.file(name).save(`content of ${name}`, { resumable: false, ...newOnly });
      return { name, code: await codeOf(save) };
    }),
  );
  Object.assign(faults, { unavailableRate: 0, storedThenLostRate: 0 });
  const codes = new Set(results.map(({ code }) => code));
  expect(codes).toContain('succeeded');
  expect(codes).toContain(412);
  for (const { name, code } of results) {
    if (code !== 'succeeded' && code !== 412) expect([503, 'ECONNRESET']).toContain(code);
    else expect(await contentOf(name)).toBe(`content of ${name}`);
  }
});
