import { createServer, type Socket } from 'node:net';
import { Storage } from '@google-cloud/storage';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StorageFaults, type StorageServer, startStorage } from '../../local/storage/index.ts';
import { openBucket } from './cloud-storage.ts';
import type { NewObject, ObjectStore } from './object-store.ts';

const faults: StorageFaults = {
  unavailableRate: 0,
  delayMs: 0,
  storedThenLostRate: 0,
  random: Math.random,
};
let server: StorageServer;
let google: Storage;
let bucket: ObjectStore;
let count = 0;

beforeAll(async () => {
  server = await startStorage({ port: 0, file: ':memory:', faults });
  process.env.METADATA_SERVER_DETECTION = 'none';
  google = new Storage({ projectId: 'local', apiEndpoint: `http://127.0.0.1:${server.port}` });
});
afterAll(() => server.close());
beforeEach(async () => {
  const name = `bucket-${count++}`;
  await google.createBucket(name);
  bucket = openBucket(name, { LOCAL_STORAGE: `127.0.0.1:${server.port}` });
});
afterEach(() => {
  bucket.close();
  Object.assign(faults, { unavailableRate: 0, delayMs: 0, storedThenLostRate: 0, random: Math.random });
});

/** Google's own client, as a witness of what is stored. */
const witness = (name: string) => google.bucket(`bucket-${count - 1}`).file(name);

const object = (change: Partial<NewObject> = {}): NewObject => ({
  name: 'batch/0',
  data: Buffer.from([0, 13, 10, 45, 45, 255]),
  contentType: 'application/octet-stream',
  metadata: { project: '店铺', empty: '' },
  ...change,
});

describe('an object', () => {
  test('is written with its bytes and metadata, as Google’s own client reads it', async () => {
    const written = await bucket.write(object(), '0', 2_000);
    const [bytes] = await witness('batch/0').download();
    const [metadata] = await witness('batch/0').getMetadata();
    expect(bytes).toEqual(object().data);
    expect(metadata).toMatchObject({
      contentType: 'application/octet-stream',
      metadata: { project: '店铺' },
    });
    expect(written).toEqual({ kind: 'written', generation: String(metadata.generation) });
  });

  test('may be empty, and may have a name that is not plain', async () => {
    const name = 'a b/ü?#%2F&c';
    await bucket.write(object({ name, data: Buffer.alloc(0) }), '0', 2_000);
    const found = await bucket.find(name, 2_000);
    expect(found).toMatchObject({ name, bytes: 0, createdAt: expect.any(Date) });
    expect(await bucket.read(name, found?.generation ?? '', 2_000)).toEqual(Buffer.alloc(0));
    expect(await bucket.remove(name, found?.generation ?? '', 2_000)).toBe('removed');
  });

  test('is written only where the name has the generation that was named', async () => {
    const first = await bucket.write(object(), '0', 2_000);
    expect(await bucket.write(object({ data: Buffer.from('second') }), '0', 2_000)).toEqual({
      kind: 'changed',
    });
    if (first.kind !== 'written') throw new Error(first.kind);
    const second = await bucket.write(object({ data: Buffer.from('second') }), first.generation, 2_000);
    expect(second.kind).toBe('written');
    expect(await bucket.read('batch/0', first.generation, 2_000)).toBeUndefined();
    expect((await witness('batch/0').download())[0].toString()).toBe('second');
  });

  test('is removed once, and not where it has changed', async () => {
    const written = await bucket.write(object(), '0', 2_000);
    if (written.kind !== 'written') throw new Error(written.kind);
    expect(await bucket.remove('batch/0', '1', 2_000)).toBe('changed');
    expect(await bucket.remove('batch/0', written.generation, 2_000)).toBe('removed');
    expect(await bucket.remove('batch/0', written.generation, 2_000)).toBe('absent');
    expect(await bucket.find('batch/0', 2_000)).toBeUndefined();
  });
});

test('a bucket is listed page by page, an empty one too', async () => {
  expect(await bucket.list({ most: 10 }, 2_000)).toEqual({ objects: [], nextPageToken: undefined });
  for (const name of ['b/1', 'a/0', 'b/0']) await bucket.write(object({ name }), '0', 2_000);
  const first = await bucket.list({ most: 2 }, 2_000);
  expect(first.objects.map(({ name }) => name)).toEqual(['a/0', 'b/0']);
  const second = await bucket.list({ most: 2, pageToken: first.nextPageToken }, 2_000);
  expect(second.objects).toMatchObject([{ name: 'b/1', bytes: 6, metadata: { project: '店铺' } }]);
  expect((await bucket.list({ prefix: 'b/', most: 10 }, 2_000)).objects).toHaveLength(2);
});

describe('trouble', () => {
  test('that passes is waited out', async () => {
    const rolls = [0, 0, 1];
    Object.assign(faults, { unavailableRate: 0.5, random: () => rolls.shift() ?? 1 });
    expect(await bucket.write(object(), '0', 5_000)).toMatchObject({ kind: 'written' });
  });

  test('with the answer of a write shows as changed, since the object is there', async () => {
    const rolls = [0];
    Object.assign(faults, { storedThenLostRate: 0.5, random: () => rolls.shift() ?? 1 });
    expect(await bucket.write(object(), '0', 5_000)).toEqual({ kind: 'changed' });
    expect((await witness('batch/0').download())[0]).toEqual(object().data);
  });

  test('that stays is told with its status, within the time given', async () => {
    faults.unavailableRate = 1;
    await expect(bucket.write(object(), '0', 300)).rejects.toMatchObject({
      name: 'StorageError',
      status: 503,
    });
  });

  test('that cannot pass is not tried again', async () => {
    const nowhere = openBucket('nowhere-at-all', { LOCAL_STORAGE: `127.0.0.1:${server.port}` });
    await expect(nowhere.write(object(), '0', 60_000)).rejects.toMatchObject({ status: 404 });
    await expect(nowhere.list({ most: 1 }, 60_000)).rejects.toMatchObject({ status: 404 });
  });

  test('by a server that takes the connection and never answers ends in time, and leaves no connection open', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.resume())).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const hanging = openBucket('any', { LOCAL_STORAGE: `127.0.0.1:${port}` });
    await expect(hanging.write(object(), '0', 200)).rejects.toMatchObject({ status: 0 });
    await expect.poll(() => sockets.every(({ closed }) => closed)).toBe(true);
    expect(sockets.length).toBeGreaterThan(0);
    silent.close();
  });

  test('because nobody listens ends in time', async () => {
    const nobody = openBucket('any', { LOCAL_STORAGE: '127.0.0.1:1' });
    await expect(nobody.find('x', 200)).rejects.toThrow('Cloud Storage did not answer: ECONNREFUSED');
  });
});
