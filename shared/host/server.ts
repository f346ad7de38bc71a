import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, log, readTrace } from './log.ts';
import { refuseBrokenRequests } from './refuse-broken-requests.ts';
import { createRegister } from './register.ts';
import type { Handler } from './registry.ts';

/** Durations in milliseconds, sizes in bytes. */
export type Limits = {
  /** For a whole header to arrive. */
  headersTimeoutMs: number;
  /** For a whole request, body included, to arrive. */
  requestTimeoutMs: number;
  /** How often the two above are checked, so how late they may strike. */
  checkEveryMs: number;
  /** Between two pieces of a body. */
  bodyIdleTimeoutMs: number;
  keepAliveTimeoutMs: number;
  maxUrlBytes: number;
  /** Of the URL and all headers together. */
  maxHeaderBytes: number;
};

export const LIMITS: Limits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  checkEveryMs: 2_000,
  bodyIdleTimeoutMs: 10_000,
  // Google's front end keeps idle connections to a backend for 600 s and must be the one that closes them, or it
  // answers 502: https://cloud.google.com/load-balancing/docs/https/request-distribution
  keepAliveTimeoutMs: 620_000,
  // Vendors' image beacons carry their batch in the query; Node's 16 KB would refuse what they send. What Google's
  // front end lets through is not documented for Cloud Run, so this is well above what browsers and proxies pass on.
  maxUrlBytes: 64 * 1024,
  maxHeaderBytes: 96 * 1024,
};

export type Host = {
  server: Server;
  /**
   * Stops listening, closes idle connections, and resolves once every request in flight is answered and handled, also
   * those whose sender has gone, or `timeoutMs` have passed; what is then unanswered gets 503. Resolves to how many
   * those were.
   */
  drain: (timeoutMs: number) => Promise<number>;
};

/** Makes a server that hands every request to `handler` with its body unread; it is not listening yet. */
export function createHost(handler: Handler, limits: Limits = LIMITS): Host {
  const unanswered = createRegister<ServerResponse>();
  let handling = 0;
  let draining = false;
  let onSettled = () => {};

  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      noDelay: true,
    },
    (request, response) => {
      const forget = unanswered.add(response);
      handling++;
      if (draining) closeAfter(response);
      response.once('close', () => {
        forget();
        onSettled();
      });
      cutOffWhenIdle(request, response, limits.bodyIdleTimeoutMs);
      run(guardUrl(handler, limits.maxUrlBytes), request, response).finally(() => {
        handling--;
        onSettled();
      });
    },
  );
  answerHalfClosed(server);
  refuseBrokenRequests(server);

  async function drain(timeoutMs: number): Promise<number> {
    draining = true;
    const deadline = AbortSignal.timeout(timeoutMs);
    for (const response of unanswered.all()) closeAfter(response);
    server.close();
    server.closeIdleConnections();
    // A request may be read already but not parsed yet, on a connection that counts as idle until then.
    await sleep(Math.min(SETTLE_MS, timeoutMs));
    while ((unanswered.size() > 0 || handling > 0) && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        onSettled = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const left = unanswered.size();
    for (const response of unanswered.all()) fail(response, 503);
    await new Promise((resolve) => setImmediate(resolve));
    server.closeAllConnections();
    return left;
  }

  return { server, drain };
}

const SETTLE_MS = 50;

async function run(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await handler(request, response);
  } catch (error) {
    log('ERROR', 'The function failed to answer a request.', {
      ...readTrace(request),
      ...describeError(error),
    });
    fail(response, 500);
  }
}

/** Answers 414 where the URL alone is too long; beyond `maxHeaderBytes` Node cannot tell a URL from headers. */
const guardUrl =
  (handler: Handler, maxUrlBytes: number): Handler =>
  (request, response) =>
    (request.url?.length ?? 0) > maxUrlBytes ? fail(response, 414) : handler(request, response);

/** Answers 408 to a sender that stops in the middle of its body, so that what it has sent is not held in memory. */
function cutOffWhenIdle(request: IncomingMessage, response: ServerResponse, idleMs: number): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && Number(length) === 0) return;
  request.setTimeout(idleMs, () => {
    // Node forgets a request that is answered before its end: whoever reads it would wait for ever.
    response.once('close', () => request.destroy());
    fail(response, 408);
  });
  request.once('end', () => request.setTimeout(0));
}

/**
 * Lets a sender that closes its half after its request have its answer, as RFC 9112 section 9.6 wants; Node would close
 * the other half too. Node's own flag for it has no type.
 */
function answerHalfClosed(server: Server): void {
  Object.assign(server, { httpAllowHalfOpen: true });
}

/** Answers with `status`, or, when an answer has begun, breaks it off so that nobody takes it for a whole one. */
function fail(response: ServerResponse, status: number): void {
  if (response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  closeAfter(response);
  response.writeHead(status, { 'Content-Length': 0 }).end();
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
