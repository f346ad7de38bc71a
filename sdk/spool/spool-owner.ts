import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { codeOf } from '../delivery/code-of.ts';

/** A process's own folder of a spool, which no other touches while the process lives. */
export interface SpoolOwner {
  readonly id: string;
  readonly folder: string;
  /** Says that the process lives: to be called every `beatMs`, for those who cannot see its number. */
  beat(): void;
  /** Moves the files of processes that are gone here; their paths below `folder`, the oldest first. */
  adopt(): string[];
  /** Leaves what is here to whoever asks for it next. */
  release(): void;
}

export const beatMs = 15_000;
/** After so long without a beat a process on another machine counts as gone. */
export const goneAfterMs = 90_000;

/** The folder's name tells whose it is: an id, the number of the process, when it started, and where it runs. */
export function claimSpool(dir: string): SpoolOwner {
  const id = randomBytes(6).toString('hex');
  const folder = join(dir, `${id}.${process.pid}.${startOf(process.pid)}.${machine()}`);
  fs.mkdirSync(folder, { recursive: true });
  return {
    id,
    folder,
    beat: () => {
      fs.mkdirSync(folder, { recursive: true });
      const now = new Date();
      fs.utimesSync(folder, now, now);
    },
    adopt: () =>
      fs
        .readdirSync(dir)
        .filter((name) => isGone(dir, name))
        .flatMap((name) => adoptFrom(join(dir, name), folder))
        .sort(),
    release: () => {
      // A folder that is left empty is of no use to anybody.
      removeEmpty(folder);
      ignoreMissing(() => fs.renameSync(folder, join(dir, `free.${id}`)));
    },
  };
}

/** Another process may adopt at the same time: each file goes to the one that moves it first. */
function adoptFrom(from: string, to: string): string[] {
  const adopted: string[] = [];
  for (const path of listLogs(from)) {
    const name = relative(from, path);
    fs.mkdirSync(dirname(join(to, name)), { recursive: true });
    if (ignoreMissing(() => fs.renameSync(path, join(to, name)))) adopted.push(name);
  }
  removeEmpty(from);
  return adopted;
}

const listLogs = (folder: string): string[] =>
  listEntries(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listLogs(path);
    return entry.name.endsWith('.log') ? [path] : [];
  });

function removeEmpty(folder: string): void {
  for (const entry of listEntries(folder)) if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  try {
    fs.rmdirSync(folder);
  } catch {
    // Something is in it.
  }
}

function listEntries(folder: string) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isGone(dir: string, name: string): boolean {
  if (name.startsWith('free.')) return true;
  const [, pid, start, where] = /^[0-9a-f]{12}\.(\d+)\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (pid === undefined || where === undefined) return false;
  if (where === machine()) {
    if (!isAlive(Number(pid))) return true;
    // The number may be another process's by now.
    if (start !== '0') return startOf(Number(pid)) !== start;
    if (Number(pid) === process.pid) return false;
  }
  try {
    return Date.now() - fs.statSync(join(dir, name)).mtimeMs > goneAfterMs;
  } catch {
    return false;
  }
}

/** Of this machine and, in a container, of what it sees of it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is somebody else's.
    return codeOf(error) === 'EPERM';
  }
}

/** When a process started, in ticks since Linux did (proc(5), fields 3 and 22 of stat), `dead`, and 0 elsewhere. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // It is dead, and its parent has not looked.
    if (state === 'Z') return 'dead';
    return fields[18] ?? '0';
  } catch {
    return '0';
  }
}

/** Numbers of processes mean the same where this is the same: containers may share the name of their host. */
function machine(): string {
  const name = hostname()
    .replace(/[^\w-]/g, '_')
    .slice(0, 100);
  try {
    return `${name}-${fs.readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return name;
  }
}

/** Whether it was there. */
function ignoreMissing(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
