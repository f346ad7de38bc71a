import { randomUUID } from 'node:crypto';
import { applyRebind, type BindingChange, planRebind } from './rebind.ts';
import type { Person } from './state.ts';
import type { TickContext } from './tick-context.ts';

export interface BindingsPlan {
  /** The devices whose user changes. */
  readonly changes: readonly BindingChange[];
  /** How many of identity_bindings change by that. */
  readonly rows: number;
  /** False where more change than can be folded one by one. */
  readonly isComplete: boolean;
  /** Makes identity_bindings what is planned. */
  apply(): Promise<void>;
}

/** Decides bindings anew from all pairs, within the time that the tick has left. */
export async function planBindings({ options, steps, policies }: TickContext): Promise<BindingsPlan> {
  const shared = { bigquery: options.bigquery, dataset: options.dataset, policies };
  const count = ({ queries, bytes }: { readonly queries: number; readonly bytes: number }) => {
    steps.done.queries += queries;
    steps.done.bytes += bytes;
  };
  const plan = await planRebind({
    ...shared,
    appendDecisions: options.appendDecisions,
    runId: randomUUID().replaceAll('-', ''),
    now: options.now,
    timeoutMs: steps.timeLeftMs(),
    mostChanges: options.mostPersons,
  });
  count(plan);
  return {
    changes: plan.changes,
    rows: plan.changes.length,
    isComplete: plan.isComplete,
    async apply() {
      count(await applyRebind({ ...shared, timeoutMs: steps.timeLeftMs() }, plan));
    },
  };
}

/** Who it was, who it is, and the device by itself: it was a person or becomes one, where it has no user. */
export function personsOf({ project, anonymousId, before, after }: BindingChange): Person[] {
  const users = [before, after].filter((user) => user !== undefined);
  return [
    ...users.map(({ userKey, userId }) => ({ project, userKey, userId, anonymousId: null })),
    { project, userKey: null, userId: null, anonymousId },
  ];
}
