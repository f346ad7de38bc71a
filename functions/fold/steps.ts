import type { BigQuery } from '@google-cloud/bigquery';
import { type QueryAnswer, type QueryCall, runQuery } from '../../shared/google/run-query.ts';

/**
 * `count`, `arrivals`: what came in; `operations` and `pairs`: copied; `plan`, `bindings`: decided; `touched`, `persons`:
 * folded; `rows`: said to be folded.
 */
export type StepName =
  | 'count'
  | 'arrivals'
  | 'pairs'
  | 'plan'
  | 'bindings'
  | 'touched'
  | 'operations'
  | 'persons'
  | 'rows';

/** What a tick has done so far. */
export interface Done {
  slices: number;
  bindings: number;
  persons: number;
  /** Of those persons, the ones that were not folded anew. */
  carried: number;
  queries: number;
  bytes: number;
}

/** The steps of one tick, each of which begins only under the lease and while there is time. */
export interface Steps {
  readonly done: Done;
  /** Does a step; rejects with OutOfTime or LeaseLost where it may not begin. */
  begin<T>(name: StepName, work: () => Promise<T>): Promise<T>;
  /** A query, which must end within the time of the tick. */
  query(call: Omit<QueryCall, 'timeoutMs'>): Promise<QueryAnswer>;
  /** What is left for a query, in milliseconds, at least one. */
  timeLeftMs(): number;
  /** Whether a step has begun that changes tables. */
  hasWritten(): boolean;
}

/** The time is over between two steps: the next tick goes on. */
export class OutOfTime extends Error {
  readonly next: StepName;

  constructor(next: StepName) {
    super(`There is no time left for the step ${next}.`);
    this.next = next;
  }
}

export interface StepsOptions {
  readonly bigquery: BigQuery;
  readonly now: () => number;
  readonly withinMs: number;
  readonly onStep?: (step: StepName) => void | Promise<void>;
}

/** Starts the steps of a tick that began at `beganAt`, in milliseconds since 1970. */
export function createSteps(
  { bigquery, now, withinMs, onStep }: StepsOptions,
  beganAt: number,
  checkLease: () => Promise<void>,
): Steps {
  const done: Done = { slices: 0, bindings: 0, persons: 0, carried: 0, queries: 0, bytes: 0 };
  const timeLeftMs = () => Math.max(1, beganAt + withinMs - now());
  let hasWritten = false;

  return {
    done,
    timeLeftMs,
    hasWritten: () => hasWritten,
    async begin(name, work) {
      if (timeLeftMs() < withinMs * leastShare) throw new OutOfTime(name);
      await checkLease();
      await onStep?.(name);
      hasWritten ||= changesTables.has(name);
      return work();
    },
    async query(call) {
      done.queries++;
      const answer = await runQuery(bigquery, { ...call, timeoutMs: timeLeftMs() });
      done.bytes += answer.bytes;
      return answer;
    },
  };
}

/** Of its time, that must be left for a step. */
const leastShare = 0.1;

const changesTables: ReadonlySet<StepName> = new Set(['operations', 'pairs', 'bindings', 'persons', 'rows']);
