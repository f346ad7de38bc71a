/**
 * How long a message waits before its next delivery, in milliseconds: the minimum after the first failure, doubled
 * after each further one, never above the maximum (RetryPolicy in pubsub.proto).
 */
export function retryDelay(failures: number, minimum: number, maximum: number): number {
  if (failures < 1) return 0;
  // Beyond 2^40 times any minimum the maximum has long been reached; without the cap the power overflows.
  return Math.min(maximum, minimum * 2 ** Math.min(failures - 1, 40));
}

/** Google stops pushing to a whole subscription for 100 ms to 60 s (cloud.google.com/pubsub/docs/push#push_backoff). */
const shortestPause = 100;
const longestPause = 60_000;

export interface PushPace {
  /** How many pushes may be outstanding. */
  window: number;
  /** How deep the backoff is; 0 is none. */
  level: number;
}

const firstWindow = 4;
const widestWindow = 1000;

export function startPace(): PushPace {
  return { window: firstWindow, level: 0 };
}

/** Slow start: each success widens the window by one, so it doubles with every round trip. */
export function afterSuccess(pace: PushPace): PushPace {
  return { window: Math.min(widestWindow, pace.window + 1), level: pace.level >> 1 };
}

/** A failure halves the window and pauses the subscription. Milliseconds of pause are in `pauseOf`. */
export function afterFailure(pace: PushPace): PushPace {
  return { window: Math.max(1, pace.window >> 1), level: Math.min(pace.level + 1, 20) };
}

export function pauseOf(pace: PushPace): number {
  return pace.level === 0 ? 0 : Math.min(longestPause, shortestPause * 2 ** (pace.level - 1));
}
