import type { EncodedRequest } from '../delivery/route.ts';

/** How lists of GrowingIO's events and items are written. */
export interface GrowingCodec {
  /**
   * The request for elements that are JSON already; `sentAt` in milliseconds since 1970. The same elements and `sentAt`
   * give the same bytes.
   */
  encode(
    kind: 'event' | 'item',
    projectId: string,
    elements: readonly string[],
    sentAt: number,
  ): EncodedRequest;
}
