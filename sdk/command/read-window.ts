import { fstatSync, readSync } from 'node:fs';

/** Some whole lines of a file. */
export interface Window {
  /** Without the white space around them, which vendors' SDKs leave; empty ones are left out. */
  readonly lines: readonly string[];
  /** Where the next begins: bytes from the start. */
  readonly end: number;
  /** Bytes after the last whole line of the file: somebody is still writing it, or was killed. */
  readonly rest: number;
}

/** Four requests of the largest kind, or some. */
export const windowBytes = 4 * 1024 * 1024;

/**
 * The lines from `start`: up to `end` where it is given, and otherwise so many as fit. At the end of the file a line that
 * is whole JSON needs no line end. Undefined where nothing is left.
 */
export function readWindow(fd: number, start: number, end?: number): Window | undefined {
  const { size } = fstatSync(fd);
  if (end !== undefined) return { lines: splitLines(read(fd, start, end)), end, rest: 0 };
  for (let bytes = windowBytes; ; bytes *= 2) {
    const until = Math.min(size, start + bytes);
    if (until <= start) return undefined;
    const chunk = read(fd, start, until);
    const isLast = until === size;
    if (isLast && isJson(chunk.subarray(chunk.lastIndexOf(10) + 1).toString()))
      return { lines: splitLines(chunk), end: until, rest: 0 };
    const whole = chunk.subarray(0, chunk.lastIndexOf(10) + 1);
    if (whole.length > 0 || isLast)
      return {
        lines: splitLines(whole),
        end: start + whole.length,
        rest: isLast ? chunk.length - whole.length : 0,
      };
  }
}

function read(fd: number, start: number, end: number): Buffer {
  const chunk = Buffer.alloc(end - start);
  let filled = 0;
  while (filled < chunk.length) {
    const count = readSync(fd, chunk, filled, chunk.length - filled, start + filled);
    if (count === 0) break;
    filled += count;
  }
  return chunk.subarray(0, filled);
}

/** `trim` takes a byte order mark too. */
const splitLines = (bytes: Buffer): string[] =>
  bytes
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
