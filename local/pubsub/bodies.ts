import type { Body, Store } from './store.ts';

/** The newest message bodies in memory up to a bound in bytes; the others are read from the store when needed. */
export interface Bodies {
  /** @param readers how many subscriptions will settle it */
  put(message: number, body: Body, readers: number): void;
  get(message: number): Body | undefined;
  /** One subscription needs it no more. */
  release(message: number): void;
}

export function createBodies(store: Store, boundBytes = 64 * 1024 * 1024): Bodies {
  const held = new Map<number, { body: Body; readers: number }>();
  let heldBytes = 0;

  const drop = (message: number, body: Body) => {
    held.delete(message);
    heldBytes -= body.bytes.length;
  };

  return {
    put(message, { bytes, published }, readers) {
      // A slice of a large request would keep all of that request alive for one slow message.
      const body = {
        bytes: bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes,
        published,
      };
      held.set(message, { body, readers });
      heldBytes += body.bytes.length;
      if (heldBytes <= boundBytes) return;
      for (const [oldest, entry] of held) {
        if (heldBytes <= boundBytes) break;
        drop(oldest, entry.body);
      }
    },
    get: (message) => held.get(message)?.body ?? store.readBody(message),
    release(message) {
      const entry = held.get(message);
      if (entry !== undefined && --entry.readers <= 0) drop(message, entry.body);
    },
  };
}
