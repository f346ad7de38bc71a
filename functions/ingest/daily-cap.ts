/** Counts to a limit that starts anew at midnight UTC. */
export interface DailyCap {
  /** Takes one and says whether there was one left. */
  take(): boolean;
  /** How many are left. */
  left(): number;
}

const dayMs = 86_400_000;

/** `onReached` is told once a day, when the first is refused. */
export function createDailyCap(now: () => number, limit: () => number, onReached: () => void): DailyCap {
  let day = 0;
  let taken = 0;
  let isReached = false;
  const turnDay = () => {
    const today = Math.floor(now() / dayMs);
    if (today === day) return;
    day = today;
    taken = 0;
    isReached = false;
  };
  return {
    left() {
      turnDay();
      return Math.max(0, limit() - taken);
    },
    take() {
      turnDay();
      if (taken >= limit()) {
        if (!isReached) onReached();
        isReached = true;
        return false;
      }
      taken++;
      return true;
    },
  };
}
