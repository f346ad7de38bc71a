import type { Verdict } from './judge-batch.ts';

/** Rows that were quarantined for one reason and have one outcome. */
export interface Group {
  readonly reason: string;
  readonly outcome: 'accepted' | 'refused';
  /** Why they are refused. */
  readonly refusedFor?: string;
  rows: number;
  /** That come onto the path again. */
  events: number;
}

/** Counts verdicts by reason and outcome. */
export interface Tally {
  add(verdict: Verdict): void;
  /** The largest first. */
  groups(): Group[];
}

export function createTally(): Tally {
  const groups = new Map<string, Group>();
  return {
    add(verdict) {
      const { reason } = verdict.row;
      const refusedFor = verdict.kind === 'refused' ? verdict.refusal.reason : undefined;
      const key = JSON.stringify([reason, verdict.kind, refusedFor]);
      const group = groups.get(key) ?? {
        reason,
        outcome: verdict.kind,
        ...(refusedFor !== undefined && { refusedFor }),
        rows: 0,
        events: 0,
      };
      group.rows++;
      if (verdict.kind === 'accepted') group.events += verdict.events;
      groups.set(key, group);
    },
    groups: () => [...groups.values()].sort((left, right) => right.rows - left.rows),
  };
}
