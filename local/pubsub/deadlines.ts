/**
 * Things that fall due at a time, with one timer for all of them: a binary heap. What was settled early stays in the
 * heap until it falls due, or until the settled outnumber the live, so that settling costs nothing.
 */
export interface Deadlines<T> {
  /** Adds an item, or adds it once more under its changed time. */
  add(item: T): void;
  /** Tells that one item was settled and needs no call. */
  settled(): void;
  close(): void;
}

/**
 * @param dueAt when the item falls due, milliseconds since the epoch; may move later while the item waits
 * @param isLive false once the item was settled
 * @param onDue called at most once for each live item, not before its time
 */
export function createDeadlines<T>(
  dueAt: (item: T) => number,
  isLive: (item: T) => boolean,
  onDue: (item: T) => void,
): Deadlines<T> {
  let times: number[] = [];
  let items: T[] = [];
  let settledCount = 0;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  const push = (time: number, item: T) => {
    let child = times.length;
    times.push(time);
    items.push(item);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (times[parent]! <= time) break;
      times[child] = times[parent]!;
      items[child] = items[parent]!;
      child = parent;
    }
    times[child] = time;
    items[child] = item;
  };

  const pop = (): T => {
    const top = items[0]!;
    const time = times.pop()!;
    const item = items.pop()!;
    const length = times.length;
    if (length > 0) {
      let parent = 0;
      for (;;) {
        let child = 2 * parent + 1;
        if (child >= length) break;
        if (child + 1 < length && times[child + 1]! < times[child]!) child++;
        if (times[child]! >= time) break;
        times[parent] = times[child]!;
        items[parent] = items[child]!;
        parent = child;
      }
      times[parent] = time;
      items[parent] = item;
    }
    return top;
  };

  const arm = () => {
    const first = times[0];
    if (first === undefined || first >= timerAt) return;
    clearTimeout(timer);
    timerAt = first;
    timer = setTimeout(run, Math.min(Math.max(1, Math.ceil(first - Date.now())), 2_000_000_000));
    timer.unref();
  };

  const run = () => {
    timerAt = Number.POSITIVE_INFINITY;
    const now = Date.now();
    while (times.length > 0 && times[0]! <= now) {
      const item = pop();
      if (!isLive(item)) settledCount = Math.max(0, settledCount - 1);
      else if (dueAt(item) > now) push(dueAt(item), item);
      else onDue(item);
    }
    arm();
  };

  return {
    add(item) {
      push(dueAt(item), item);
      arm();
    },
    settled() {
      settledCount++;
      if (settledCount < 1000 || settledCount * 2 < items.length) return;
      const live = items.filter(isLive);
      times = [];
      items = [];
      settledCount = 0;
      for (const item of live) push(dueAt(item), item);
    },
    close() {
      clearTimeout(timer);
      times = [];
      items = [];
    },
  };
}
