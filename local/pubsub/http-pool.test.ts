import { createServer } from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpPool, createReader, type HttpPool } from './http-pool.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: net.Server): Promise<HttpPool> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const pool = createHttpPool(new URL(`http://127.0.0.1:${port}/push?a=b`));
  closers.push(() => {
    pool.close();
    server.close();
  });
  return pool;
}

const answers = {
  'no content': 'HTTP/1.1 204 No Content\r\ndate: x\r\n\r\n',
  'a body of known length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'an empty body': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
  'a chunked body':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n0\r\n\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\nt: r\r\n\r\n',
  'an interim answer': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno',
};

describe('the reader of answers', () => {
  test.each(Object.entries(answers))('finds the end of %s, however it is cut', (_, answer) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: answer.length - 1 }), { maxLength: 6 }), (cuts) => {
        const reader = createReader();
        const edges = [0, ...new Set(cuts.sort((a, b) => a - b)), answer.length];
        const outcomes = edges.slice(1).map((edge, index) => reader.read(answer.slice(edges[index], edge)));
        expect(outcomes.pop()).toBe('done');
        expect(outcomes.every((outcome) => outcome === 'more')).toBe(true);
        expect(reader.status).toBe(answer.includes('503') ? 503 : answer.includes('204') ? 204 : 200);
      }),
    );
  });

  test.each([
    ['asks for it', 'HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 0\r\n\r\n'],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['gives no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['sends more than it said', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nhello'],
    ['is not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ])('does not use a connection again whose peer %s', (_, answer) => {
    expect(createReader().read(answer)).toBe('close');
  });

  test('takes 102 as the status', () => {
    const reader = createReader();
    expect(reader.read('HTTP/1.1 102 Processing\r\n\r\n')).toBe('more');
    expect(reader.status).toBe(102);
  });
});

describe('the pool', () => {
  test('sends what node:http understands, over one connection when one is enough', async () => {
    const seen: { url: string | undefined; body: string; type: string | undefined }[] = [];
    let connections = 0;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push({ url: request.url, body, type: request.headers['content-type'] });
        response.end('fine');
      });
    }).on('connection', () => connections++);
    const pool = await listen(server);
    for (const body of ['{"a":"é"}', '2', '3']) {
      expect(await pool.post('content-type: application/json\r\n', body, 5000)).toBe(200);
    }
    expect(seen[0]).toEqual({ url: '/push?a=b', body: '{"a":"é"}', type: 'application/json' });
    expect(connections).toBe(1);
  });

  test('tries again on a new connection when a kept one was closed meanwhile', async () => {
    let requests = 0;
    const server = net.createServer((socket) => {
      let answered = false;
      socket.on('error', () => {});
      socket.on('data', () => {
        requests++;
        if (answered) socket.destroy();
        else socket.write(answers['no content']);
        answered = true;
      });
    });
    const pool = await listen(server);
    expect(await pool.post('', '1', 5000)).toBe(204);
    expect(await pool.post('', '2', 5000)).toBe(204);
    expect(requests).toBe(3);
  });

  test('fails when a new connection is closed without an answer', async () => {
    const pool = await listen(net.createServer((socket) => socket.on('data', () => socket.destroy())));
    await expect(pool.post('', '1', 5000)).rejects.toThrow('closed before the answer');
  });

  test('fails when nobody listens, and when no answer comes in time', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => {}));
    const pool = await listen(silent);
    await expect(pool.post('', '1', 50)).rejects.toThrow('no answer within the ack deadline');
    const nobody = createHttpPool(new URL('http://127.0.0.1:1/'));
    await expect(nobody.post('', '1', 5000)).rejects.toThrow('ECONNREFUSED');
  });
});
