import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Call, Route } from './api.ts';
import { errorBody, StorageError, toStorageError, unavailable } from './errors.ts';
import type { StorageFaults } from './faults.ts';
import { checkHeaders } from './headers.ts';
import { checkParameters } from './parameters.ts';
import { readWhatComes } from './read-body.ts';
import { compileRoutes } from './routes.ts';

export interface HttpServer {
  port: number;
  close(): Promise<void>;
}

/** Serves the routes over HTTP, every failure in Google's error shape. */
export async function startServer(options: {
  host: string;
  port: number;
  routes: readonly Route[];
  context: Pick<Call, 'store' | 'now'>;
  faults: StorageFaults;
  log: (line: string) => void;
}): Promise<HttpServer> {
  const { host, faults, log, context } = options;
  const find = compileRoutes(options.routes);
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      log(`${request.method} ${request.url}: ${String(error)}`);
      request.socket.destroy();
    });
  });
  // Long, as Google's are: a client that reuses a connection just as it is closed sees its write fail.
  server.keepAliveTimeout = 240_000;
  const happens = (rate: number) => rate > 0 && faults.random() < rate;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await produce(request).catch((thrown: unknown): Answer | StorageError => {
      const error = toStorageError(thrown);
      if (!(thrown instanceof StorageError)) {
        log(`${request.method} ${request.url}: ${thrown instanceof Error ? thrown.stack : error.message}`);
      }
      return error;
    });
    if (faults.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.delayMs));
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD';
    if (isWrite && !(answer instanceof StorageError) && happens(faults.storedThenLostRate)) {
      request.socket.destroy();
      return;
    }
    if (answer instanceof StorageError) sendError(response, answer);
    else send(response, answer);
    // Whatever is left of a body that was refused: a client that is still sending reads no answer.
    request.resume();
  }

  async function produce(request: IncomingMessage): Promise<Answer> {
    if (happens(faults.unavailableRate)) {
      await readWhatComes(request);
      throw unavailable();
    }
    const [path = '', search = ''] = splitOnce(request.url ?? '/', '?');
    const method = request.method ?? 'GET';
    const { route, params } = find(method, path);
    const query = new URLSearchParams(search);
    checkParameters(query, route.parameters);
    const { headers } = request;
    checkHeaders(method, headers);
    return route.handle({ ...context, method, params, query, headers, request, origin });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host}:${port}`;
  return {
    port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.kind === 'json') {
    sendJson(response, 200, answer.body, answer.headers);
    return;
  }
  const bytes = answer.kind === 'bytes' ? answer.bytes : Buffer.alloc(0);
  const length = answer.code === 204 ? {} : { 'content-length': bytes.length };
  response.writeHead(answer.code, { ...answer.headers, ...length });
  response.end(bytes);
}

function sendError(response: ServerResponse, error: StorageError): void {
  if (error.code === 304) response.writeHead(304).end();
  else sendJson(response, error.code, errorBody(error));
}

function sendJson(
  response: ServerResponse,
  code: number,
  body: object,
  headers: Extract<Answer, { kind: 'json' }>['headers'] = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(code, {
    ...('etag' in body ? { etag: String(body.etag) } : {}),
    'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
    ...headers,
    'content-type': 'application/json; charset=UTF-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
