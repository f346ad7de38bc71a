import { deliverQueue } from '../delivery/deliver-queue.ts';
import { type DeliveryOptions, readCount, readDeliveryOptions } from '../delivery/delivery-options.ts';
import { createMemoryQueue } from '../delivery/memory-queue.ts';
import type { Collector } from '../delivery/route.ts';

export interface BatchOptions extends DeliveryOptions {
  /** Events of a request at most: what the route allows, by default and at most. */
  readonly maxEvents?: number;
  /** Bytes of their JSON, likewise. */
  readonly maxBytes?: number;
  /** The longest that an event waits for others, milliseconds: 1,000 by default. */
  readonly maxAgeMs?: number;
  /** Events that wait or are under way before the queue is full: 20,000 by default. */
  readonly queueEvents?: number;
  /** Bytes of their JSON, likewise: 64 MiB by default. */
  readonly queueBytes?: number;
  /**
   * `wait`, the default: the promise of `add` resolves when there is room again; who does not await it fills the memory.
   * `refuse`: it rejects at once, with `QUEUE_FULL` in `code`, and the event is not taken.
   */
  readonly whenFull?: 'wait' | 'refuse';
}

/**
 * Sends events together: `add` resolves once they are queued, and what becomes of them is told to `onDelivery`.
 * By default a request is tried 21 times, in some 4 minutes, before its events are reported undelivered.
 */
export function batch(options: BatchOptions): Collector {
  const settings = readDeliveryOptions(options, { retryLimit: 20, keepsAlive: true });
  const queue = createMemoryQueue(
    {
      events: readCount('queueEvents', options.queueEvents ?? 20_000, 1),
      bytes: readCount('queueBytes', options.queueBytes ?? 64 * 1024 * 1024, 1),
      whenFull: options.whenFull ?? 'wait',
    },
    { events: options.maxEvents, bytes: options.maxBytes },
  );
  const maxAgeMs = readCount('maxAgeMs', options.maxAgeMs ?? 1000, 0);
  return deliverQueue(queue, { ...settings, maxAgeMs }, options);
}
