import type { ObjectStore } from '../../shared/google/object-store.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { spilledContentType, toSpilledObject } from '../../shared/spill/spilled-message.ts';

export interface SpillLimits {
  /** Messages and bytes that may be under way to the bucket at once; what is over is refused. */
  readonly messages: number;
  readonly bytes: number;
}

export const defaultSpillLimits: SpillLimits = { messages: 2_000, bytes: 64_000_000 };

/** Stores a message in the spill bucket; rejects when that is not done within the time-out. `part` is its place in its request. */
export type Spill = (message: Message, part: number) => Promise<void>;

/** Makes the way out for what Pub/Sub does not take. `replay` brings it back. */
export function createSpill(
  bucket: Pick<ObjectStore, 'write'>,
  timeoutMs: number,
  limits: SpillLimits = defaultSpillLimits,
): Spill {
  let messages = 0;
  let bytes = 0;

  return async (message, part) => {
    const size = message.data.length;
    if (messages >= limits.messages || bytes + size > limits.bytes) {
      throw new Error(`${messages} messages of ${bytes} bytes are already under way to the spill bucket`);
    }
    messages++;
    bytes += size;
    try {
      // That there is one already can only be an earlier try whose answer was lost: no other has this batch id.
      await bucket.write(
        { ...toSpilledObject(message, part), contentType: spilledContentType },
        '0',
        timeoutMs,
      );
    } finally {
      messages--;
      bytes -= size;
    }
  };
}
