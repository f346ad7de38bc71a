import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHost, type Host } from '../../shared/host/server.ts';
import { settingsSchema } from '../../shared/settings/settings.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createHandleRequest } from './handle-request.ts';

let host: Host;
let port: number;
let base: string;
let isStored = true;

beforeAll(async () => {
  host = createHost(
    createHandleRequest({
      dialects: wireDialects,
      settings: { current: () => settingsSchema.parse({}) },
      store: async () => {
        if (!isStored) throw new Error('not stored');
        return [];
      },
      log: () => {},
      logBatches: false,
      now: Date.now,
      caps: { body: 5_000_000, inflated: 20_000_000, events: 5000 },
    }),
  );
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = host.server.address() as AddressInfo);
  base = `http://127.0.0.1:${port}`;
});
afterAll(() => {
  host.server.close();
  host.server.closeAllConnections();
});

describe('a page', () => {
  const origin = 'https://shop.example.com';
  const readable = {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  };
  const crossOrigin = ({ headers }: Response) =>
    Object.fromEntries([...headers].filter(([name]) => /^(access-control-|vary$)/.test(name)));

  test('of any origin may send with cookies and read the answer, whatever it is', async () => {
    const send = (path: string, init: RequestInit = {}) =>
      fetch(`${base}${path}`, { method: 'POST', body: '[]', headers: { origin }, ...init });
    const success = await send('/up');
    expect([success.status, crossOrigin(success)]).toEqual([200, readable]);
    const tooLarge = await send('/up', { body: Buffer.alloc(5_000_001, 32) });
    expect([tooLarge.status, crossOrigin(tooLarge)]).toEqual([413, readable]);
    const unknown = await send('/down');
    expect([unknown.status, crossOrigin(unknown)]).toEqual([404, readable]);
    isStored = false;
    const refused = await send('/up');
    isStored = true;
    expect([refused.status, crossOrigin(refused)]).toEqual([503, readable]);
  });

  test('that asks first is told what it may send', async () => {
    const answer = await fetch(`${base}/up`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, x-any',
      },
    });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(crossOrigin(answer)).toMatchObject({
      ...readable,
      'access-control-allow-methods': expect.stringMatching(/\bPOST\b/),
      'access-control-allow-headers': 'content-type, x-any',
      'access-control-max-age': '86400',
    });
  });

  test('that asks for a path where nothing is sent to is not', async () => {
    expect((await fetch(`${base}/down`, { method: 'OPTIONS', headers: { origin } })).status).toBe(404);
  });

  test('is not needed: without an origin any may read', async () => {
    const answer = await fetch(`${base}/up`, { method: 'POST', body: '[]' });
    expect(crossOrigin(answer)).toEqual({ 'access-control-allow-origin': '*' });
  });
});

test('HEAD is answered where events are sent to, and for the root, without a body', async () => {
  for (const path of ['/', '/up']) {
    const answer = await fetch(`${base}${path}`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  }
  expect((await fetch(`${base}/down`, { method: 'HEAD' })).status).toBe(404);
});

/** Sends all that it has, as simple clients do, and only then reads; resolves to the answer and how the connection ended. */
async function sendThenRead(
  path: string,
  bytes: number,
): Promise<{ text: string; error: string | undefined }> {
  const socket = connect({ port, host: '127.0.0.1' });
  let error: string | undefined;
  socket.on('error', (thrown: NodeJS.ErrnoException) => {
    error = thrown.code;
  });
  socket.pause();
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`);
  const piece = Buffer.alloc(1_000_000, 32);
  for (let sent = 0; sent < bytes && error === undefined; sent += piece.length) {
    const rest = piece.subarray(0, Math.min(piece.length, bytes - sent));
    await new Promise((resolve) => socket.write(rest, resolve));
  }
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  await once(socket, 'close');
  return { text, error };
}

test.each([
  ['/up', 50_000_000, 413],
  ['/down', 5_000_000, 404],
])(
  'a sender to %s that reads only after the last of its %i bytes gets its answer, %i',
  async (path, bytes, status) => {
    const { text, error } = await sendThenRead(path, bytes);
    expect(error).toBeUndefined();
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  },
);

test('a body without end is cut off', async () => {
  const { error } = await sendThenRead('/up', 1_000_000_000);
  expect(error).toMatch(/EPIPE|ECONNRESET/);
});
