import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Bucket, Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StorageServer, startStorage } from '../../local/storage/index.ts';
import { codeOf, connectStorage } from './storage-client.ts';

// What Google's documentation says of Cloud Storage, asked of the local one with Google's client. Each test names the
// page below https://cloud.google.com/storage/docs/ that it is taken from.

let server: StorageServer;
let storage: Storage;
let bucket: Bucket;
let buckets = 0;

beforeAll(async () => {
  server = await startStorage({ port: 0, file: ':memory:' });
  storage = connectStorage(server.port);
});

afterAll(() => server.close());

beforeEach(async () => {
  [bucket] = await storage.createBucket(`bucket-${buckets++}`);
});

const contentOf = async (name: string) => String((await bucket.file(name).download())[0]);
const generationOf = async (name: string) => Number((await bucket.file(name).getMetadata())[0].generation);

describe('consistency', () => {
  test('an object is there for every reader once its write was answered (consistency)', async () => {
    const other = connectStorage(server.port).bucket(bucket.name);
    for (let version = 0; version < 20; version++) {
      await bucket.file('object').save(`version ${version}`);
      expect(String((await other.file('object').download())[0])).toBe(`version ${version}`);
    }
    await bucket.file('object').setMetadata({ metadata: { seen: 'yes' } });
    const [metadata] = await other.file('object').getMetadata();
    expect(metadata.metadata).toEqual({ seen: 'yes' });
  });

  test('an object that was deleted is 404 and in no list (consistency)', async () => {
    await bucket.file('object').save('a');
    await bucket.file('object').delete();
    expect(await codeOf(bucket.file('object').download())).toBe(404);
    expect(await codeOf(bucket.file('object').getMetadata())).toBe(404);
    expect(await codeOf(bucket.file('object').delete())).toBe(404);
    expect(await bucket.file('object').exists()).toEqual([false]);
    expect((await bucket.getFiles())[0]).toEqual([]);
  });

  test('a new object is in the list at once (consistency)', async () => {
    for (const name of ['b', 'a', 'c']) {
      await bucket.file(name).save('');
      expect((await bucket.getFiles())[0].map((file) => file.name)).toContain(name);
    }
  });
});

describe('an object resource', () => {
  test('tells what was stored, with its checksums (json_api/v1/objects#resource)', async () => {
    const content = Buffer.from('The quick brown fox jumps over the lazy dog');
    await bucket.file('a/fox').save(content, {
      metadata: { contentType: 'text/plain', cacheControl: 'no-store', metadata: { animal: 'fox' } },
    });
    const [metadata] = await bucket.file('a/fox').getMetadata();
    expect(metadata).toMatchObject({
      kind: 'storage#object',
      id: `${bucket.name}/a/fox/${metadata.generation}`,
      name: 'a/fox',
      bucket: bucket.name,
      generation: expect.stringMatching(/^\d{16}$/),
      metageneration: '1',
      contentType: 'text/plain',
      cacheControl: 'no-store',
      storageClass: 'STANDARD',
      size: '43',
      md5Hash: 'nhB9nTcrtoJr2B01QqQZ1g==',
      crc32c: 'ImIEBA==',
      metadata: { animal: 'fox' },
      timeCreated: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      selfLink: expect.stringContaining('/o/a%2Ffox'),
      mediaLink: expect.stringContaining(`/o/a%2Ffox?generation=${metadata.generation}&alt=media`),
    });
    const answer = await fetch(String(metadata.mediaLink));
    expect(await answer.text()).toBe(String(content));
    expect(answer.headers.get('content-type')).toBe('text/plain');
  });

  test('has a later generation after each write, and metageneration 1 again (metadata#generation-number)', async () => {
    let last = 0;
    for (let version = 0; version < 30; version++) {
      const file = bucket.file('object');
      await file.save(`${version}`, { resumable: version % 2 === 0 });
      const generation = Number(file.metadata.generation);
      expect(generation).toBeGreaterThan(last);
      expect(file.metadata.metageneration).toBe('1');
      last = generation;
      if (version % 10 === 0) await file.delete();
    }
  });

  test('has a higher metageneration after each change of metadata (json_api/v1/objects/patch)', async () => {
    const file = bucket.file('object');
    await file.save('a', { metadata: { contentType: 'text/plain', metadata: { kept: '1', dropped: '2' } } });
    const before = file.metadata;
    await file.setMetadata({ metadata: { dropped: null, added: '3' }, contentLanguage: 'de' });
    const [after] = await bucket.file('object').getMetadata();
    expect(after).toMatchObject({
      generation: before.generation,
      metageneration: '2',
      contentType: 'text/plain',
      contentLanguage: 'de',
      metadata: { kept: '1', added: '3' },
    });
    expect(after.metadata).not.toHaveProperty('dropped');
    expect(after.etag).not.toBe(before.etag);
    expect(await contentOf('object')).toBe('a');
  });

  test('keeps metadata keys that mean something to JavaScript (json_api/v1/objects#resource)', async () => {
    const metadata = JSON.parse('{"__proto__": "a", "constructor": "b", "toString": "c"}') as Record<
      string,
      string
    >;
    await bucket.file('object').save('a', { resumable: false, metadata: { metadata } });
    const [stored] = await bucket.file('object').getMetadata();
    expect(Object.entries(stored.metadata ?? {}).sort()).toEqual(Object.entries(metadata).sort());
    expect(({} as Record<string, unknown>).constructor).toBe(Object);
  });

  test('may have up to 8 KiB of custom metadata (quotas#objects)', async () => {
    const file = bucket.file('object');
    await file.save('a', { metadata: { metadata: { key: 'v'.repeat(8192 - 3) } } });
    expect(await codeOf(file.save('a', { metadata: { metadata: { key: 'v'.repeat(8192 - 2) } } }))).toBe(400);
  });
});

