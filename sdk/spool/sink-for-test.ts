import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Route } from '../delivery/route.ts';

export interface Sink {
  readonly url: string;
  /** Lines of each request that was answered with 200, and of each that was not. */
  readonly stored: string[][];
  readonly refused: string[][];
  /** Chooses the status of each request; 500s marked `stored` keep the events all the same. */
  answer: (count: number) => { readonly status: number; readonly keep?: boolean };
  stop(): Promise<void>;
}

/** A server that keeps the lines which are posted to it. */
export async function startSink(port = 0): Promise<Sink> {
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, keep = status < 300 } = sink.answer(count++);
      (keep ? sink.stored : sink.refused).push(Buffer.concat(chunks).toString().trimEnd().split('\n'));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const sink: Sink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stored: [],
    refused: [],
    answer: () => ({ status: 200 }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return sink;
}

/** Lines as they are, so many a request. */
export const createLineRoute = (name = 'test/lines', events = 20): Route => ({
  name,
  limits: { events, bytes: 1024 * 1024 },
  encode: (lines) => ({ path: '/lines', headers: {}, body: lines.bytes }),
  judge: (status) =>
    status < 300 ? { kind: 'delivered' } : { kind: 'refused', detail: `the sink answered ${status}` },
});
