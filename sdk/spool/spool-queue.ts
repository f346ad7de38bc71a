import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../delivery/code-of.ts';
import { createLineBuffer, type LineBuffer, mostSpare, readEvents } from '../delivery/event-lines.ts';
import {
  type BatchLimits,
  createQueueFull,
  markNow,
  numberBatch,
  type Queue,
  type QueuedBatch,
} from '../delivery/queue.ts';
import type { DeliveryTrouble, EventLines, Route } from '../delivery/route.ts';
import { nameDataFile } from './data-file-name.ts';
import { countLines, createLineFile, type LineFile, readLines, sizeOf, toLine } from './line-file.ts';
import { folderOfRoute } from './route-folder.ts';
import { beatMs, claimSpool, goneAfterMs } from './spool-owner.ts';

export interface SpoolOptions {
  readonly dir: string;
  /** Bytes on disk beyond which there is no room. */
  readonly bytes: number;
  /** Bytes that are held in memory too, so that they need not be read again. */
  readonly memoryBytes: number;
  /** As of a memory queue. */
  readonly whenFull: 'wait' | 'refuse';
  readonly trouble: (trouble: DeliveryTrouble) => void;
}

/** A batch is a file: it keeps its events, in their order, over every attempt and restart, and is gone once settled. */
interface SpooledBatch {
  readonly number: number;
  readonly route: Route;
  readonly path: string;
  /** Undefined: to be read from the file. */
  events: LineBuffer | undefined;
  /** 1 of a file that was found, until it is read. */
  count: number;
  bytes: number;
  file: LineFile | undefined;
  isReady: boolean;
}

/**
 * Batches in files, DIR/<process>/<route>/datas_YYYYMMDDHH-<process>-<number>.log: what `push` took is in the system's
 * hands when it returns, and outlives the process, though not the loss of power. Files of processes that are gone are
 * adopted, at the start and later, and sent as soon as their route is known (`open`, or an event of it).
 */
