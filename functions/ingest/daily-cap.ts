/** Counts to a limit that starts anew at midnight UTC. */
export interface DailyCap {
  /** Takes one and says whether there was one left. */
  take(): boolean;
}

const dayMs = 86_400_000;

export function createDailyCap(now: () => number, limit: () => number): DailyCap {
  let day = 0;
  let taken = 0;
  return {
    take() {
      const today = Math.floor(now() / dayMs);
      if (today !== day) {
        day = today;
        taken = 0;
      }
      if (taken >= limit()) return false;
      taken++;
      return true;
    },
  };
}
