import type { AccountName, ParentName, Verb } from './access-plan.ts';
import type { Roles } from './roles.ts';

/** What became of one user in a step. */
export interface LineResult {
  readonly user: string;
  readonly line: string;
  /**
   * `done`: the binding is as the step wants it. `refused`: it is as it was. `moved`: it is neither, so somebody else has
   * changed it meanwhile.
   */
  readonly state: 'done' | 'refused' | 'moved';
  /** The roles that were seen last. */
  readonly is: Roles | null;
  /** Whether Google's answer names it. */
  readonly isNamed: boolean;
}

/** What became of a step, or of undoing it. */
export interface StepResult {
  readonly kind: 'done' | 'failed';
  /** Calls that changed or may have changed something. */
  readonly attempts: number;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** Only the lines that are not done. */
  readonly lines: readonly LineResult[];
}

/** A step that did not go through, with every line of it that was refused. */
export interface Failure extends Omit<StepResult, 'kind'> {
  readonly step: number;
  readonly parent: ParentName;
  readonly verb: Verb;
}

/** A binding that is not as it should be. */
export interface Difference {
  readonly parent: ParentName;
  readonly user: string;
  readonly shouldBe: Roles | null;
  readonly is: Roles | null;
  readonly reason: string;
}

export type OutcomeKind = 'committed' | 'rolled_back' | 'rollback_incomplete' | 'partly_committed';

export interface AccountOutcome {
  readonly account: AccountName;
  readonly kind: OutcomeKind;
  readonly failures: readonly Failure[];
  /** What is not as it was before, where that was to be brought back; empty for all other outcomes. */
  readonly differences: readonly Difference[];
  /** Steps that were never begun, in place of what failed. */
  readonly notTried: readonly number[];
}

/** How a request ended. */
export interface Outcome {
  /** `partly_committed`: calls that stand by themselves have failed, or accounts ended differently. */
  readonly kind: OutcomeKind;
  readonly requestId: string;
  readonly planHash: string;
  readonly accounts: readonly AccountOutcome[];
  readonly writes: number;
  /** What to do next, in words. */
  readonly advice: string;
}

/** Puts the outcomes of accounts together. */
export function joinOutcomes(
  head: { readonly requestId: string; readonly planHash: string },
  accounts: readonly AccountOutcome[],
  writes: number,
): Outcome {
  const kinds = new Set(accounts.map(({ kind }) => kind));
  const [only] = kinds;
  const kind: OutcomeKind = kinds.has('rollback_incomplete')
    ? 'rollback_incomplete'
    : kinds.size > 1
      ? 'partly_committed'
      : (only ?? 'committed');
  const { requestId, planHash } = head;
  return { kind, requestId, planHash, accounts, writes, advice: advise(kind, accounts) };
}

function advise(kind: OutcomeKind, accounts: readonly AccountOutcome[]): string {
  const refused = accounts.flatMap(({ failures }) => failures);
  const first = refused[0];
  const why = first === undefined ? '' : ` ${first.parent} answered ${first.code}: ${first.message}`;
  switch (kind) {
    case 'committed':
      return 'Everything is as planned.';
    case 'rolled_back':
      return `Everything is as it was before.${why} Mend or take out the lines that are named in failures, and plan again.`;
    case 'partly_committed':
      return `Some of it is as planned; see the accounts.${why} Mend or take out the lines that are named in failures, and plan again: what is done already is not done twice.`;
    case 'rollback_incomplete': {
      const differences = accounts.flatMap((account) => account.differences);
      return `${differences.length} bindings could not be brought back; see differences: each says how it is and how it should be.${why} Set them by a request of their own, or by hand in Google Analytics.`;
    }
  }
}
