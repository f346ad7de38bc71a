import type { Step } from './access-plan.ts';
import type { AdminApi } from './admin-api.ts';
import type { Audit } from './audit.ts';
import { driveStep, invert } from './drive-step.ts';
import type { Journal, StepKind } from './journal.ts';
import type { AccountName, BindingsOf, ParentName } from './live-state.ts';
import type { AccountOutcome, Difference, Failure, OutcomeKind, StepResult } from './outcome.ts';
import { onlyAdds } from './roles.ts';

export interface RunContext {
  readonly api: AdminApi;
  readonly journal: Journal;
  readonly audit: Audit;
  /** What was listed for the plan, where this process did it. */
  readonly live: ReadonlyMap<ParentName, BindingsOf> | undefined;
  /** Rejects where another process may have taken over. */
  checkLease(account: AccountName): Promise<void>;
  /** When nothing more is begun, in milliseconds since 1970. */
  readonly until: number;
  /** Tells how far it is, after each step. */
  readonly onStep: () => void;
  /** Whether the other accounts have come to an end that makes this one stop. */
  isStopped(): boolean;
}

/** Does the steps of one account in their order, until one fails whose changes stand or fall with the others. */
export async function runForward(
  account: AccountName,
  steps: readonly Step[],
  context: RunContext,
): Promise<{ readonly failures: readonly Failure[]; readonly notTried: readonly number[] }> {
  const { journal } = context;
  const standsAlone = journal.head.atomicity === 'call';
  const failures: Failure[] = [];
  const notTried: number[] = [];
  for (const step of steps) {
    const isOver = failures.length > 0 && (!standsAlone || takes(step));
    if (isOver || context.isStopped()) {
      // What takes access away waits for what gives it.
      notTried.push(step.index);
      continue;
    }
    const known = journal.isBegun('step', step.index) ? undefined : context.live?.get(step.parent);
    const result =
      journal.resultOf('step', step.index) ?? (await perform('step', account, step, context, known));
    if (result.kind === 'failed') failures.push(failureOf(step, result));
  }
  return { failures, notTried };
}

/** Brings back what was before, step by step in reverse, as far as nobody else has changed it since. */
export async function runBack(
  account: AccountName,
  steps: readonly Step[],
  context: RunContext,
): Promise<readonly Difference[]> {
  const { journal } = context;
  const differences: Difference[] = [];
  for (const step of steps.toReversed()) {
    if (!journal.isBegun('step', step.index)) continue;
    const result =
      journal.resultOf('undo', step.index) ??
      (await perform('undo', account, invert(step), context, undefined));
    const before = new Map(step.changes.map((change) => [change.user, change.before]));
    for (const { user, state, is } of result.lines) {
      const reason =
        state === 'moved' ? 'somebody else has changed it since' : `${result.code}: ${result.message}`;
      differences.push({ parent: step.parent, user, shouldBe: before.get(user) ?? null, is, reason });
    }
  }
  return differences;
}

/** Journals, audits and makes one step, in an order in which a crash at any point is seen by who goes on. */
async function perform(
  kind: StepKind,
  account: AccountName,
  step: Step,
  context: RunContext,
  known: BindingsOf | undefined,
): Promise<StepResult> {
  const { api, journal, audit, until } = context;
  await context.checkLease(account);
  if (!journal.isBegun(kind, step.index)) await journal.begin(kind, step);
  await audit.before(kind, step);
  const startedAt = performance.now();
  await context.checkLease(account);
  const moved = kind === 'step' ? 'fail' : 'leave';
  const result = await driveStep(api, step, { known, moved, until });
  await audit.after(kind, step, result, performance.now() - startedAt);
  await journal.end(kind, step.index, result);
  context.onStep();
  return result;
}

const takes = ({ verb, changes }: Step): boolean =>
  verb === 'delete' ||
  (verb === 'update' && changes.some(({ before, after }) => !onlyAdds(before ?? [], after ?? [])));

const failureOf = ({ index, parent, verb }: Step, { kind: _, ...result }: StepResult): Failure => ({
  step: index,
  parent,
  verb,
  ...result,
});

/** How an account ended that was not undone. */
export function settleForward(
  account: AccountName,
  { failures, notTried }: { readonly failures: readonly Failure[]; readonly notTried: readonly number[] },
): AccountOutcome {
  const kind: OutcomeKind = failures.length + notTried.length === 0 ? 'committed' : 'partly_committed';
  return { account, kind, failures, differences: [], notTried };
}
