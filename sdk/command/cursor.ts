import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf } from '../delivery/code-of.ts';
import { isAlive } from '../spool/spool-owner.ts';

/** How far a file is sent. */
export interface Progress {
  /** Bytes that are done with. */
  offset: number;
  /** The window under way reaches to here, so that its batches are cut as before. */
  end: number | undefined;
  /** The numbers of its batches that are done with. */
  done: number[];
}

export interface Cursor {
  readonly progress: Progress;
  save(): void;
  /** Lets other processes send the file. */
  release(): void;
}

/** A failure that the caller can mend: its message is for the terminal. */
export class SendFailed extends Error {}

/** Bytes at the start of a file by which it is known again. */
const headBytes = 1024;

/**
 * What `.cursor` and `.rejected` are added to: the file's own path, or a name that comes of it in the folder `state`.
 */
export function placeState(file: string, state: string | undefined): string {
  if (state === undefined) return file;
  mkdirSync(state, { recursive: true });
  const path = resolve(file);
  const name = path.split(/[\\/]/).at(-1) ?? '';
  return join(state, `${name.slice(0, 100)}-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`);
}

/** Takes the cursor of a file; throws SendFailed where another process has it, or it is of another file. */
export function takeCursor(path: string, fd: number, restart: boolean): Cursor {
  const lock = `${path}.lock`;
  takeLock(lock);
  try {
    const progress = (restart ? undefined : readProgress(path, fd)) ?? {
      offset: 0,
      end: undefined,
      done: [],
    };
    return {
      progress,
      save: () => {
        const { offset, end, done } = progress;
        const known = Math.min(end ?? offset, headBytes);
        const text = JSON.stringify({ version: 1, offset, end, done, known, head: hashHead(fd, known) });
        writeFileSync(`${path}.new`, `${text}\n`);
        renameSync(`${path}.new`, path);
      },
      release: () => rmSync(lock, { force: true }),
    };
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
}

function readProgress(path: string, fd: number): Progress | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const { version, offset, end, done, known, head } = parseCursor(text, path);
  const isSame = version === 1 && hashHead(fd, Number(known)) === head;
  if (typeof offset !== 'number' || !Array.isArray(done) || !isSame)
    throw new SendFailed(
      `${path} tells of another file; delete it, or use --restart, to send this one from its start`,
    );
  return { offset, end: typeof end === 'number' ? end : undefined, done: done.map(Number) };
}

function parseCursor(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    throw new SendFailed(`${path} is no cursor; delete it to send the file from its start`);
  }
}

function hashHead(fd: number, bytes: number): string {
  const head = Buffer.alloc(bytes);
  const count = readSync(fd, head, 0, bytes, 0);
  return createHash('sha256').update(head.subarray(0, count)).digest('hex');
}

function takeLock(lock: string): void {
  for (;;) {
    try {
      const fd = openSync(lock, 'wx');
      writeFileSync(fd, String(process.pid));
      closeSync(fd);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const owner = Number(readIfThere(lock));
    if (owner > 0 && owner !== process.pid && isAlive(owner))
      throw new SendFailed(`process ${owner} sends this file already (${lock})`);
    rmSync(lock, { force: true });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
