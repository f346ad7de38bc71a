import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalEndpoint } from './endpoints.ts';

export interface StorageCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly contentType?: string;
  readonly body?: Buffer;
}

export interface StorageAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What Cloud Storage answered instead of what it should; status 0 for no answer at all. */
export class StorageError extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(`Cloud Storage ${status === 0 ? 'did not answer' : `answered ${status}`}: ${detail}`);
    this.name = 'StorageError';
    this.status = status;
  }
}

/** One HTTP request; rejects after `withinMs` at the latest, and then nothing of it is left open. */
export type StorageRequest = (call: StorageCall, withinMs: number) => Promise<StorageAnswer>;

/** The headers that authorize a request. */
export type Authorize = () => Promise<Readonly<Record<string, string>>>;

/** Requests to Cloud Storage, or to the local one, which asks for no authorization. */
export function createStorageRequest(
  local: LocalEndpoint | undefined,
  authorize: Authorize,
): { request: StorageRequest; close: () => void } {
  const options = { keepAlive: true, maxSockets: mostConnections, scheduling: 'lifo' } as const;
  const agent = local === undefined ? new HttpsAgent(options) : new HttpAgent(options);
  const send = local === undefined ? httpsRequest : httpRequest;
  const host = local?.host ?? 'storage.googleapis.com';
  const port = local?.port ?? 443;

  async function request(call: StorageCall, withinMs: number): Promise<StorageAnswer> {
    const signal = AbortSignal.timeout(Math.max(1, Math.floor(withinMs)));
    const authorization = local === undefined ? await Promise.race([authorize(), aborted(signal)]) : {};
    return exchange(call, authorization, signal);
  }

  const exchange = (
    { method, path, contentType, body }: StorageCall,
    authorization: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) =>
    new Promise<StorageAnswer>((resolve, reject) => {
      const headers = {
        ...authorization,
        ...(contentType !== undefined && { 'content-type': contentType }),
        'content-length': body?.length ?? 0,
      };
      const sent = send({ host, port, agent, method, path, headers, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });

  return { request, close: () => agent.destroy() };
}

/**
 * Calls until there is an answer that stands, at most until `withinMs` have passed. Only for calls that are safe to
 * repeat. Which answers may pass: cloud.google.com/storage/docs/retry-strategy.
 */
export async function tryWithin(
  withinMs: number,
  call: (withinMs: number) => Promise<StorageAnswer>,
): Promise<StorageAnswer> {
  const dueAt = performance.now() + withinMs;
  // A connection that hangs must leave time for another.
  const tryMs = Math.max(withinMs * firstShare, Math.min(withinMs, 1_000));
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const answer = await call(Math.min(tryMs, dueAt - performance.now())).catch(
      (error: Error) => new StorageError(0, describe(error)),
    );
    const passes = answer instanceof StorageError || passing.has(answer.status);
    // Never all at the same moment.
    const waitMs = pauseMs * (0.5 + Math.random());
    if (!passes || performance.now() + waitMs + leastTryMs >= dueAt) {
      if (answer instanceof StorageError) throw answer;
      return answer;
    }
    await sleep(waitMs);
  }
}

const passing = new Set([408, 429, 500, 502, 503, 504]);
/** Of the time, for one try: a slow bucket needs most of it, and a second try of what was stored is answered at once. */
const firstShare = 0.7;
const firstPauseMs = 50;
const leastTryMs = 20;

/** What is over waits for a connection, within its time. */
const mostConnections = 64;

const describe = (error: Error): string => {
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code} ` : '';
  return `${code}${error.name === 'AbortError' ? 'not within its time' : error.message}`;
};

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
