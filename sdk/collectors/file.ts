import * as fs from 'node:fs';
import { join } from 'node:path';
import { createDeferred } from '../delivery/create-deferred.ts';
import { rejectTold } from '../delivery/deliver-queue.ts';
import { longestTimer, readCount } from '../delivery/delivery-options.ts';
import { createClosed } from '../delivery/queue.ts';
import { createReporter } from '../delivery/report.ts';
import type { Collector, Reporting, Route, UndeliveredEvent } from '../delivery/route.ts';
import { nameDataFile } from '../spool/data-file-name.ts';
import { toLine, writeWhole } from '../spool/line-file.ts';
import { folderOfRoute } from '../spool/route-folder.ts';

export interface FileOptions extends Pick<Reporting, 'onError'> {
  /** It is made if it is not there. */
  readonly dir: string;
  /** A file per `hour` (`datas_YYYYMMDDHH.log`), by default, or per `day` (`datas_YYYYMMDD.log`), in local time. */
  readonly rotate?: 'hour' | 'day';
  /** Events that are written at once: 1, each for itself, by default. The vendors' batched mode has 20. */
  readonly batchEvents?: number;
  /** The longest that an event waits for others, milliseconds: 1,000 by default. */
  readonly maxAgeMs?: number;
}

/** Lines of one folder that wait to be written. */
interface Waiting {
  readonly route: Route;
  readonly events: string[];
  readonly written: Promise<undefined>;
  readonly settle: (result: undefined | Promise<undefined>) => void;
}

/**
 * Writes events to files, one JSON a line, for `npx tributary-sdk send` or another's importer: events of Analysys, which
 * name their project, into `dir` as the vendor's SDKs do, and those of any other route into a folder below with the
 * route's name. `add` resolves when its event is with the system. Several processes may write to the same folder of a
 * local disk, as each write is one append.
 */
export function file(options: FileOptions): Collector {
  const { dir, rotate = 'hour' } = options;
  const batchEvents = readCount(options, 'batchEvents', 1, 1);
  const maxAgeMs = readCount(options, 'maxAgeMs', 1000, 0, longestTimer);
  const { trouble } = createReporter(options);
  const files = new Map<string, AppendedFile>();
  const waiting = new Map<string, Waiting>();
  const undelivered: UndeliveredEvent[] = [];
  let ageTimer: NodeJS.Timeout | undefined;
  let kept = 0;
  let isClosed = false;
  fs.mkdirSync(dir, { recursive: true });

  const write = (folder: string, route: Route, events: readonly string[]) => {
    try {
      appendLines(files, folder, nameDataFile(new Date(), rotate), `${events.join('\n')}\n`);
      kept += events.length;
    } catch (error) {
      const detail = `${events.length} events were not written: ${String(error)}`;
      trouble({ kind: 'spool', route: route.name, detail });
      if (isClosed) undelivered.push(...events.map((json) => ({ route: route.name, json })));
      throw error;
    }
  };

  const writeWaiting = () => {
    clearTimeout(ageTimer);
    ageTimer = undefined;
    for (const [folder, { route, events, settle }] of waiting) {
      waiting.delete(folder);
      try {
        write(folder, route, events);
        settle(undefined);
      } catch (error) {
        settle(Promise.reject(error));
      }
    }
  };

  const wait = (folder: string, route: Route, json: string): Promise<undefined> => {
    let batch = waiting.get(folder);
    if (batch === undefined) {
      const { promise: written, resolve: settle } = createDeferred<undefined>();
      // Who does not look at the promise is told by onError.
      written.catch(() => {});
      batch = { route, events: [], written, settle };
      waiting.set(folder, batch);
    }
    batch.events.push(json);
    if (batch.events.length >= batchEvents) writeWaiting();
    else ageTimer ??= setTimeout(writeWaiting, maxAgeMs);
    return batch.written;
  };

  if (batchEvents > 1) process.once('exit', writeWaiting);
  return {
    add: (route, json) => {
      if (isClosed) return Promise.reject(createClosed());
      const folder = route.name.startsWith('analysys/') ? dir : join(dir, folderOfRoute(route.name));
      const line = toLine(json);
      if (batchEvents > 1) return wait(folder, route, line);
      try {
        write(folder, route, [line]);
        return taken;
      } catch (error) {
        return rejectTold(error);
      }
    },
    flush: async () => writeWaiting(),
    close: async () => {
      isClosed = true;
      writeWaiting();
      process.off('exit', writeWaiting);
      for (const { fd } of files.values()) fs.closeSync(fd);
      files.clear();
      return { undelivered, kept };
    },
  };
}

/** One for all events, since it says nothing else. */
const taken: Promise<undefined> = Promise.resolve(undefined);

interface AppendedFile {
  readonly name: string;
  readonly fd: number;
  /** The disk took a part of a line: what follows begins a new one. */
  isTorn: boolean;
}

function appendLines(files: Map<string, AppendedFile>, folder: string, name: string, lines: string): void {
  let file = files.get(folder);
  if (file === undefined || file.name !== name || isDeleted(file.fd)) {
    const fresh = openFile(folder, name);
    if (file !== undefined) fs.closeSync(file.fd);
    file = fresh;
    files.set(folder, file);
  }
  const bytes = Buffer.from(file.isTorn ? `\n${lines}` : lines);
  try {
    writeWhole(file.fd, bytes);
    file.isTorn = false;
  } catch (error) {
    // Nothing may be cut off, since others append to it too.
    file.isTorn = true;
    throw error;
  }
}

/** What a process that was killed, or a full disk, left of a line is ended, so that only that one is lost. */
function openFile(folder: string, name: string): AppendedFile {
  fs.mkdirSync(folder, { recursive: true });
  const fd = fs.openSync(join(folder, name), 'a+');
  const { size } = fs.fstatSync(fd);
  const last = Buffer.alloc(1);
  const isTorn = size > 0 && fs.readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  return { name, fd, isTorn };
}

/** A tool that sends files may delete them, also that of this hour. */
const isDeleted = (fd: number): boolean => fs.fstatSync(fd).nlink === 0;
