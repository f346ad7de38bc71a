import * as fs from 'node:fs';
import { toLines } from '../delivery/event-lines.ts';
import type { EventLines } from '../delivery/route.ts';

/** A file that lines are added to, by one process. */
export interface LineFile {
  /**
   * Adds a line, with its end; or throws, and then nothing may follow: the part of a line that the disk took is left out
   * by who reads.
   */
  append(line: Uint8Array): void;
  close(): void;
}

/** Makes the file; throws what the disk says. */
export function createLineFile(path: string): LineFile {
  const fd = fs.openSync(path, 'ax');
  return {
    append: (line) => writeWhole(fd, line),
    close: () => fs.closeSync(fd),
  };
}

/** JSON as one line: a line end in it is white space between its parts. */
export const toLine = (json: string): string => (/[\r\n]/.test(json) ? json.replace(/[\r\n]/g, ' ') : json);

/** One write, unless the disk takes a part only: then it says why when the rest is written. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(fd, bytes, written);
}

/** The whole lines of a file that are JSON; `unreadable` counts the others. A part of a line at the end is nobody's. */
export function readLines(path: string): { readonly lines: EventLines; readonly unreadable: number } {
  const all = fs.readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const lines = toLines(all.filter(isJson));
  return { lines, unreadable: all.length - lines.count };
}

/** 0 where it cannot be read. */
export function countLines(path: string): number {
  try {
    return readLines(path).lines.count;
  } catch {
    return 0;
  }
}

/** Bytes, 0 where there is no such file. */
export const sizeOf = (path: string): number => fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
