import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, log, readTrace } from './log.ts';
import type { Handler } from './registry.ts';

/** Durations in milliseconds, sizes in bytes. */
export type Limits = {
  /** For a whole header to arrive. */
  headersTimeoutMs: number;
  /** For a whole request, body included, to arrive. */
  requestTimeoutMs: number;
  /** How often the two above are checked, so how late they may strike. */
  checkEveryMs: number;
  keepAliveTimeoutMs: number;
  maxHeaderBytes: number;
};

export const LIMITS: Limits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  checkEveryMs: 2_000,
  // Google's front end keeps idle connections to a backend for 600 s and must be the one that closes them, or it
  // answers 502: https://cloud.google.com/load-balancing/docs/https/request-distribution
  keepAliveTimeoutMs: 620_000,
  // Vendors' image beacons carry their batch in the query; Node's 16 KB would refuse what they send.
  maxHeaderBytes: 64 * 1024,
};

export type Host = {
  server: Server;
  /**
   * Stops listening, closes idle connections, and resolves once every request in flight is answered or `timeoutMs`
   * have passed; what is then unanswered gets 503. Resolves to how many those were.
   */
  drain: (timeoutMs: number) => Promise<number>;
};

/** Makes a server that hands every request to `handler` with its body unread; it is not listening yet. */
export function createHost(handler: Handler, limits: Limits = LIMITS): Host {
  const inFlight = new Set<ServerResponse>();
  let draining = false;
  let onAnswered = () => {};

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
      inFlight.add(response);
      if (draining) closeAfter(response);
      response.once('close', () => {
        inFlight.delete(response);
        onAnswered();
      });
      run(handler, request, response);
    },
  );

  async function drain(timeoutMs: number): Promise<number> {
    draining = true;
    const deadline = AbortSignal.timeout(timeoutMs);
    for (const response of inFlight) closeAfter(response);
    server.close();
    server.closeIdleConnections();
    // A request may be read already but not parsed yet, on a connection that counts as idle until then.
    await sleep(Math.min(SETTLE_MS, timeoutMs));
    while (inFlight.size > 0 && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        onAnswered = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const unanswered = inFlight.size;
    for (const response of inFlight) fail(response, 503);
    await new Promise((resolve) => setImmediate(resolve));
    server.closeAllConnections();
    return unanswered;
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
