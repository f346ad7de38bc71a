import type { Failure } from '../service.ts';
import type { QuotaRemaining } from './quota.ts';

/** What this process knows of a property's quota and keeps to. */
export interface PropertyState {
  /** What was left when it last answered. */
  readonly remaining: QuotaRemaining | null;
  /** Server errors left this hour: what was left then, less those since. */
  readonly serverErrorsLeft: number | null;
  /** A failure that holds for every request until its time. */
  readonly open: Failure | undefined;
  answered(remaining: QuotaRemaining | null): void;
  failed(reason: string, failure: Failure): void;
  /** Runs when fewer than the allowed number run. */
  within<T>(run: () => Promise<T>): Promise<T>;
}

/** `concurrency` is the most requests at a time; one that is refused for it halves what is allowed. */
export function createPropertyState(concurrency: number, now: () => number): PropertyState {
  let remaining: QuotaRemaining | null = null;
  let errorsSince = 0;
  let open: Failure | undefined;
  let allowed = concurrency;
  let running = 0;
  const waiting: (() => void)[] = [];
  const admit = () => {
    while (running < Math.floor(allowed) && waiting.length > 0) {
      running++;
      waiting.shift()?.();
    }
  };
  return {
    get remaining() {
      return remaining;
    },
    get serverErrorsLeft() {
      const left = remaining?.serverErrorsPerProjectPerHour;
      return left === undefined
        ? errorsSince === 0
          ? null
          : mostServerErrors - errorsSince
        : left - errorsSince;
    },
    get open() {
      if (open?.notBefore && open.notBefore.getTime() <= now()) {
        open = undefined;
        errorsSince = 0;
      }
      return open;
    },
    answered(left) {
      if (left === null) return;
      [remaining, errorsSince] = [left, 0];
      allowed = Math.min(concurrency, allowed + recovery);
      admit();
    },
    failed(reason, failure) {
      if (reason === 'server_error') errorsSince++;
      if (reason === 'concurrent_requests') allowed = Math.max(1, allowed / 2);
      // The first to hear of it has told; the others only wait.
      if (failure.kind === 'deferred') open = { ...failure, alert: false };
    },
    async within(run) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        admit();
      });
      try {
        return await run();
      } finally {
        running--;
        admit();
      }
    },
  };
}

/** data/v1/quotas, of a standard property. */
const mostServerErrors = 10;
/** What is allowed grows back by one in ten answers. */
const recovery = 0.1;