export function createSpoolQueue(options: SpoolOptions, batchLimits: BatchLimits): Queue {
  const { trouble } = options;
  const owner = claimSpool(options.dir);
  const routes = new Map<string, Route>();
  const open = new Map<Route, SpooledBatch>();
  let ready: SpooledBatch[] = [];
  /** In the order of their numbers, as a Set keeps what is added. */
  const unsettled = new Set<SpooledBatch>();
  const taken = new Map<QueuedBatch, SpooledBatch>();
  /** Paths by folder, of routes that are not known yet. */
  const unrouted = new Map<string, string[]>();
  const spare: Buffer[] = [];
  let nextFile = 0;
  let bytes = 0;
  let inMemory = 0;
  let lastBeat = Date.now();
  let isClosed = false;
  let tellReady = () => {};

  const report = (detail: string, route?: string) =>
    trouble({ kind: 'spool', detail, ...(route && { route }) });

  const refuses = options.whenFull === 'refuse';
  const isFull = () => bytes >= options.bytes;
  /** Who is refused need not wait. */
  const countRoom = () => {
    queue.hasRoom = refuses || !isFull();
  };

  const startBatch = (route: Route): SpooledBatch => {
    openRoute(route);
    const folder = join(owner.folder, folderOfRoute(route.name));
    fs.mkdirSync(folder, { recursive: true });
    const name = nameDataFile(new Date(), 'hour').replace(
      '.log',
      `-${owner.id}-${numberFile(nextFile++)}.log`,
    );
    const path = join(folder, name);
    const file = createLineFile(path);
    return addBatch({ route, path, file, events: createLineBuffer(spare.pop()), count: 0, bytes: 0 });
  };

  const addBatch = (given: Omit<SpooledBatch, 'number' | 'isReady'>): SpooledBatch => {
    const batch = { ...given, number: numberBatch(), isReady: false };
    unsettled.add(batch);
    return batch;
  };

  const makeReady = (batch: SpooledBatch) => {
    if (batch.isReady) return;
    batch.isReady = true;
    ready.push(batch);
    queue.ready = ready.length;
  };

  /** Nothing is added to it any more. */
  const finish = (batch: SpooledBatch) => {
    if (open.get(batch.route) === batch) open.delete(batch.route);
    batch.file?.close();
    batch.file = undefined;
  };

  const releaseMemory = (batch: SpooledBatch) => {
    if (batch.events === undefined) return;
    inMemory -= batch.bytes;
    batch.events = undefined;
  };

  const forget = (batch: SpooledBatch) => {
    finish(batch);
    if (!unsettled.delete(batch)) return;
    queue.size -= batch.count;
    releaseMemory(batch);
    bytes -= batch.bytes;
    countRoom();
  };

  const remove = (batch: SpooledBatch) => {
    forget(batch);
    try {
      fs.unlinkSync(batch.path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') report(`${String(error)}; its events are sent again`, batch.route.name);
    }
  };

  const addFound = (route: Route, path: string) => {
    const batch = addBatch({
      route,
      path,
      file: undefined,
      events: undefined,
      count: 1,
      bytes: sizeOf(path),
    });
    bytes += batch.bytes;
    makeReady(batch);
    countRoom();
  };

  const openRoute = (route: Route) => {
    const folder = folderOfRoute(route.name);
    routes.set(folder, route);
    const found = unrouted.get(folder);
    if (found === undefined) return;
    unrouted.delete(folder);
    // They are counted already.
    for (const path of found) addFound(route, path);
  };

  const adopt = () => {
    for (const name of owner.adopt()) {
      const folder = dirname(name).replaceAll('\\', '/');
      const path = join(owner.folder, name);
      const route = routes.get(folder);
      queue.size++;
      if (route !== undefined) addFound(route, path);
      else unrouted.set(folder, [...(unrouted.get(folder) ?? []), path]);
    }
  };

  const readBatch = (batch: SpooledBatch): EventLines | undefined => {
    if (batch.events !== undefined) return batch.events;
    try {
      const { lines, unreadable } = readLines(batch.path);
      if (unreadable > 0) report(`${batch.path} has ${unreadable} lines that are no JSON`, batch.route.name);
      queue.size += lines.count - batch.count;
      batch.count = lines.count;
      return lines;
    } catch (error) {
      report(`${String(error)}; it stays there`, batch.route.name);
      return undefined;
    }
  };

  /** After a long sleep (a frozen process) what was ours may be another's, who delivers it. */
  const dropAdopted = () => {
    lastBeat = Date.now();
    for (const batch of unsettled) if (!fs.existsSync(batch.path)) forget(batch);
    ready = ready.filter((batch) => unsettled.has(batch));
    queue.ready = ready.length;
  };

  const beat = () => {
    if (Date.now() - lastBeat > goneAfterMs) dropAdopted();
    lastBeat = Date.now();
    try {
      owner.beat();
      adopt();
    } catch (error) {
      report(String(error));
    }
    if (ready.length > 0) tellReady();
  };

  const append = (batch: SpooledBatch, json: string) => {
    const { file, events } = batch;
    if (file === undefined || events === undefined) throw new Error('finished');
    const length = events.add(toLine(json));
    try {
      file.append(events.bytes.subarray(-length));
    } catch (error) {
      events.takeBack(length);
      throw error;
    }
    batch.count++;
    batch.bytes += length;
    inMemory += length;
    bytes += length;
    queue.size++;
  };

  const queue: { -readonly [Key in keyof Queue]: Queue[Key] } = {
    ready: 0,
    hasRoom: true,
    size: 0,

    push: (route, json) => {
      if (refuses && isFull()) throw createQueueFull(queue.size);
      if (Date.now() - lastBeat > goneAfterMs) dropAdopted();
      const eventLimit = Math.min(route.limits.events, batchLimits.events);
      const byteLimit = Math.min(route.limits.bytes, batchLimits.bytes);
      let batch = open.get(route);
      if (batch !== undefined && batch.count > 0 && batch.bytes + Buffer.byteLength(json) > byteLimit) {
        setAside(batch);
        batch = undefined;
      }
      try {
        batch ??= startBatch(route);
        open.set(route, batch);
        append(batch, json);
      } catch (error) {
        report(`an event was not taken: ${String(error)}`, route.name);
        if (batch !== undefined) setAside(batch);
        throw error;
      }
      if (batch.count >= eventLimit) setAside(batch);
      // What is full has been told of here; the memory is given back from the youngest on, which are sent last.
      if (inMemory > options.memoryBytes && batch.file === undefined) releaseMemory(batch);
      countRoom();
    },

    open: (route) => {
      if (!isClosed && !routes.has(folderOfRoute(route.name))) openRoute(route);
    },

    listen: (tell) => {
      tellReady = tell;
    },

    seal: () => {
      // They take more until they are taken: while the server is down, they fill instead of becoming many.
      for (const batch of open.values()) if (batch.count > 0) makeReady(batch);
      return markNow();
    },

    isSettled: (mark) => {
      for (const batch of unsettled) return batch.number >= mark;
      return true;
    },

    take: () => {
      for (;;) {
        const batch = ready.shift();
        queue.ready = ready.length;
        if (batch === undefined) return undefined;
        finish(batch);
        const events = readBatch(batch);
        if (events === undefined) forget(batch);
        else if (events.count === 0) remove(batch);
        else {
          const given: QueuedBatch = { route: batch.route, events };
          taken.set(given, batch);
          return given;
        }
      }
    },

    settle: (given) => {
      const batch = taken.get(given);
      if (batch === undefined) return;
      taken.delete(given);
      // One that was lost to another process is still being sent.
      if (batch.events !== undefined && spare.length < mostSpare) spare.push(batch.events.memory);
      remove(batch);
    },

    putBack: (given, events) => {
      const batch = taken.get(given);
      const left = events.flatMap(readEvents);
      if (batch === undefined || left.length === batch.count) return;
      let rest: SpooledBatch | undefined;
      try {
        // Both are there for a moment, which makes copies at worst.
        rest = startBatch(batch.route);
        for (const event of left) append(rest, event);
        finish(rest);
        queue.settle(given);
      } catch (error) {
        if (rest !== undefined) remove(rest);
        report(`${String(error)}; its events are sent again`, batch.route.name);
      }
    },

    close: () => {
      isClosed = true;
      clearInterval(beating);
      for (const batch of open.values()) finish(batch);
      for (const batch of unsettled) {
        if (batch.count === 0) remove(batch);
        else readBatch(batch);
      }
      for (const path of [...unrouted.values()].flat()) queue.size += countLines(path) - 1;
      try {
        owner.release();
      } catch (error) {
        report(String(error));
      }
      return { left: [], kept: queue.size };
    },
  };

  /** Nothing more fits, or is to: what it has is sent, and the next event has a file of its own. */
  const setAside = (batch: SpooledBatch) => {
    finish(batch);
    if (batch.count > 0) makeReady(batch);
    else remove(batch);
  };

  adopt();
  const beating = setInterval(beat, beatMs);
  beating.unref();
  return queue;
}

const numberFile = (number: number): string => String(number).padStart(9, '0');
