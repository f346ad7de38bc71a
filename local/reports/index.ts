import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Answer, readJson, refuse, send } from './answer.ts';
import { type Clock, createClock } from './clock.ts';
import { serveGoogleAnalytics } from './google-analytics/serve.ts';
import { type ServiceAccountKeys, serveToken } from './oauth/serve-token.ts';
import type { Caller } from './oauth/tokens.ts';
import type { Seed } from './seed.ts';
import { createWorld, type World } from './world.ts';

export interface ReportsApisOptions {
  seed: Seed;
  /** Default: one that shows the machine's time. */
  clock?: Clock;
  /** Takes calls without a token too, as a laptop makes them. Default false: 401, as Google answers. */
  anonymous?: boolean;
}

/** Google's reporting APIs over one seeded truth. They serve nothing yet: mount `handle` on a server of your own. */
export interface ReportsApis {
  clock: Clock;
  /** Answers the APIs' own paths; false when the path is another's, the response then untouched. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

export interface RunningReportsApis extends ReportsApis {
  port: number;
  url: string;
  close(): Promise<void>;
}

export function createReportsApis(options: ReportsApisOptions): ReportsApis {
  const clock = options.clock ?? createClock();
  const world = createWorld(options.seed, clock);
  const keys: ServiceAccountKeys = new Map();
  const anonymous = options.anonymous ?? false;
  return {
    clock,
    handle(request, response) {
      const url = new URL(request.url ?? '/', 'http://reports.local');
      const serve = routeOf(world, keys, anonymous, request, url);
      if (serve === undefined) return false;
      serve().then(
        (answer) => send(response, answer),
        (error: unknown) => send(response, refuse(500, String(error))),
      );
      return true;
    },
  };
}

/** Starts them on a port of their own; 0 takes any free one. */
export async function startReportsApis(
  options: ReportsApisOptions & { port: number },
): Promise<RunningReportsApis> {
  const apis = createReportsApis(options);
  const server = createServer((request, response) => {
    if (apis.handle(request, response)) return;
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : options.port;
  return {
    ...apis,
    port,
    url: `http://127.0.0.1:${port}`,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function routeOf(
  world: World,
  keys: ServiceAccountKeys,
  anonymous: boolean,
  request: IncomingMessage,
  url: URL,
): (() => Promise<Answer>) | undefined {
  const { pathname } = url;
  if (pathname === '/token' && request.method === 'POST') {
    return async () => serveToken(world, keys, new URLSearchParams(await text(request)));
  }
  const ofProperty = /^\/v1beta\/properties\/([^/:]+)(?::(\w+)|\/(metadata))$/.exec(pathname);
  if (ofProperty !== null) {
    const [, propertyId = '', verb, noun] = ofProperty;
    return async () => {
      const caller = callerOf(world, anonymous, request, url);
      if ('status' in caller) return caller;
      const body = request.method === 'POST' ? await readJson(request) : {};
      return serveGoogleAnalytics(world, caller.caller, { propertyId, method: verb ?? noun ?? '', body });
    };
  }
  return undefined;
}

function callerOf(
  world: World,
  anonymous: boolean,
  request: IncomingMessage,
  url: URL,
): { caller: Caller | null } | Answer {
  const token =
    /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('access_token');
  if (token === null && anonymous) return { caller: null };
  const caller = token === null ? undefined : world.tokens.callerOf(token);
  if (caller !== undefined) return { caller };
  const message =
    token === null
      ? 'Request is missing required authentication credential.'
      : 'Request had invalid authentication credentials.';
  return refuse(
    401,
    `${message} Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`,
  );
}
