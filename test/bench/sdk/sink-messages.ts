/** What the sink does with requests; the first of every `every` is answered 500. */
export type Mode =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'fail'; readonly every: number }
  | { readonly kind: 'stored_then_fail'; readonly every: number };

/** What the bench tells the sink; each is answered with `{ done }` of the same kind but for `report`. */
export type SinkCommand =
  | { readonly kind: 'begin'; readonly mode: Mode }
  | { readonly kind: 'leave' }
  | { readonly kind: 'return' }
  /** Events numbered below `events` are those that must be there. */
  | { readonly kind: 'report'; readonly events: number };

export type SinkMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'done'; readonly of: SinkCommand['kind'] }
  /** Distinct events in requests that were answered, however; told every 20 ms. */
  | { readonly kind: 'seen'; readonly events: number }
  | { readonly kind: 'report'; readonly report: SinkReport };

export interface SinkReport {
  readonly requests: number;
  readonly connections: number;
  /** As read from the sockets, headers included. */
  readonly wireBytes: number;
  readonly stored: number;
  readonly lost: number;
  /** Stored beyond the first of each event. */
  readonly copies: number;
  /** Events of which copies had different ids, or none. */
  readonly idsDiffer: number;
  /** Events in requests that were answered 500, or broken off. */
  readonly inFailedRequests: number;
}