describe('a name', () => {
  const names = [
    'ä ö/ü?#%&+.txt',
    '日本語/データ',
    '🦊',
    '%2F',
    'a//b/',
    "it's",
    '\u0001\u{10ffff}',
    ' ',
    '__proto__',
  ];

  test.each(names)('may be %j (objects#naming)', async (name) => {
    for (const resumable of [true, false]) {
      await bucket.file(name).save(`of ${name}`, { resumable });
      expect(await contentOf(name)).toBe(`of ${name}`);
      expect((await bucket.getFiles())[0].map((file) => file.name)).toEqual([name]);
    }
    await bucket.file(name).copy(bucket.file(`${name} copy`));
    await bucket.file(name).delete();
    expect((await bucket.getFiles())[0].map((file) => file.name)).toEqual([`${name} copy`]);
  });

  test('has 1 to 1,024 bytes of UTF-8 and no line ends (objects#naming)', async () => {
    await bucket.file('é'.repeat(512)).save('a');
    for (const name of ['é'.repeat(513), 'a\nb', 'a\rb', '.well-known/acme-challenge/a']) {
      expect(await codeOf(bucket.file(name).save('a'))).toBe(400);
    }
    expect((await bucket.getFiles())[0]).toHaveLength(1);
  });

  test.each([
    'ab',
    'Capital',
    '-dash',
    'dash-',
    'a'.repeat(64),
    '192.168.5.4',
    'goog-mine',
    'my-google',
    'a..b',
  ])('of a bucket is not %s (buckets#naming)', async (name) => {
    expect(await codeOf(storage.createBucket(name))).toBe(400);
  });
});

