/** A POST as an SDK of GrowingIO sends it. */
export interface EncodedRequest {
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the elements of a list are, each of which has its endpoint and its message. */
export type ListKind = 'event' | 'item' | 'user_mapping';
