import { type Authorizer, TokenRefused } from '../../../shared/google/authorizer.ts';
import type { ServiceContext } from './service.ts';

/** What one HTTP request came to. */
export type Exchange =
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown; readonly bytes: number }
  /** Nothing that could be read came back: a time-out, a reset, no such host. */
  | { readonly kind: 'no_answer'; readonly reason: string; readonly detail: string }
  /** There is no token to ask with. */
  | { readonly kind: 'no_token'; readonly refused: TokenRefused };

/** Options that every call of a generated client is given: the libraries neither try again nor judge nor parse. */
export interface CallOptions {
  readonly headers: Record<string, string>;
  readonly responseType: 'text';
  readonly validateStatus: (status: number) => boolean;
  readonly retry: false;
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** node-fetch, which the libraries take otherwise, ends the process where a signal aborts before a POST has begun. */
  readonly fetchImplementation: typeof fetch;
}

/** A call of a generated client, or a fetch of the same shape. */
export type Send = (options: CallOptions) => Promise<{ readonly status: number; readonly data: unknown }>;

/** Sends one request and takes whatever comes back. Never rejects. */
export async function exchange(
  send: Send,
  authorizer: Authorizer,
  { signal, now }: Pick<ServiceContext, 'signal' | 'now'>,
  timeoutMs: number,
): Promise<Exchange> {
  try {
    const headers = await authorizer.headers(now());
    const { status, data } = await send({
      headers,
      responseType: 'text',
      validateStatus: () => true,
      retry: false,
      timeout: timeoutMs,
      signal,
      fetchImplementation: fetch,
    });
    const text = typeof data === 'string' ? data : '';
    return { kind: 'answer', status, body: parse(text), bytes: Buffer.byteLength(text) };
  } catch (error) {
    if (error instanceof TokenRefused) return { kind: 'no_token', refused: error };
    return { kind: 'no_answer', reason: nameOf(error), detail: String(error).slice(0, 200) };
  }
}

/** Proxies answer HTML: what is no JSON is kept as text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function nameOf(error: unknown): string {
  const codes = codesOf(error);
  const has = (pattern: RegExp) => codes.some((code) => pattern.test(code));
  if (has(/^(TimeoutError|ETIMEDOUT|UND_ERR_\w+_TIMEOUT)$/)) return 'timeout';
  if (has(/^(AbortError|ABORT_ERR)$/)) return 'out_of_time';
  if (has(/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/)) return 'connection_reset';
  return has(/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/) ? 'no_connection' : 'no_answer';
}

/** Codes and names of an error and of what caused it. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const code = 'code' in error ? [String(error.code)] : [];
  return [...code, error.name, ...codesOf(error.cause)];
}
