import { readEvents, toLines } from './event-lines.ts';
import type { Queue, QueuedBatch } from './queue.ts';
import type { EventLines, Route } from './route.ts';

/**
 * Memory as long as there is room, a spool on disk from then on until that is empty again: so the order stays, and an
 * outage of hours costs disk and no memory. What memory holds is written to the spool at close; only a process that is
 * killed loses it.
 */
export function createSpillQueue(memory: Queue, spool: Queue): Queue {
  const fromSpool = new WeakSet<QueuedBatch>();

  const ownerOf = (batch: QueuedBatch) => (fromSpool.has(batch) ? spool : memory);
  /** Answers what the disk would not take. */
  const spill = (route: Route, lines: EventLines): EventLines => {
    const events = readEvents(lines);
    for (const [index, json] of events.entries()) {
      try {
        spool.push(route, json);
      } catch {
        return toLines(events.slice(index));
      }
    }
    return toLines([]);
  };

  return {
    get ready() {
      return memory.ready + spool.ready;
    },
    get size() {
      return memory.size + spool.size;
    },
    hasRoom: true,
    push: (route, json) => {
      if (spool.size > 0 || !memory.hasRoom) spool.push(route, json);
      else memory.push(route, json);
    },
    open: (route) => spool.open?.(route),
    listen: (tell) => spool.listen?.(tell),
    seal: () => {
      memory.seal();
      return spool.seal();
    },
    isSettled: (mark) => memory.isSettled(mark) && spool.isSettled(mark),
    take: () => {
      const inMemory = memory.take();
      if (inMemory !== undefined) return inMemory;
      const onDisk = spool.take();
      if (onDisk !== undefined) fromSpool.add(onDisk);
      return onDisk;
    },
    settle: (batch) => ownerOf(batch).settle(batch),
    putBack: (batch, events) => ownerOf(batch).putBack(batch, events),
    close: () => {
      const left = memory
        .close()
        .left.map(({ route, events }) => ({ route, events: spill(route, events) }))
        .filter(({ events }) => events.count > 0);
      return { left, kept: spool.close().kept };
    },
  };
}
