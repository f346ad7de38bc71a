import { type RateLimit, type Settings, settingsOf } from '../../shared/settings/settings.ts';

/** The projects of a request that are over their limit, with the milliseconds that each has to wait. */
export type OverLimit = ReadonlyMap<string, number>;

export interface RateLimiter {
  /** Whether any project has a limit: where none has, nothing needs to be counted. */
  isOn(settings: Settings): boolean;
  /**
   * Takes the events of a request, by project, from the buckets of those that are not over their limit; where
   * `isWhole` from none unless from all.
   */
  take(settings: Settings, events: ReadonlyMap<string, number>, isWhole: boolean): OverLimit;
  /** How many projects are in memory: never more than the settings limit. */
  readonly size: number;
}

/** Makes the limits of one instance. `now` in milliseconds since 1970. */
export function createRateLimiter(now: () => number): RateLimiter {
  let seen: Settings | undefined;
  let limited: ReadonlySet<string> = new Set();
  const buckets = new Map<string, Bucket>();

  function follow(settings: Settings): void {
    if (settings === seen) return;
    seen = settings;
    const names = Object.keys(settings.projects);
    limited = new Set(names.filter((name) => settingsOf(settings, name).rateLimit !== undefined));
    for (const name of buckets.keys()) if (!limited.has(name)) buckets.delete(name);
  }

  return {
    isOn(settings) {
      follow(settings);
      return limited.size > 0;
    },
    take(settings, events, isWhole) {
      follow(settings);
      const over = new Map<string, number>();
      const refilled: { project: string; bucket: Bucket; count: number }[] = [];
      const at = now();
      for (const [project, count] of events) {
        const limit = limited.has(project) ? settingsOf(settings, project).rateLimit : undefined;
        if (limit === undefined || count === 0) continue;
        const bucket = refill(buckets.get(project) ?? { tokens: Number.POSITIVE_INFINITY, at }, limit, at);
        const waitMs = waitOf(bucket, limit);
        if (waitMs > 0) over.set(project, waitMs);
        refilled.push({ project, bucket, count });
      }
      for (const { project, bucket, count } of refilled) {
        const isTaken = isWhole ? over.size === 0 : !over.has(project);
        buckets.set(project, isTaken ? { tokens: bucket.tokens - count, at } : bucket);
      }
      return over;
    },
    get size() {
      return buckets.size;
    },
  };
}

/** A token bucket: what it holds, below 0 while a debt is paid off, and when that was so. */
interface Bucket {
  readonly tokens: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a bucket holds after a pause. A clock that goes back refills nothing. */
function refill(bucket: Bucket, limit: RateLimit, now: number): Bucket {
  const earned = (Math.max(0, now - bucket.at) / 1000) * limit.eventsPerSecond;
  return { tokens: Math.min(burstOf(limit), bucket.tokens + earned), at: now };
}

/**
 * How many milliseconds a request has to wait, 0 for none. It passes as soon as the bucket holds a token, however many
 * events it has, and leaves the rest as a debt: so no request is too large for ever, and events of one request that are
 * alike share what becomes of them, on which the ids that a replay gives them rest.
 */
function waitOf({ tokens }: Bucket, limit: RateLimit): number {
  return tokens >= aToken ? 0 : Math.max(1, Math.ceil(((aToken - tokens) / limit.eventsPerSecond) * 1000));
}

/** But for what fractions lose. */
const aToken = 1 - 1e-6;

const burstOf = ({ eventsPerSecond, burst }: RateLimit): number => burst ?? Math.max(1, 10 * eventsPerSecond);
