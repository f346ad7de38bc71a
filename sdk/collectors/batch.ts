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
import { createSpillQueue } from '../delivery/spill-queue.ts';
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
   * `{ spill: DIR }`: more is written to that folder, as of a `spool`, until it has been sent; what memory holds is
   * written there too when the collector closes, and only a process that is killed loses it.
   */
  readonly whenFull?: 'wait' | 'refuse' | { readonly spill: string };
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
  const { spool, whenFull = 'wait' } = options;
  const settings = readDeliveryOptions(options, {
    retryLimit: spool !== undefined || typeof whenFull === 'object' ? Infinity : 20,
    keepsAlive: spool === undefined,
  });
  const maxAgeMs = readCount(options, 'maxAgeMs', 1000, 0, longestTimer);
  const waitsForRoom = whenFull === 'wait';
  return deliverQueue(createQueue(options), { ...settings, maxAgeMs, waitsForRoom }, options);
}

function createQueue(options: BatchOptions): Queue {
  const { spool: dir, whenFull = 'wait' } = options;
  const batchLimits = {
    events: readCount(options, 'maxEvents', Infinity, 1),
    bytes: readCount(options, 'maxBytes', Infinity, 1),
  };
  const spoolLimit = readCount(options, 'spoolBytes', 8192 * mebibyte, 1);
  const { trouble } = createReporter(options);
  if (dir !== undefined) {
    if (typeof whenFull === 'object') throw new TypeError('whenFull: { spill } has no meaning with a spool');
    const memoryBytes = readCount(options, 'queueBytes', 16 * mebibyte, 1);
    return createSpoolQueue({ dir, bytes: spoolLimit, memoryBytes, whenFull, trouble }, batchLimits);
  }
  const bytes = readCount(options, 'queueBytes', 64 * mebibyte, 1);
  const events = readCount(options, 'queueEvents', 20_000, 1);
  if (typeof whenFull === 'string') return createMemoryQueue({ events, bytes, whenFull }, batchLimits);
  const memory = createMemoryQueue({ events, bytes, whenFull: 'wait' }, batchLimits);
  const spool = { dir: whenFull.spill, bytes: spoolLimit, whenFull: 'refuse', trouble } as const;
  return createSpillQueue(memory, createSpoolQueue({ ...spool, memoryBytes: 0 }, batchLimits));
}

const mebibyte = 1024 * 1024;
