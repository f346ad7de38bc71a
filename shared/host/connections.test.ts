import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createHost, type Host, LIMITS, type Limits } from './server.ts';

let host: Host;
let port: number;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  host.server.close();
  host.server.closeAllConnections();
});

type Handle = (request: IncomingMessage, response: ServerResponse) => unknown;

async function readAll(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  return bytes;
}

/** Answers with how long the body was. */
const measure = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  response.end(`${await readAll(request)} bytes`);
};

async function serve(handle: Handle = measure, limits: Partial<Limits> = {}): Promise<void> {
  host = createHost(handle, { ...LIMITS, ...limits });
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = host.server.address() as AddressInfo);
}

/** A bare connection, and all that was read from it. */
function open() {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  let text = '';
  const errors: (string | undefined)[] = [];
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
  return {
    socket,
    errors,
    text: () => text,
    /** Resolves once this has been read. */
    read: (expected: string | RegExp) => expect.poll(() => text, { timeout: 60_000 }).toMatch(expected),
    closed: () => expect.poll(() => socket.readableEnded || socket.closed, { timeout: 60_000 }).toBe(true),
  };
}

const head = (lines: string[], path = '/') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`;

describe('a sender', () => {
  test('that closes its half after its request gets its answer', async () => {
    await serve(async (request, response) => {
      await sleep(50);
      await measure(request, response);
    });
    const { socket, read, closed } = open();
    socket.end(`${head(['Content-Length: 3'])}abc`);
    await read(/200 OK[\s\S]*3 bytes/);
    await closed();
  });

  test('that closes its half in the middle of its body is let go', async () => {
    const aborted: unknown[] = [];
    await serve(async (request, response) => {
      await measure(request, response).catch((error: Error) => aborted.push(error.message));
    });
    const { socket, closed } = open();
    socket.end(`${head(['Content-Length: 10'])}abc`);
    await closed();
    await expect.poll(() => aborted).toEqual(['aborted']);
  });

  test('that never finishes its header is answered 408', async () => {
    await serve(measure, { headersTimeoutMs: 100, checkEveryMs: 20 });
    const { socket, read, closed } = open();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    await read(/^HTTP\/1.1 408 Request Timeout\r\nConnection: close/);
    await closed();
  });

  test('that drips its body for longer than a request may take is answered 408', async () => {
    await serve(measure, { headersTimeoutMs: 100, requestTimeoutMs: 150, checkEveryMs: 20 });
    const { socket, read, closed } = open();
    socket.write(head(['Content-Length: 1000']));
    const drip = setInterval(() => socket.write('x'), 20);
    await read(/^HTTP\/1.1 408 /);
    clearInterval(drip);
    await closed();
  });

  test('that stops in the middle of its body is answered 408, and what it sent is let go', async () => {
    const ended: string[] = [];
    await serve(
      async (request, response) => {
        await measure(request, response).catch(() => ended.push('let go'));
      },
      { bodyIdleTimeoutMs: 50 },
    );
    const { socket, read, closed } = open();
    socket.write(`${head(['Transfer-Encoding: chunked'])}3\r\nabc\r\n`);
    await read(/^HTTP\/1.1 408 /);
    await closed();
    socket.destroy();
    await expect.poll(() => ended).toEqual(['let go']);
  });

  test('that has sent all waits for its answer for as long as that takes', async () => {
    await serve(
      async (request, response) => {
        await readAll(request);
        await sleep(200);
        response.end('at last');
      },
      { bodyIdleTimeoutMs: 50 },
    );
    const { socket, read } = open();
    socket.write(`${head(['Content-Length: 3'])}abc`);
    await read(/200 OK[\s\S]*at last/);
  });

  test('that asks before it sends is told to go on', async () => {
    await serve();
    const { socket, read } = open();
    socket.write(head(['Content-Length: 3', 'Expect: 100-continue']));
    await read(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    socket.write('abc');
    await read(/200 OK[\s\S]*3 bytes/);
  });

  test('that offers HTTP/2 is answered in HTTP/1.1', async () => {
    await serve();
    const { socket, read } = open();
    socket.write(`${head(['Content-Length: 3', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'])}abc`);
    await read(/^HTTP\/1.1 200 OK[\s\S]*3 bytes/);
  });
});

describe('what is no request', () => {
  test.each([
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['a TLS greeting', Buffer.from('1603010200010001fc0303', 'hex'), 400],
    ['a length that is none', head(['Content-Length: x']), 400],
    ['two lengths', head(['Content-Length: 3', 'Content-Length: 4']), 400],
    ['a length and chunks', `${head(['Content-Length: 3', 'Transfer-Encoding: chunked'])}0\r\n\r\n`, 400],
    ['a chunk of no length', `${head(['Transfer-Encoding: chunked'])}zz\r\nabc\r\n`, 400],
    ['headers without end', head([`X: ${'a'.repeat(200_000)}`]), 431],
    ['a URL of 70,000 characters', head(['Content-Length: 0'], `/?${'a'.repeat(70_000)}`), 414],
    ['a URL of a megabyte', head(['Content-Length: 0'], `/?${'a'.repeat(1_000_000)}`), 431],
    [
      'chunk extensions without end',
      `${head(['Transfer-Encoding: chunked'])}3;${'a'.repeat(20_000)}\r\n`,
      413,
    ],
  ])('(%s) is answered, read to its end, and the connection closed', async (_, bytes, status) => {
    await serve();
    const { socket, errors, read, closed } = open();
    socket.write(bytes);
    await read(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*Connection: close`));
    await closed();
    expect(errors).toEqual([]);
  });

  test('after a whole request leaves that its answer', async () => {
    await serve(async (request, response) => {
      await sleep(50);
      await measure(request, response);
    });
    const { socket, text, read, closed } = open();
    socket.write(`${head(['Content-Length: 3'])}abcnonsense\r\n\r\n`);
    await read(/^HTTP\/1.1 200 OK[\s\S]*3 bytes/);
    await closed();
    expect(text()).not.toContain('400');
  });
});

test('500 connections that say nothing keep nobody from being served', async () => {
  await serve();
  const silent = Array.from({ length: 500 }, () => open().socket);
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const { socket, read } = open();
  socket.write(`${head(['Content-Length: 3'])}abc`);
  await read(/200 OK/);
});

test('what a sender that has gone left to be done is done before the host has drained', async () => {
  let isDone = false;
  let finish = () => {};
  await serve(async (request) => {
    await readAll(request);
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    isDone = true;
  });
  const { socket } = open();
  const requested = once(host.server, 'request');
  socket.write(`${head(['Content-Length: 3'])}abc`);
  const [, response] = (await requested) as [IncomingMessage, ServerResponse];
  socket.resetAndDestroy();
  await once(response, 'close');
  const drained = host.drain(5_000).then(() => isDone);
  setTimeout(() => finish(), 200);
  expect(await drained).toBe(true);
});
