import { gzipSync } from 'node:zlib';

/** An event as the vendor's SDKs send it, with the lib's own fields already in `xcontext`. */
export interface SentEvent {
  readonly appid: string;
  readonly xwho: string;
  readonly xwhat: string;
  /** Milliseconds since 1970. */
  readonly xwhen: number;
  readonly xcontext: Readonly<Record<string, unknown>>;
}

/** A POST as an SDK of Analysys sends it. */
export interface EncodedRequest {
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** As the Node SDK sends events: a JSON array, with the project in the query too. */
export const encodeJson = (events: readonly SentEvent[]): EncodedRequest => ({
  path: pathOf(events[0]?.appid),
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(events),
});

/** The same, from events of one project that are JSON already. */
export const encodeJsonTexts = (appid: string, events: readonly string[]): EncodedRequest => ({
  path: pathOf(appid),
  headers: { 'Content-Type': 'application/json' },
  body: `[${events.join(',')}]`,
});

/** As the PHP SDK sends them, and Python's and Java's do without the query: base64 of gzip of the same array. */
export const encodeGzip = (events: readonly SentEvent[]): EncodedRequest => ({
  path: pathOf(events[0]?.appid),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: gzipSync(JSON.stringify(events)).toString('base64'),
});

/** All events of a request are of one project. */
const pathOf = (appid: string | undefined): string =>
  appid === undefined ? '/up' : `/up?appid=${encodeURIComponent(appid.toWellFormed())}`;
