import { type BatchLimits, createQueueFull, type Queue, type QueuedBatch } from './queue.ts';
import type { Route } from './route.ts';

export interface MemoryLimits {
  /** Events, and bytes of their JSON, that wait or are under way, beyond which there is no room. */
  readonly events: number;
  readonly bytes: number;
  /** `wait` takes more all the same, and `hasRoom` asks callers to wait; `refuse` throws `QUEUE_FULL`. */
  readonly whenFull: 'wait' | 'refuse';
}

interface MemoryBatch extends QueuedBatch {
  readonly number: number;
  events: string[];
  /** Of `events`, for it may be packed. */
  count: number;
  bytes: number;
  /** What `events` held, while it waits behind many others. */
  packed: Buffer | undefined;
}

/** Bytes of batches that wait as they are, which is the ordinary case; those behind them are packed. */
const unpackedBytes = 1024 * 1024;

/** Batches in memory: one open per route, which is ready when it is full or the queue is sealed. */
export function createMemoryQueue(limits: MemoryLimits, batchLimits: BatchLimits): Queue {
  const open = new Map<Route, MemoryBatch>();
  const ready: MemoryBatch[] = [];
  /** In the order of their numbers, as a Set keeps what is added. */
  const unsettled = new Set<MemoryBatch>();
  const putBack: QueuedBatch[] = [];
  let nextNumber = 0;
  let bytes = 0;
  /** Of those bytes: in batches that are ready and not packed. */
  let loose = 0;

  const startBatch = (route: Route): MemoryBatch => {
    const batch: MemoryBatch = {
      route,
      number: nextNumber++,
      events: [],
      count: 0,
      bytes: 0,
      packed: undefined,
    };
    open.set(route, batch);
    unsettled.add(batch);
    return batch;
  };
  const makeReady = (batch: MemoryBatch) => {
    open.delete(batch.route);
    if (loose + batch.bytes > unpackedBytes) pack(batch);
    else loose += batch.bytes;
    ready.push(batch);
    queue.ready = ready.length;
  };
  const countRoom = () => {
    queue.hasRoom = queue.size < limits.events && bytes < limits.bytes;
  };

  const queue: { -readonly [Key in keyof Queue]: Queue[Key] } = {
    ready: 0,
    hasRoom: true,
    size: 0,

    push: (route, json) => {
      if (!queue.hasRoom && limits.whenFull === 'refuse') throw createQueueFull(queue.size);
      const length = Buffer.byteLength(json);
      const eventLimit = Math.min(route.limits.events, batchLimits.events ?? Infinity);
      const byteLimit = Math.min(route.limits.bytes, batchLimits.bytes ?? Infinity);
      let batch = open.get(route) ?? startBatch(route);
      if (batch.bytes + length > byteLimit && batch.events.length > 0) {
        makeReady(batch);
        batch = startBatch(route);
      }
      batch.events.push(json);
      batch.count++;
      batch.bytes += length;
      if (batch.count >= eventLimit) makeReady(batch);
      bytes += length;
      queue.size++;
      countRoom();
    },

    seal: () => {
      for (const batch of [...open.values()]) makeReady(batch);
      return nextNumber;
    },

    isSettled: (mark) => {
      for (const batch of unsettled) return batch.number >= mark;
      return true;
    },

    take: () => {
      const batch = ready.shift();
      if (batch?.packed !== undefined) unpack(batch);
      else loose -= batch?.bytes ?? 0;
      queue.ready = ready.length;
      return batch;
    },

    settle: (batch) => {
      const own = batch as MemoryBatch;
      if (!unsettled.delete(own)) return;
      queue.size -= own.count;
      bytes -= own.bytes;
      countRoom();
    },

    putBack: (batch, events) => {
      queue.settle(batch);
      putBack.push({ route: batch.route, events });
    },

    close: () => {
      unsettled.forEach(unpack);
      const left = [...putBack, ...unsettled];
      unsettled.clear();
      open.clear();
      return { left, kept: 0 };
    },
  };
  return queue;
}

/**
 * Moves the text out of V8's heap, where a burst would be copied from one generation to the next. Event by event, since
 * the text of a whole batch is a large object to V8, which is collected late.
 */
function pack(batch: MemoryBatch): void {
  const packed = Buffer.allocUnsafeSlow(batch.bytes + batch.count);
  let end = 0;
  for (const json of batch.events) {
    end += packed.write(json, end);
    packed[end++] = lineFeed;
  }
  batch.packed = packed;
  batch.events = [];
}

function unpack(batch: MemoryBatch): void {
  const { packed } = batch;
  if (packed === undefined) return;
  for (let start = 0; start < packed.length; ) {
    const end = packed.indexOf(lineFeed, start);
    batch.events.push(packed.toString('utf8', start, end));
    start = end + 1;
  }
  batch.packed = undefined;
}

const lineFeed = 10;
