/**
 * Events as lines of JSON in one buffer. As texts they would wait in V8's heap, whose young generation they outlive: it
 * is copied, the old one grows, and the process takes half as much memory again.
 */
export interface EventLines {
  readonly count: number;
  /** Each event in UTF-8 with a line feed after it, which JSON text has nowhere else. */
  readonly bytes: Uint8Array;
}

/** Where and how events of one kind are sent: a tracker has one per endpoint. */
export interface Route {
  /**
   * Unique and stable for its purpose, as `analysys`, `growingio/collect`, `tributary`: names the folders of a spool and
   * tells records in a file apart.
   */
  readonly name: string;
  /** At most so many events, and so many bytes of their JSON, in a request. */
  readonly limits: RouteLimits;
  /**
   * The request for some events, each the JSON text that was handed to the collector. The same events and `sentAt`
   * (milliseconds since 1970) give the same bytes. Called again for each attempt.
   */
  encode(events: EventLines, sentAt: number): EncodedRequest;
  /**
   * What an answer means for the `events` events of the request. Asked of every status but 408, 413, 429 and 5xx, which
   * mean the same everywhere: later again, smaller, later again, later again.
   */
  judge(status: number, body: string, events: number): Judgement;
}

export interface RouteLimits {
  readonly events: number;
  readonly bytes: number;
}

export interface EncodedRequest {
  /** Added to the collector's url, from its slash, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What the server says of one event, where the dialect has it: the fields of docs/own-api.md. */
export interface Verdict {
  readonly index: number | null;
  readonly verdict: 'accepted' | 'duplicate' | 'quarantined' | 'dropped';
  readonly event_id?: string;
  /** Rules that the event bends, where it was accepted all the same. */
  readonly warnings?: readonly string[];
  readonly reason?: string;
  readonly field?: string;
  readonly detail?: string;
}

export type Judgement =
  /** A verdict per event, in their order, where the dialect has them. */
  | { readonly kind: 'delivered'; readonly verdicts?: readonly Verdict[] }
  /** Never sent again. */
  | { readonly kind: 'refused'; readonly detail: string; readonly verdicts?: readonly Verdict[] }
  /** Sent again in halves; an event that is too large alone is refused. */
  | { readonly kind: 'too_large'; readonly detail: string }
  /** Sent again. */
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfterMs?: number };

/** What became of one event. */
export type Delivery =
  | { readonly kind: 'delivered'; readonly eventId?: string; readonly verdict?: Verdict }
  | { readonly kind: 'refused'; readonly detail: string; readonly verdict?: Verdict }
  /** Given up after retries, or at close. */
  | { readonly kind: 'undelivered'; readonly detail: string };

/** What became of the events of one request: reported once for each event, whatever the number of attempts. */
export interface DeliveryReport {
  readonly route: string;
  readonly kind: Delivery['kind'];
  /** The JSON texts that were handed over. */
  readonly events: readonly string[];
  readonly verdicts?: readonly Verdict[];
  /** Why, unless they are delivered. */
  readonly detail?: string;
}

/** What went wrong and may come right by itself: an attempt that is repeated, a disk that is full. */
export interface DeliveryTrouble {
  readonly kind: 'attempt' | 'spool' | 'callback';
  readonly detail: string;
  readonly route?: string;
  /** Of an attempt: its number from 1, and the milliseconds until the next. */
  readonly attempt?: number;
  readonly retryInMs?: number;
}

/** The callbacks that every collector takes. Without `onDelivery`, what is lost is told by `process.emitWarning`. */
export interface Reporting {
  readonly onDelivery?: (report: DeliveryReport) => void;
  readonly onError?: (trouble: DeliveryTrouble) => void;
}

export interface UndeliveredEvent {
  readonly route: string;
  readonly json: string;
}

export interface CloseReport {
  /** What is lost unless the caller keeps it: the process held it in memory only. */
  readonly undelivered: readonly UndeliveredEvent[];
  /** Events that wait in a spool or a file for a later run: not lost. */
  readonly kept: number;
}

export interface Collector {
  /**
   * Hands one event over, as JSON text without line feeds (what `JSON.stringify` writes). For `immediate` and `debug` it settles with what became of it; for `batch` and `file` once it
   * is taken (queued, or on disk), with undefined. Rejects with an error whose `code` is `QUEUE_FULL` where the policy
   * says so, and `COLLECTOR_CLOSED` after `close`.
   */
  add(route: Route, json: string): Promise<Delivery | undefined>;
  /** Tells of a route before its first event: trackers do when they are made, so that what a spool holds of it is sent. */
  open?(route: Route): void;
  /** Resolves when everything handed over before is delivered or reported; for `file`, when it is on disk. */
  flush(): Promise<void>;
  /** Delivers what is left within `timeoutMs` (30,000 by default), then answers what it could not. Never rejects. */
  close(options?: { readonly timeoutMs?: number }): Promise<CloseReport>;
}