describe('a list', () => {
  test('comes in pages of 1,000, in the order of UTF-8 bytes (json_api/v1/objects/list)', async () => {
    const upload = `http://127.0.0.1:${server.port}/upload/storage/v1/b/${bucket.name}/o?uploadType=media&name=`;
    const names = Array.from({ length: 1030 }, (_, index) => `object ${index}`);
    names.push('\uffff', '😀', 'é', 'Z');
    for (let first = 0; first < names.length; first += 50) {
      const some = names.slice(first, first + 50);
      await Promise.all(
        some.map((name) => fetch(upload + encodeURIComponent(name), { method: 'POST', body: 'a' })),
      );
    }
    const sorted = names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    const [page, next, answer] = await bucket.getFiles({ autoPaginate: false });
    expect(page.map((file) => file.name)).toEqual(sorted.slice(0, 1000));
    expect(answer).toHaveProperty('nextPageToken');
    const [rest, none] = await bucket.getFiles({ ...next, autoPaginate: false });
    expect(rest.map((file) => file.name)).toEqual(sorted.slice(1000));
    expect(none).toBeNull();
    expect((await bucket.getFiles({ maxResults: 5000, autoPaginate: false }))[0]).toHaveLength(1000);
    expect((await bucket.getFiles())[0].map((file) => file.name)).toEqual(sorted);
  });

  test('folds what follows the delimiter into prefixes (json_api/v1/objects/list)', async () => {
    for (const name of ['a/b.txt', 'a/b/c', 'a/b/d', 'a/e/f', 'b', 'a']) await bucket.file(name).save('');
    const list = async (query: object) => {
      const [files, , answer] = await bucket.getFiles({ autoPaginate: false, ...query });
      return [files.map((file) => file.name), (answer as { prefixes?: string[] }).prefixes ?? []];
    };
    expect(await list({ delimiter: '/' })).toEqual([['a', 'b'], ['a/']]);
    expect(await list({ prefix: 'a/', delimiter: '/' })).toEqual([['a/b.txt'], ['a/b/', 'a/e/']]);
    expect(await list({ prefix: 'a/b/' })).toEqual([['a/b/c', 'a/b/d'], []]);
    expect(await list({ startOffset: 'a/b/d', endOffset: 'b' })).toEqual([['a/b/d', 'a/e/f'], []]);
  });
});

describe('a download', () => {
  test('of a range gives those bytes (json_api/v1/objects/get)', async () => {
    await bucket.file('object').save('0123456789');
    const read = async (range: object) => String((await bucket.file('object').download(range))[0]);
    expect(await read({ start: 2, end: 4 })).toBe('234');
    expect(await read({ start: 7 })).toBe('789');
    expect(await read({ end: -3 })).toBe('789');
    expect(await read({ start: 5, end: 500 })).toBe('56789');
    expect(await codeOf(bucket.file('object').download({ start: 10 }))).toBe(416);
  });

  test('of gzip comes as it is to whoever takes gzip, and decompressed to others (transcoding)', async () => {
    const gzip = gzipSync('long text '.repeat(1000));
    await bucket
      .file('object')
      .save(gzip, { metadata: { contentEncoding: 'gzip', contentType: 'text/plain' } });
    expect((await bucket.file('object').download({ decompress: false }))[0].equals(gzip)).toBe(true);
    expect(await contentOf('object')).toBe('long text '.repeat(1000));
    const url = `http://127.0.0.1:${server.port}/${bucket.name}/object`;
    const answer = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.text()).toBe('long text '.repeat(1000));
  });
});

