import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Store } from './store.ts';

/** One request, routed. */
export interface Call {
  method: string;
  /** The path's variables, decoded. */
  params: Readonly<Record<string, string>>;
  /** Holds only parameters that the route names. */
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** For its body, which is read once, with read-body.ts. */
  request: IncomingMessage;
  store: Store;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Where the server is reached, for links: `http://127.0.0.1:9065`. */
  origin: string;
}

export type Answer =
  | { kind: 'json'; body: object; headers?: OutgoingHttpHeaders }
  | { kind: 'empty'; code: number; headers?: OutgoingHttpHeaders }
  | { kind: 'bytes'; code: number; bytes: Uint8Array; headers: OutgoingHttpHeaders };

export interface Route {
  method: string;
  /** Segments; `:name` is a variable of one segment, `*name` of all that follow. */
  path: string;
  /** The query parameters it takes besides those every method takes; any other one is refused. */
  parameters: readonly string[];
  handle(call: Call): Answer | Promise<Answer>;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
