import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StorageServer, startStorage } from './index.ts';

// What Google's client never sends, or hides: requests written by hand.

let server: StorageServer;
let base: string;

beforeAll(async () => {
  server = await startStorage({ port: 0, file: ':memory:' });
  base = `http://127.0.0.1:${server.port}`;
  const body = JSON.stringify({ name: 'bucket' });
  await fetch(`${base}/storage/v1/b?project=local`, { method: 'POST', body });
  await upload('object', 'content');
});

afterAll(() => server.close());

const upload = (name: string, body: string, query = '', headers: Record<string, string> = {}) =>
  fetch(`${base}/upload/storage/v1/b/bucket/o?uploadType=media&name=${encodeURIComponent(name)}${query}`, {
    method: 'POST',
    body,
    headers,
  });

interface Failure {
  error: { code: number; message: string; errors: { domain: string; reason: string; location?: string }[] };
}

/** The failure of a request, with its code in the body as in the status. */
async function failureOf(answer: Response): Promise<Failure['error']> {
  const { error } = (await answer.json()) as Failure;
  expect(error.code).toBe(answer.status);
  expect(error.errors[0]?.domain).toBe('global');
  return error;
}

describe('what is not supported is refused by name:', () => {
  test.each([
    ['versions', 'GET', '/storage/v1/b/bucket/o?versions=true'],
    ['softDeleted', 'GET', '/storage/v1/b/bucket/o?softDeleted=true'],
    ['matchGlob', 'GET', '/storage/v1/b/bucket/o?matchGlob=*'],
    ['fields', 'GET', '/storage/v1/b/bucket/o?fields=items(name)'],
    ['projection=acl', 'GET', '/storage/v1/b/bucket/o/object?projection=acl'],
    ['includeTrailingDelimiter', 'GET', '/storage/v1/b/bucket/o?includeTrailingDelimiter=true'],
    ['userProject', 'GET', '/storage/v1/b/bucket/o/object?userProject=other'],
    ['alt=proto', 'GET', '/storage/v1/b/bucket/o/object?alt=proto'],
    ['alt=media', 'GET', '/storage/v1/b/bucket/o?alt=media'],
    ['uploadType=form', 'POST', '/upload/storage/v1/b/bucket/o?uploadType=form'],
    ['kmsKeyName', 'POST', '/upload/storage/v1/b/bucket/o?uploadType=media&name=a&kmsKeyName=k'],
    ['predefinedAcl', 'POST', '/upload/storage/v1/b/bucket/o?uploadType=media&name=a&predefinedAcl=private'],
    ['ifGenerationMatches', 'DELETE', '/storage/v1/b/bucket/o/object?ifGenerationMatches=0'],
    ['POST /storage/v1/b/bucket/o/object/moveTo/o/b', 'POST', '/storage/v1/b/bucket/o/object/moveTo/o/b'],
    ['GET /storage/v1/b/bucket/o/object/acl', 'GET', '/storage/v1/b/bucket/o/object/acl'],
    ['GET /storage/v1/b/bucket/iam', 'GET', '/storage/v1/b/bucket/iam'],
    ['POST /batch/storage/v1', 'POST', '/batch/storage/v1'],
    ['PUT', 'PUT', '/bucket/object'],
  ])('%s', async (what, method, path) => {
    const answer = await fetch(base + path, { method, ...(method === 'GET' ? {} : { body: '{}' }) });
    const failure = await failureOf(answer);
    expect(failure.code).toBe(501);
    expect(failure.errors[0]?.reason).toBe('notImplemented');
    expect(failure.message).toContain(what);
  });

  test.each([
    ['x-goog-encryption-key', 'a'],
    ['x-goog-if-generation-match', '0'],
    ['x-http-method-override', 'DELETE'],
    ['content-encoding', 'gzip'],
    ['if-none-match', '*'],
    ['if-unmodified-since', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ])('the header %s', async (name, value) => {
    expect((await failureOf(await upload('refused', 'a', '', { [name]: value }))).code).toBe(501);
    expect((await fetch(`${base}/storage/v1/b/bucket/o/refused`)).status).toBe(404);
  });

  test.each([
    ['acl', []],
    ['temporaryHold', true],
    ['retention', { mode: 'Locked' }],
    ['madeUp', 1],
  ])('the object field %s', async (name, value) => {
    const answer = await fetch(`${base}/storage/v1/b/bucket/o/object`, {
      method: 'PATCH',
      body: JSON.stringify({ [name]: value }),
    });
    const failure = await failureOf(answer);
    expect([failure.code, failure.message]).toEqual([501, expect.stringContaining(name)]);
  });

  test.each([
    ['lifecycle', { rule: [] }],
    ['versioning', { enabled: true }],
    ['softDeletePolicy', { retentionDurationSeconds: '604800' }],
    ['encryption', { defaultKmsKeyName: 'k' }],
  ])('the bucket field %s', async (name, value) => {
    const body = JSON.stringify({ name: 'refused', [name]: value });
    const answer = await fetch(`${base}/storage/v1/b?project=local`, { method: 'POST', body });
    expect((await failureOf(answer)).code).toBe(501);
    expect((await fetch(`${base}/storage/v1/b/refused`)).status).toBe(404);
  });
});

describe('what is wrong is answered 400:', () => {
  test.each([
    ['GET', '/storage/v1/b/bucket/o/object?ifGenerationMatch=one'],
    ['GET', '/storage/v1/b/bucket/o/object?ifGenerationMatch=9223372036854775808'],
    ['GET', '/storage/v1/b/bucket/o/object?generation=1&generation=2'],
    ['GET', '/storage/v1/b/bucket/o?maxResults=0'],
    ['GET', '/storage/v1/b/bucket/o?pageToken=made-up'],
    ['GET', '/storage/v1/b/bucket/o/%ff'],
    ['GET', '/storage/v1/b'],
    ['POST', '/upload/storage/v1/b/bucket/o?uploadType=media'],
    ['POST', '/upload/storage/v1/b/bucket/o?name=a'],
    ['POST', '/upload/storage/v1/b/bucket/o?name=a&uploadType=multipart'],
    ['PATCH', '/storage/v1/b/bucket/o/object', '{"metadata": {"a": 1}}'],
    ['PATCH', '/storage/v1/b/bucket/o/object', '{"contentType": "a\\r\\nset-cookie: b"}'],
    ['PATCH', '/storage/v1/b/bucket/o/object', '{"storageClass": "COLDLINE"}'],
    ['PATCH', '/storage/v1/b/bucket/o/object', 'not json'],
    ['PATCH', '/storage/v1/b/bucket/o/object', '[]'],
    ['POST', '/storage/v1/b/bucket/o/all/compose', '{"sourceObjects": []}'],
  ])('%s %s %s', async (method, path, body = '') => {
    const answer = await fetch(base + path, { method, ...(method === 'GET' ? {} : { body }) });
    expect((await failureOf(answer)).code).toBe(400);
  });
});

describe('an upload', () => {
  const multipart = (body: string, type = 'multipart/related; boundary="b=1"') =>
    fetch(`${base}/upload/storage/v1/b/bucket/o?uploadType=multipart`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
  const resource = '--b=1\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{"name":"parts"}\r\n';

  test.each(['', '\r\n--b=1x', 'x--b=1', 'a\r\n', '\r\n\r\n', '\r\n--b='])(
    'in parts may hold what looks like a part: %j',
    async (content) => {
      const answer = await multipart(
        `${resource}--b=1\r\nContent-Type: text/plain\r\n\r\n${content}\r\n--b=1--`,
      );
      expect(await answer.json()).toMatchObject({ name: 'parts', contentType: 'text/plain' });
      expect(await (await fetch(`${base}/bucket/parts`)).text()).toBe(content);
    },
  );

  test.each([
    `${resource}--b=1--`,
    `${resource}--b=1\r\nContent-Type: text/plain\r\n\r\ncut off`,
    `--b=1\r\nContent-Type: text/plain\r\n\r\n{}\r\n--b=1\r\n\r\n\r\n--b=1--`,
    'nothing',
  ])('in parts that are not two is 400: %j', async (body) => {
    expect((await failureOf(await multipart(body))).code).toBe(400);
  });

  test.each(['content-length: 1000', 'transfer-encoding: chunked'])(
    'whose connection breaks leaves nothing: %s',
    async (length) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      const closed = once(socket, 'close');
      socket.write('POST /upload/storage/v1/b/bucket/o?uploadType=media&name=cut HTTP/1.1\r\nhost: a\r\n');
      socket.end(`${length}\r\n\r\n5\r\nabcde\r\n`);
      socket.resume();
      await closed;
      for (let asked = 0; asked < 20; asked++) {
        expect((await fetch(`${base}/storage/v1/b/bucket/o/cut`)).status).toBe(404);
      }
    },
  );

  test('over 64 MB is refused while it comes in, and the server goes on', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.write('POST /upload/storage/v1/b/bucket/o?uploadType=media&name=big HTTP/1.1\r\nhost: a\r\n');
    socket.write(`content-length: ${2 ** 40}\r\n\r\n`);
    const chunk = Buffer.alloc(1024 * 1024);
    for (let sent = 0; sent < 80 && answer === ''; sent++) {
      await new Promise((resolve) => socket.write(chunk, resolve));
    }
    await expect.poll(() => answer, { timeout: 30_000 }).toMatch(/^HTTP\/1.1 413 .*uploadTooLarge/s);
    socket.destroy();
    expect((await fetch(`${base}/storage/v1/b/bucket/o/big`)).status).toBe(404);
  });
});

