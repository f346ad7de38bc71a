import type { Dialect, Event, Refusal, TimeWindow } from '../events/event.ts';

/** A request as every dialect sees it: nothing is parsed yet, sizes are bounded. */
export interface WireRequest {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  header(name: string): string | undefined;
  readonly body: Buffer;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
}

/** What decoding needs to know besides the request. */
export interface DecodeOptions {
  readonly window: TimeWindow;
  /** Bytes that a compressed body may inflate to. */
  readonly inflatedBytes: number;
  readonly eventsPerRequest: number;
}

/** One element of a request: an event, or why it is none. */
export type DecodedItem =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly project: string | undefined };

export type Decoded =
  | {
      readonly kind: 'items';
      readonly items: readonly DecodedItem[];
      /** An element as JSON text; undefined where it cannot be written again, so that the whole request must be kept. */
      text(place: number): string | undefined;
    }
  | { readonly kind: 'undecodable'; readonly project: string | undefined; readonly refusal: Refusal };

/** The answer that the SDKs of a dialect take for success, whatever became of the events. */
export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** How one vendor's SDKs speak: which requests are theirs, what these hold, and what they take for success. */
export interface WireDialect {
  readonly dialect: Dialect;
  /** Whether a request of this method and path (duplicate slashes folded) is of this dialect. */
  matches(method: string, path: string): boolean;
  decode(request: WireRequest, options: DecodeOptions): Decoded;
  /**
   * One event as JSON text, as `Decoded.text(place)` wrote it and quarantine keeps it, decoded as it would have been
   * at its place: one item, or undecodable where the text is no JSON. How its request was compressed, encrypted or
   * sent plays no part. `receivedAt` in microseconds since 1970, of the request that brought it.
   */
  decodeElement(json: Buffer, receivedAt: number, options: DecodeOptions): Decoded;
  readonly success: Answer;
}
