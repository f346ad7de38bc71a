import type { Dialect, Event, Refusal, TimeWindow } from '../events/event.ts';

/** What is known of a request besides its body. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  header(name: string): string | undefined;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
  /** Known at a replay, where the credential that named it is not kept. */
  readonly project?: string | undefined;
}

/** A request as every dialect sees it: nothing is parsed yet, sizes are bounded. */
export interface WireRequest extends RequestHead {
  readonly body: Buffer;
}

/** What decoding needs to know besides the request. */
export interface DecodeOptions {
  readonly window: TimeWindow;
  /** Bytes that a compressed body may inflate to. */
  readonly inflatedBytes: number;
  readonly eventsPerRequest: number;
  /** Whether a project's events keep the time of receiving, though their sender claims another; none does by default. */
  ignoresEventTime?(project: string): boolean;
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
      /** Where one element may become several items: the index of the element that an item is of; absent: its place. */
      elementOf?(place: number): number;
    }
  | { readonly kind: 'undecodable'; readonly project: string | undefined; readonly refusal: Refusal };

/** What becomes of one event. */
export type Verdict =
  | { readonly verdict: 'accepted'; readonly eventId: string; readonly warnings: readonly string[] }
  /** Its id came earlier in the request, so it is not stored again. */
  | { readonly verdict: 'duplicate'; readonly eventId: string }
  | { readonly verdict: 'quarantined'; readonly refusal: Refusal }
  /** Of an unknown project, over the number that is kept a day. */
  | { readonly verdict: 'dropped'; readonly refusal: Refusal };

/** `index`: of the element in the request; undefined where the verdict is on the whole request. */
export type EventVerdict = Verdict & { readonly index: number | undefined };

export interface EventCounts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly dropped: number;
}

/** What became of a request, once all of it is durable. */
export interface RequestOutcome {
  readonly batchId: string;
  readonly requestHash: string;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
  readonly counts: EventCounts;
  /** Whether nothing of it could be decoded: `verdicts` then holds one, for the whole request. */
  readonly isUndecodable: boolean;
  /** In the order of the request. */
  readonly verdicts: readonly EventVerdict[];
}

/** The answer that the SDKs of a dialect take for success, whatever became of the events. */
export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How one vendor's SDKs speak: which requests are theirs, what these hold, and what they take for success. */
export interface WireDialect {
  readonly dialect: Dialect;
  /** Whether a request of this method and path (duplicate slashes folded) is of this dialect. */
  matches(method: string, path: string): boolean;
  /**
   * The answer to a request that is turned away for its head alone, as one without credentials; undefined for every
   * other. Nothing of it is kept, so only a dialect whose senders notice has this.
   */
  turnAway?(head: Pick<RequestHead, 'header'>): Answer | undefined;
  decode(request: WireRequest, options: DecodeOptions): Decoded;
  /** The body without what a resend does anew, for the hash by which resends are known; by default as it was sent. */
  plainBody?(request: WireRequest): Buffer;
  /**
   * One event as JSON text, as `Decoded.text(place)` wrote it and quarantine keeps it, decoded as it would have been
   * at its place: one item, or as many as it became there, or undecodable where the text is no JSON. How its request was
   * compressed, encrypted or sent plays no part. `head` is of the request that brought it.
   */
  decodeElement(json: Buffer, head: RequestHead, options: DecodeOptions): Decoded;
  /** Whether an event with both an anonymous id and a user id binds the two; then each such pair becomes an alias. */
  readonly bindsByEvent?: boolean;
  /**
   * Whether its SDKs keep and send again what is answered 429 or 503. Then a request of a project over its rate limit, or
   * from before there are settings, is answered so and nothing of it kept; otherwise it goes to quarantine.
   */
  readonly retries?: boolean;
  readonly success: Answer;
  /** The answer where it depends on what became of the request; absent: `success`. Only then are verdicts collected. */
  answer?(outcome: RequestOutcome): Answer;
}