describe('an upload', () => {
  test.each([0, 1, 256 * 1024, 8 * 1024 * 1024])(
    'of %i bytes arrives whole in every way (uploads-downloads)',
    async (size) => {
      const content = randomBytes(size);
      for (const options of [{ resumable: false }, { resumable: true }, { chunkSize: 1024 * 1024 }]) {
        await bucket.file('object').save(content, { ...options, validation: 'md5' });
        const [found] = await bucket.file('object').download({ validation: 'md5' });
        expect(found.equals(content)).toBe(true);
        expect((await bucket.file('object').getMetadata())[0].size).toBe(String(size));
      }
    },
  );

  test('with a checksum that is not that of its data is refused (data-validation)', async () => {
    const file = bucket.file('object');
    const metadata = { crc32c: 'AAAAAA==' };
    expect(await codeOf(file.save('data', { resumable: false, metadata }))).toBe(400);
    expect(await codeOf(file.save('data', { metadata: { md5Hash: '1B2M2Y8AsgTpgAmY7PhCfg==' } }))).toBe(400);
    expect(await file.exists()).toEqual([false]);
  });

  test('is not there before it is complete (resumable-uploads)', async () => {
    const file = bucket.file('object');
    const [uri] = await file.createResumableUpload();
    const half = { 'content-range': `bytes 0-${256 * 1024 - 1}/${512 * 1024}` };
    const put = (body: Buffer, headers: Record<string, string>) =>
      fetch(uri, { method: 'PUT', body: new Uint8Array(body), headers, redirect: 'manual' });
    const first = await put(Buffer.alloc(256 * 1024, 'a'), half);
    expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${256 * 1024 - 1}`]);
    expect(await file.exists()).toEqual([false]);
    const state = await put(Buffer.alloc(0), { 'content-range': 'bytes */*' });
    expect([state.status, state.headers.get('range')]).toEqual([308, `bytes=0-${256 * 1024 - 1}`]);
    const rest = await put(Buffer.alloc(256 * 1024, 'b'), {
      'content-range': `bytes ${256 * 1024}-${512 * 1024 - 1}/${512 * 1024}`,
    });
    expect(rest.status).toBe(200);
    expect(await contentOf('object')).toBe('a'.repeat(256 * 1024) + 'b'.repeat(256 * 1024));
    expect((await put(Buffer.alloc(0), { 'content-range': 'bytes */*' })).status).toBe(200);
  });
});

describe('a copy', () => {
  test('has the content and the metadata of its source (json_api/v1/objects/rewrite)', async () => {
    await bucket.file('a').save('content', { metadata: { contentType: 'text/plain', metadata: { k: 'v' } } });
    const [other] = await storage.createBucket(`${bucket.name}-other`);
    await bucket.file('a').copy(other.file('b'));
    const [metadata] = await other.file('b').getMetadata();
    expect(metadata).toMatchObject({ contentType: 'text/plain', metadata: { k: 'v' }, size: '7' });
    await bucket.file('a').move('c');
    expect((await bucket.getFiles())[0].map((file) => file.name)).toEqual(['c']);
    expect(await codeOf(bucket.file('a').copy('d'))).toBe(404);
  });

  test('of several is their concatenation, without an MD5 (composite-objects)', async () => {
    for (const name of ['a', 'b', 'c']) await bucket.file(name).save(name);
    await bucket.combine(['c', 'a', 'b'], 'all');
    expect(await contentOf('all')).toBe('cab');
    const [metadata] = await bucket.file('all').getMetadata();
    expect(metadata).toMatchObject({ componentCount: 3, size: '3' });
    expect(metadata).not.toHaveProperty('md5Hash');
  });
});

describe('a bucket', () => {
  test('exists once and is deleted only when it is empty (json_api/v1/status-codes)', async () => {
    expect(await codeOf(storage.createBucket(bucket.name))).toBe(409);
    await bucket.file('object').save('a');
    await expect(bucket.delete()).rejects.toMatchObject({
      code: 409,
      errors: [
        { domain: 'global', reason: 'conflict', message: 'The bucket you tried to delete is not empty.' },
      ],
    });
    await bucket.deleteFiles();
    await bucket.delete();
    expect(await bucket.exists()).toEqual([false]);
    expect(await codeOf(bucket.file('object').save('a'))).toBe(404);
    expect(await codeOf(bucket.getFiles())).toBe(404);
  });

  test('keeps its labels, and is in the list of its project (json_api/v1/buckets)', async () => {
    await bucket.setMetadata({ labels: { team: 'a', stage: 'b' } });
    await bucket.setMetadata({ labels: { stage: null } });
    const [metadata] = await bucket.getMetadata();
    expect(metadata).toMatchObject({ labels: { team: 'a' }, metageneration: '3' });
    const [listed] = await storage.getBuckets({ prefix: 'bucket-' });
    expect(listed.map(({ name }) => name)).toContain(bucket.name);
    expect((await storage.getBuckets({ project: 'another' }))[0]).toEqual([]);
  });
});

test('generations are what the client reads and gives back', async () => {
  await bucket.file('object').save('a');
  const generation = await generationOf('object');
  const file = bucket.file('object', { generation });
  expect(String((await file.download())[0])).toBe('a');
  await bucket.file('object').save('b');
  expect(await codeOf(file.download())).toBe(404);
});
