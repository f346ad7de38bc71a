import { type QuotaLimits, quotaWindowMs } from './quota-limits.ts';

/** Time, as the quotas and the deadline see it: milliseconds since 1970. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** A call would have to wait until after the deadline: what is journalled goes on later. */
export class OutOfTime extends Error {}

/** Keeps calls within the quotas, in the order in which they ask. */
export interface Limiter {
  /** Resolves when the call may be made; rejects with OutOfTime where that is after `until`. */
  take(kind: 'read' | 'write', until: number): Promise<void>;
  /** After an answer that too many calls were made: nobody calls for so long. */
  pause(ms: number): void;
}

/** One per process, since the quotas are those of the project and of the account that the process calls as. */
export function createLimiter(limits: QuotaLimits, clock: Clock): Limiter {
  const calls = createWindow(Math.min(limits.callsPerProject, limits.callsPerUser));
  const writes = createWindow(Math.min(limits.writesPerProject, limits.writesPerUser));
  let pausedUntil = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function admit(kind: 'read' | 'write', until: number): Promise<void> {
    for (;;) {
      const now = clock.now();
      const freeAt = Math.max(pausedUntil, calls.freeAt(now), kind === 'write' ? writes.freeAt(now) : now);
      if (freeAt > until) throw new OutOfTime('the quotas leave no call before the deadline');
      if (freeAt <= now) break;
      await clock.sleep(freeAt - now);
    }
    calls.add(clock.now());
    if (kind === 'write') writes.add(clock.now());
  }

  return {
    take(kind, until) {
      const admitted = last.then(() => admit(kind, until));
      last = admitted.catch(() => undefined);
      return admitted;
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now() + ms);
    },
  };
}

/** At most `limit` calls in any minute, wherever it begins: Google does not say when its own minutes do. */
function createWindow(limit: number) {
  const times: number[] = [];
  let next = 0;
  return {
    freeAt(now: number): number {
      // The oldest of the last `limit` calls, once there are so many.
      const oldest = times.length < limit ? undefined : times[next];
      return oldest === undefined ? now : Math.max(now, oldest + quotaWindowMs);
    },
    add(now: number): void {
      times[next] = now;
      next = (next + 1) % limit;
    },
  };
}

/** How long until the next minute of the clock, when Google refills, and a little more that differs from call to call. */
export const untilRefill = (now: number): number =>
  quotaWindowMs - (now % quotaWindowMs) + Math.ceil(Math.random() * 1_000);
