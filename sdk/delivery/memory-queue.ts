import { createLineBuffer, type LineBuffer, mostSpare } from './event-lines.ts';
import {
  type BatchLimits,
  createQueueFull,
  markNow,
  numberBatch,
  type Queue,
  type QueuedBatch,
} from './queue.ts';
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
  readonly events: LineBuffer;
}

/** Batches in memory: one open per route, which is ready when it is full or the queue is sealed. */
export function createMemoryQueue(limits: MemoryLimits, batchLimits: BatchLimits): Queue {
  const open = new Map<Route, MemoryBatch>();
  const ready: MemoryBatch[] = [];
  /** In the order of their numbers, as a Set keeps what is added. */
  const unsettled = new Set<MemoryBatch>();
  const putBack: QueuedBatch[] = [];
  const spare: Buffer[] = [];
  let bytes = 0;

  const startBatch = (route: Route): MemoryBatch => {
    const batch = { route, number: numberBatch(), events: createLineBuffer(spare.pop()) };
    open.set(route, batch);
    unsettled.add(batch);
    return batch;
  };
  const makeReady = (batch: MemoryBatch) => {
    open.delete(batch.route);
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
      const eventLimit = Math.min(route.limits.events, batchLimits.events);
      const byteLimit = Math.min(route.limits.bytes, batchLimits.bytes);
      let batch = open.get(route) ?? startBatch(route);
      let length = batch.events.add(json);
      if (batch.events.end > byteLimit && batch.events.count > 1) {
        batch.events.takeBack(length);
        makeReady(batch);
        batch = startBatch(route);
        length = batch.events.add(json);
      }
      if (batch.events.count >= eventLimit) makeReady(batch);
      bytes += length;
      queue.size++;
      countRoom();
    },

    seal: () => {
      for (const batch of [...open.values()]) makeReady(batch);
      return markNow();
    },

    isSettled: (mark) => {
      for (const batch of unsettled) return batch.number >= mark;
      return true;
    },

    take: () => {
      const batch = ready.shift();
      queue.ready = ready.length;
      return batch;
    },

    settle: (batch) => {
      const own = batch as MemoryBatch;
      if (!unsettled.delete(own)) return;
      const { count, end, memory } = own.events;
      queue.size -= count;
      bytes -= end;
      // Memory outside of V8's heap is given back late, unless it is used again.
      if (spare.length < mostSpare) spare.push(memory);
      countRoom();
    },

    putBack: (batch, events) => {
      putBack.push(...events.map((left) => ({ route: batch.route, events: left })));
      // Its memory is used by nobody else, since the queue closes.
      queue.settle(batch);
    },

    close: () => {
      const left = [...putBack, ...unsettled];
      unsettled.clear();
      open.clear();
      return { left, kept: 0 };
    },
  };
  return queue;
}
