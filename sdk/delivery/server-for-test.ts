import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificate } from './certificate-for-test.ts';
import { readEvents } from './event-lines.ts';
import type { Route } from './route.ts';

/** What the server does with a request. `stored` and `unstored` answer with a status, the others do not answer. */
export type Reply =
  | {
      readonly kind: 'stored' | 'unstored';
      readonly status: number;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: 'reset'; readonly stores: boolean }
  /** Never answers, unless `release` is called. */
  | { readonly kind: 'hang' };

export interface ReceivedRequest {
  readonly number: number;
  readonly path: string;
  readonly body: string;
  /** The lines of the body. */
  readonly events: readonly string[];
}

export const ok: Reply = { kind: 'stored', status: 200 };
export const broken: Reply = { kind: 'unstored', status: 500 };

export interface TestServer {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** The events of every request that was stored, copies included. */
  readonly stored: readonly string[];
  readonly connections: number;
  readonly mostAtOnce: number;
  /** Answers 200 to what hangs. */
  release(): void;
  /** Resolves once that many requests have come. */
  requested(count: number): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real HTTP server that behaves as `behave` says, by the request. */
export async function startTestServer(
  behave: (request: ReceivedRequest) => Reply = () => ok,
  options: { readonly secure?: boolean; readonly port?: number; readonly keepAliveMs?: number } = {},
): Promise<TestServer> {
  const state = { connections: 0, atOnce: 0, mostAtOnce: 0 };
  const requests: ReceivedRequest[] = [];
  const stored: string[] = [];
  const hanging: (() => void)[] = [];
  const waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  const handle = (incoming: http.IncomingMessage, response: http.ServerResponse) => {
    state.atOnce++;
    state.mostAtOnce = Math.max(state.mostAtOnce, state.atOnce);
    response.on('close', () => state.atOnce--);
    const chunks: Buffer[] = [];
    incoming.on('error', () => {});
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const request = {
        number: requests.length + 1,
        path: incoming.url ?? '',
        body,
        events: body.split('\n').filter((line) => line !== ''),
      };
      requests.push(request);
      const reply = behave(request);
      const answer = (status: number, headers = {}) => {
        response.writeHead(status, headers).end(status === 204 ? undefined : `{"status":${status}}`);
      };
      if (reply.kind === 'stored' || (reply.kind === 'reset' && reply.stores)) stored.push(...request.events);
      if (reply.kind === 'reset') incoming.socket.destroy();
      else if (reply.kind === 'hang')
        hanging.push(() => {
          stored.push(...request.events);
          answer(200);
        });
      else answer(reply.status, reply.headers);
      for (const { count, resolve } of waiters) if (requests.length >= count) resolve();
    });
  };
  const settings = { keepAliveTimeout: options.keepAliveMs ?? 60_000 };
  const server = options.secure
    ? https.createServer({ ...settings, ...certificate }, handle)
    : http.createServer(settings, handle);
  server.on(options.secure ? 'secureConnection' : 'connection', () => state.connections++);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    stored,
    get connections() {
      return state.connections;
    },
    get mostAtOnce() {
      return state.mostAtOnce;
    },
    release: () => {
      for (const answer of hanging.splice(0)) answer();
    },
    requested: async (count) => {
      if (requests.length < count) await new Promise<void>((resolve) => waiters.push({ count, resolve }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A route whose body is the events, a line each. */
export const testRoute = (given: Partial<Route> = {}): Route => ({
  name: 'test',
  limits: { events: 10, bytes: 1_000_000 },
  encode: (events) => ({
    path: '/up',
    headers: { 'content-type': 'text/plain' },
    body: readEvents(events).join('\n'),
  }),
  judge: (status, body) =>
    status === 200 ? { kind: 'delivered' } : { kind: 'refused', detail: `answered ${status} ${body}` },
  ...given,
});

/** `count` events, each unlike every other. */
export const makeEvents = (count: number, prefix = 'e'): string[] =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ id: `${prefix}-${index}` }));
