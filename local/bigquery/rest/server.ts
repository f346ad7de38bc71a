import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorBody, GoogleError, invalid, toGoogleError } from '../errors.ts';
import { type Handler, isRecord, type Route } from './api.ts';
import { refuseRoute } from './refuse.ts';

export interface RestServer {
  port: number;
  close(): Promise<void>;
}

const BASE_PATH = '/bigquery/v2/';
/** A query's text may have 1 MB, and as much again in parameters; nothing that is accepted here is larger. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Serves the routes below /bigquery/v2 over HTTP, every failure in Google's error shape. */
export async function startRest(options: {
  host: string;
  port: number;
  routes: readonly Route[];
  log: (line: string) => void;
}): Promise<RestServer> {
  const find = compileRoutes(options.routes);
  const server = createServer((request, response) => {
    void serve(request, response);
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const method = request.method ?? 'GET';
      const route = find(method, url.pathname);
      if (route === undefined) throw refuseRoute(method, url.pathname);
      const body = await readBody(request);
      const answer = await route.handle({
        params: route.params,
        query: url.searchParams,
        body,
        headers: request.headers,
      });
      if (answer === undefined) response.writeHead(204).end();
      else send(response, 200, answer);
    } catch (error) {
      const failure = toGoogleError(error);
      if (failure.httpCode >= 500 && !(error instanceof GoogleError)) {
        options.log(
          `${request.method} ${request.url}: ${error instanceof Error ? error.stack : failure.message}`,
        );
      }
      if (!request.complete) response.setHeader('connection', 'close');
      send(response, failure.httpCode, errorBody(failure));
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function compileRoutes(
  routes: readonly Route[],
): (method: string, path: string) => { handle: Handler; params: Record<string, string> } | undefined {
  const compiled = routes.map((route) => ({ ...route, segments: route.path.split('/') }));
  return (method, path) => {
    if (!path.startsWith(BASE_PATH)) return undefined;
    const segments = path.slice(BASE_PATH.length).split('/').map(decode);
    for (const route of compiled) {
      if (route.method !== method || route.segments.length !== segments.length) continue;
      const params: Record<string, string> = {};
      const fits = route.segments.every((wanted, index) => {
        const given = segments[index]!;
        if (!wanted.startsWith(':')) return wanted === given;
        params[wanted.slice(1)] = given;
        // A colon starts a custom method such as :getIamPolicy, except in a domain-scoped project id.
        return given !== '' && (wanted === ':projectId' || !given.includes(':'));
      });
      if (fits) return { handle: route.handle, params };
    }
    return undefined;
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid(`Invalid path segment: ${segment}`);
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      throw new GoogleError(
        413,
        'requestTooLarge',
        'INVALID_ARGUMENT',
        `Request payload size exceeds the limit: ${MAX_BODY_BYTES} bytes.`,
      );
    }
    chunks.push(chunk);
  }
  if (size === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new GoogleError(
      400,
      'parseError',
      'INVALID_ARGUMENT',
      `Invalid JSON payload received. ${String(error)}`,
    );
  }
  if (!isRecord(parsed)) throw invalid('Invalid JSON payload received. An object is required.');
  return parsed;
}

function send(response: ServerResponse, code: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(code, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}
