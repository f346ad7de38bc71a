/**
 * How often the API may be called; https://developers.google.com/analytics/devguides/config/admin/v1/quotas. Every call
 * counts against the first two, one that writes against all four.
 */
export interface QuotaOptions {
  readonly projectRequestsPerMinute: number;
  readonly userRequestsPerMinute: number;
  readonly projectWritesPerMinute: number;
  readonly userWritesPerMinute: number;
  /**
   * 'fixed': refilled at the start of each minute of the clock, as the page has it; 'sliding': over the last 60 seconds,
   * which forgives nothing.
   */
  readonly window: 'fixed' | 'sliding';
  /** How many entries of a batch are one write. Google counts requests; the older API counted 30 entries as one. */
  readonly entriesPerWrite: number;
}

export const googleQuotas: QuotaOptions = {
  projectRequestsPerMinute: 1200,
  userRequestsPerMinute: 600,
  projectWritesPerMinute: 600,
  userWritesPerMinute: 180,
  window: 'fixed',
  entriesPerWrite: Number.POSITIVE_INFINITY,
};

/** The quota that a call would overrun. */
export interface Overrun {
  readonly limit: string;
  readonly value: number;
}

export interface Quotas {
  /** Takes what a call costs from every quota it counts against, or, where one has not enough left, from none. */
  take(call: { kind: 'read' | 'write'; caller: string; entries: number }, nowMs: number): Overrun | undefined;
  /** What a call costs in writes. */
  writesOf(kind: 'read' | 'write', entries: number): number;
}

export function createQuotas(options: QuotaOptions): Quotas {
  const windows = new Map<string, Window>();
  const windowOf = (key: string): Window => {
    const known = windows.get(key);
    if (known !== undefined) return known;
    const made = options.window === 'fixed' ? createFixedWindow() : createSlidingWindow();
    windows.set(key, made);
    return made;
  };
  const writesOf = (kind: 'read' | 'write', entries: number) =>
    kind === 'read' ? 0 : Math.max(1, Math.ceil(entries / options.entriesPerWrite));
  return {
    writesOf,
    take({ kind, caller, entries }, nowMs) {
      const writes = writesOf(kind, entries);
      const charges = [
        { limit: 'RequestsPerMinutePerProject', value: options.projectRequestsPerMinute, of: '', cost: 1 },
        {
          limit: 'RequestsPerMinutePerProjectPerUser',
          value: options.userRequestsPerMinute,
          of: caller,
          cost: 1,
        },
        { limit: 'WritesPerMinutePerProject', value: options.projectWritesPerMinute, of: '', cost: writes },
        {
          limit: 'WritesPerMinutePerProjectPerUser',
          value: options.userWritesPerMinute,
          of: caller,
          cost: writes,
        },
      ].map((it) => ({ ...it, window: windowOf(`${it.limit} ${it.of}`) }));
      const overrun = charges.find(
        ({ cost, value, window }) => cost > 0 && window.used(nowMs) + cost > value,
      );
      if (overrun !== undefined) return { limit: overrun.limit, value: overrun.value };
      for (const { window, cost } of charges) window.add(nowMs, cost);
      return undefined;
    },
  };
}

interface Window {
  used(nowMs: number): number;
  add(nowMs: number, cost: number): void;
}

const minuteMs = 60_000;

function createFixedWindow(): Window {
  let minute = Number.NaN;
  let sum = 0;
  const turn = (nowMs: number) => {
    const current = Math.floor(nowMs / minuteMs);
    if (current !== minute) sum = 0;
    minute = current;
  };
  return {
    used(nowMs) {
      turn(nowMs);
      return sum;
    },
    add(nowMs, cost) {
      turn(nowMs);
      sum += cost;
    },
  };
}

function createSlidingWindow(): Window {
  let taken: { atMs: number; cost: number }[] = [];
  return {
    used(nowMs) {
      taken = taken.filter(({ atMs }) => atMs > nowMs - minuteMs);
      return taken.reduce((sum, { cost }) => sum + cost, 0);
    },
    add(nowMs, cost) {
      if (cost > 0) taken.push({ atMs: nowMs, cost });
    },
  };
}
