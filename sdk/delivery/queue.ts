import type { EventLines, Route } from './route.ts';

/** Events of one route that travel together, in every attempt. */
export interface QueuedBatch {
  readonly route: Route;
  readonly events: EventLines;
}

/**
 * What the batch collector takes its batches from: memory (memory-queue.ts), or a spool on disk. It is synchronous
 * throughout, so that an event is taken when the call that hands it over returns.
 *
 * A batch is taken, in the order of its first event, and held until it is settled or put back. After `push` the
 * collector looks at `ready`, so that and `hasRoom` are fields and cost nothing.
 */
export interface Queue {
  /**
   * Takes one event: when this returns it counts as handed over, and in a spool it survives the process.
   * Only this throws (other troubles of a disk are the queue's own to report), and it throws what the caller's promise is to be rejected with (`QUEUE_FULL` in `code`, or the disk's error).
   */
  push(route: Route, json: string): void;
  /** Batches that `take` has to give: full ones, and after `seal` all of them. */
  readonly ready: number;
  /** False asks callers to wait until it is true again. */
  readonly hasRoom: boolean;
  /** Events pushed, or found on disk, and not settled. */
  readonly size: number;
  /** Tells of a route before its first event, so that what a spool found of it becomes ready. */
  open?(route: Route): void;
  /** `tell` is called when batches became ready by themselves. */
  listen?(tell: () => void): void;
  /** Makes everything pushed so far ready, however little, and answers a mark for `isSettled`. */
  seal(): number;
  /** Whether everything pushed before the mark is settled. */
  isSettled(mark: number): boolean;
  take(): QueuedBatch | undefined;
  /** Done with, be it delivered or reported: it is forgotten, and a spool never gives it again. */
  settle(batch: QueuedBatch): void;
  /**
   * Not done with, because the collector closes: `events` of the batch are left, and a spool keeps them for the next run.
   * Given the whole batch again instead is allowed, since ids make copies single.
   */
  putBack(batch: QueuedBatch, events: readonly EventLines[]): void;
  /** Ends the queue: answers what only memory held, and how many events stay on disk. */
  close(): { readonly left: readonly QueuedBatch[]; readonly kept: number };
}

let nextNumber = 0;

/** Numbers of batches, in the order in which they began, of all queues: so that one mark holds for several. */
export const numberBatch = (): number => nextNumber++;

/** A mark that every batch which began before lies below. */
export const markNow = (): number => nextNumber;

/** How a queue is told what a batch may hold: the route's limits, and the collector's where they are lower. */
export interface BatchLimits {
  /** Infinity: what the route allows. */
  readonly events: number;
  readonly bytes: number;
}

/** The error of an `add` after `close`. */
export const createClosed = (): Error =>
  Object.assign(new Error('the collector is closed'), { code: 'COLLECTOR_CLOSED' });

/** The error of an `add` that found no room, where the policy is to refuse. */
export const createQueueFull = (size: number): Error =>
  Object.assign(new Error(`the queue is full: ${size} events wait`), { code: 'QUEUE_FULL' });
