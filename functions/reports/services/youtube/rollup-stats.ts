import type { Snapshot } from '../service.ts';

export interface RolledStats {
  /** Sums over the channels that show the counter; null where none does. */
  readonly counters: Readonly<Record<string, bigint | null>>;
  /** Whose owner hides a counter, or that were not answered: the sums lack them. */
  readonly incomplete: readonly string[];
}

/** Adds up the live counters of several channels, and tells whose are not in the sums. */
export function rollUpStats(channelIds: readonly string[], snapshots: readonly Snapshot[]): RolledStats {
  const own = snapshots.filter(({ entityId }) => channelIds.includes(entityId));
  const counters: Record<string, bigint | null> = {};
  for (const snapshot of own) {
    for (const [name, value] of Object.entries(snapshot.counters)) {
      const sum = counters[name] ?? null;
      counters[name] = value === null ? sum : (sum ?? 0n) + value;
    }
  }
  const whole = own.filter((snapshot) => Object.values(snapshot.counters).every((value) => value !== null));
  const incomplete = channelIds.filter((id) => !whole.some(({ entityId }) => entityId === id));
  return { counters, incomplete };
}
