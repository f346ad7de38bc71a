import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endOf } from './ports.ts';

/** How one process of the local cloud is started. */
export interface ProcessPlan {
  name: string;
  /** The script; Node is the one that runs this process. */
  script: string;
  /** Asked at each start. */
  args?: () => string[];
  cwd?: string;
  environment?: NodeJS.ProcessEnv;
  /** Resolves once the process serves; `ended` is aborted when it ends. */
  untilServing(child: ChildProcess, ended: AbortSignal): Promise<void>;
}

export type ProcessEvent =
  | { kind: 'line'; name: string; stream: 'stdout' | 'stderr'; line: string }
  | { kind: 'serving'; name: string; restarted: boolean }
  | { kind: 'died'; name: string; why: string; restartInMs: number };

export interface Supervised {
  readonly name: string;
  pid(): number | undefined;
  /** Resolves once the process serves, or the one that follows it; rejects when the very first one ended before. */
  serving(): Promise<void>;
  /** Sends a signal; resolves once the process has ended. It is started again after a moment. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends the process for good: SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<void>;
  /** The same at once, without waiting. */
  abandon(): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A process that served as long as this did not die of its start. */
const HEALTHY_AFTER_MS = 5_000;
const PRELOAD = fileURLToPath(new URL('exit-with-parent.ts', import.meta.url));

/** Starts a process and starts it again whenever it dies, after a pause that doubles while it keeps dying early. */
export function supervise(plan: ProcessPlan, report: (event: ProcessEvent) => void): Supervised {
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let serving = Promise.withResolvers<void>();
  let hasServed = false;
  let stopping = false;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;

  function start(): void {
    const started = spawn(process.execPath, ['--import', PRELOAD, plan.script, ...(plan.args?.() ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in a terminal reaches the whole group, but the order of stopping is ours.
      detached: true,
      ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
      ...(plan.environment === undefined ? {} : { env: plan.environment }),
    });
    child = started;
    const startedAt = Date.now();
    const tail: string[] = [];
    for (const stream of ['stdout', 'stderr'] as const) {
      createInterface({ input: started[stream]! }).on('line', (line) => {
        if (tail.push(line) > 20) tail.shift();
        report({ kind: 'line', name: plan.name, stream, line });
      });
    }
    // The channel is there to notice the end of either side, not to keep this one alive.
    started.channel?.unref();
    plan.untilServing(started, endOf(started)).then(
      () => {
        report({ kind: 'serving', name: plan.name, restarted: hasServed });
        hasServed = true;
        serving.resolve();
      },
      () => undefined,
    );
    ended = new Promise((resolve) => {
      // 'close' comes after the last line of output has been read.
      started.once('close', (code, signal) => {
        resolve();
        if (child === started) child = undefined;
        if (!stopping) onDeath(signal ?? `exit code ${code}`, startedAt, tail);
      });
      started.once('error', (error) => {
        resolve();
        if (!stopping && started.pid === undefined) onDeath(error.message, startedAt, tail);
      });
    });
  }

  function onDeath(why: string, startedAt: number, tail: string[]): void {
    if (!hasServed) {
      stopping = true;
      serving.reject(new Error(`${plan.name} did not start (${why}).\n${tail.join('\n')}`.trim()));
      return;
    }
    serving.promise.catch(() => undefined);
    serving = Promise.withResolvers();
    serving.promise.catch(() => undefined);
    if (Date.now() - startedAt > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
    report({ kind: 'died', name: plan.name, why, restartInMs: pauseMs });
    timer = setTimeout(start, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }

  serving.promise.catch(() => undefined);
  start();

  return {
    name: plan.name,
    pid: () => child?.pid,
    serving: () => serving.promise,
    async kill(signal) {
      const ending = ended;
      // Nothing is wrong with a process that was told to end.
      pauseMs = FIRST_PAUSE_MS;
      child?.kill(signal);
      await ending;
    },
    async stop(graceMs) {
      stopping = true;
      clearTimeout(timer);
      const ending = child;
      ending?.kill('SIGTERM');
      const killer = setTimeout(() => ending?.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(killer);
    },
    abandon() {
      stopping = true;
      clearTimeout(timer);
      child?.kill('SIGKILL');
    },
  };
}
