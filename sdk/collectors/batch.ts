import { deliverQueue } from '../delivery/deliver-queue.ts';
import {
  type DeliveryOptions,
  longestTimer,
  readCount,
  readDeliveryOptions,
} from '../delivery/delivery-options.ts';
import { createMemoryQueue } from '../delivery/memory-queue.ts';
import type { Queue } from '../delivery/queue.ts';
import { createReporter } from '../delivery/report.ts';
import type { Collector } from '../delivery/route.ts';
import { createSpoolQueue } from '../spool/spool-queue.ts';

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
  /**
   * A folder that every event is written to before `add` resolves, and where it stays until the server has answered for
   * it: it outlives the process (`kill -9` too), is sent by the next that uses the folder, and requests are repeated
   * without limit. Several processes may share it. `queueBytes` is what is held in memory besides, 16 MiB by default,
   * `queueEvents` has no meaning, and an event that the disk does not take is rejected with the disk's error. No timer
   * keeps the process alive.
   */
  readonly spool?: string;
  /** Bytes in that folder before the queue is full: 8 GiB by default. */
  readonly spoolBytes?: number;
}

/**
 * Sends events together: `add` resolves once they are queued, and what becomes of them is told to `onDelivery`.
 * By default a request is tried 21 times, in some 4 minutes, before its events are reported undelivered.
 */
export function batch(options: BatchOptions): Collector {
  const isDurable = options.spool !== undefined;
  const settings = readDeliveryOptions(options, {
    retryLimit: isDurable ? Infinity : 20,
    keepsAlive: !isDurable,
  });
  const maxAgeMs = readCount('maxAgeMs', options.maxAgeMs ?? 1000, 0, longestTimer);
  return deliverQueue(createQueue(options), { ...settings, maxAgeMs }, options);
}

function createQueue(options: BatchOptions): Queue {
  const { spool: dir, whenFull = 'wait' } = options;
  const batchLimits = { events: options.maxEvents, bytes: options.maxBytes };
  const queueBytes = readCount(
    'queueBytes',
    options.queueBytes ?? (dir === undefined ? 64 : 16) * mebibyte,
    1,
  );
  if (dir !== undefined) {
    const bytes = readCount('spoolBytes', options.spoolBytes ?? 8192 * mebibyte, 1);
    const { trouble } = createReporter(options);
    return createSpoolQueue({ dir, bytes, memoryBytes: queueBytes, whenFull, trouble }, batchLimits);
  }
  const events = readCount('queueEvents', options.queueEvents ?? 20_000, 1);
  return createMemoryQueue({ events, bytes: queueBytes, whenFull }, batchLimits);
}

const mebibyte = 1024 * 1024;