describe('a resumable upload', () => {
  const start = async (query = '', headers: Record<string, string> = {}) => {
    const answer = await fetch(
      `${base}/upload/storage/v1/b/bucket/o?uploadType=resumable&name=resumed${query}`,
      {
        method: 'POST',
        headers,
      },
    );
    return answer.headers.get('location') ?? '';
  };
  const put = (address: string, body: string, range: string, headers: Record<string, string> = {}) =>
    fetch(address, {
      method: 'PUT',
      body,
      headers: { ...headers, 'content-range': range },
      redirect: 'manual',
    });
  const unit = 256 * 1024;

  test('stores of an unfinished chunk a multiple of 256 KiB, and ignores bytes that come again', async () => {
    const address = await start();
    const first = await put(address, 'a'.repeat(unit + 5), `bytes 0-${unit + 4}/*`);
    expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${unit - 1}`]);
    const small = await put(await start(), 'abc', 'bytes 0-2/*');
    expect([small.status, small.headers.get('range')]).toEqual([308, null]);
    const last = await put(address, `${'b'.repeat(unit)}end`, `bytes 0-${unit + 2}/${unit + 3}`);
    expect(last.status).toBe(200);
    expect(await (await fetch(`${base}/bucket/resumed`)).text()).toBe(`${'a'.repeat(unit)}end`);
  });

  test('that leaves a gap, sends too much or stops short of its announced size is 400', async () => {
    expect((await put(await start(), 'a', 'bytes 5-5/6')).status).toBe(400);
    expect((await put(await start(), 'abc', 'bytes 0-2/2')).status).toBe(400);
    expect(
      (await put(await start('', { 'x-upload-content-length': '9' }), 'abc', 'bytes 0-*/*')).status,
    ).toBe(400);
    expect((await put(await start(), 'abc', 'lines 1-2')).status).toBe(400);
  });

  test('looks at its precondition when it ends, not when it starts', async () => {
    const address = await start('&ifGenerationMatch=0');
    expect(address).toContain('ifGenerationMatch=0');
    await upload('resumed', 'in between');
    expect((await failureOf(await put(address, 'late', 'bytes 0-*/*'))).code).toBe(412);
    expect(await (await fetch(`${base}/bucket/resumed`)).text()).toBe('in between');
  });

  test('is given up when its checksum is wrong, and when it is cancelled', async () => {
    const wrong = await start();
    expect((await put(wrong, 'a', 'bytes 0-*/*', { 'x-goog-hash': 'crc32c=AAAAAA==' })).status).toBe(400);
    expect((await put(wrong, 'a', 'bytes 0-*/*')).status).toBe(404);
    const cancelled = await start();
    expect((await fetch(cancelled, { method: 'DELETE' })).status).toBe(499);
    expect((await put(cancelled, '', 'bytes */*')).status).toBe(404);
  });

  test('whose connection breaks goes on after what had arrived', async () => {
    const address = new URL(await start());
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `PUT ${address.pathname}${address.search} HTTP/1.1\r\nhost: a\r\ncontent-range: bytes 0-*/*\r\n`,
    );
    socket.write(`content-length: ${10 * unit}\r\n\r\n`);
    await new Promise((resolve) => socket.write('a'.repeat(unit + 100), resolve));
    socket.end();
    const range = async () => (await put(address.href, '', 'bytes */*')).headers.get('range');
    await expect.poll(range, { timeout: 30_000 }).toBe(`bytes=0-${unit - 1}`);
  });
});

describe('a download', () => {
  test('tells of the object in its headers, also to HEAD', async () => {
    await upload('described', 'abc', '', { 'content-type': 'text/plain' });
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await fetch(`${base}/bucket/described`, { method });
      expect([status, headers.get('content-type'), headers.get('content-length')]).toEqual([
        200,
        'text/plain',
        '3',
      ]);
      expect(headers.get('x-goog-hash')).toBe('crc32c=Nks/tw==,md5=kAFQmDzST7DWlj99KOF/cg==');
      expect(headers.get('x-goog-stored-content-encoding')).toBe('identity');
    }
  });

  test('is 304 for the ETag the client has, and 412 unless it has it', async () => {
    const url = `${base}/storage/v1/b/bucket/o/object?alt=media`;
    const etag = (await fetch(url)).headers.get('etag') ?? '';
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(url, { headers: { 'if-match': etag } })).status).toBe(200);
    expect((await fetch(url, { headers: { 'if-match': 'other' } })).status).toBe(412);
  });

  test('of what has no name that could be is 404', async () => {
    for (const path of ['/', '/bucket', '/bucket/none', '/none/object', '/favicon.ico']) {
      expect((await failureOf(await fetch(base + path))).code).toBe(404);
    }
  });
});
