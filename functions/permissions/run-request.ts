import type { AccountName } from './live-state.ts';
import { type AccountOutcome, type Failure, joinOutcomes, type Outcome } from './outcome.ts';
import { mapSome } from './read-live.ts';
import { type RunContext, runBack, runForward, settleForward } from './run-account.ts';

/** Accounts are independent of each other; the changes of one are made one after the other. */
const accountsAtOnce = 4;

/**
 * Does what the journal of a request says is left of it, and what it takes to make it stand or fall as a whole. Rejects
 * where it cannot go on: with OutOfTime, LeaseLost, JournalTaken, NotStored, ReadFailed or StorageError. The journal
 * then knows how far it came.
 */
export async function runRequest(context: Omit<RunContext, 'isStopped'>): Promise<Outcome> {
  const { journal } = context;
  const { atomicity, steps } = journal.head;
  const byAccount = [...Map.groupBy(steps, ({ account }) => account)];
  let isStopped = false;
  const given: RunContext = { ...context, isStopped: () => isStopped };
  const stopOnError = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      isStopped = true;
      throw error;
    });

  const forward = async ([account, ofAccount]: (typeof byAccount)[number]): Promise<AccountOutcome> => {
    if (journal.isGivenUp(account)) return back(account, ofAccount, failuresSoFar(ofAccount, context));
    const result = await runForward(account, ofAccount, given);
    if (result.failures.length > 0 && atomicity === 'request') isStopped = true;
    if (result.failures.length === 0 || atomicity !== 'account') return settleForward(account, result);
    await journal.giveUp(account);
    return back(account, ofAccount, result.failures);
  };
  const back = async (
    account: AccountName,
    ofAccount: (typeof byAccount)[number][1],
    failures: readonly Failure[],
  ): Promise<AccountOutcome> => {
    const differences = await runBack(account, ofAccount, { ...given, isStopped: () => false });
    const kind = differences.length === 0 ? 'rolled_back' : 'rollback_incomplete';
    return { account, kind, failures, differences, notTried: [] };
  };

  let accounts: readonly AccountOutcome[] = [];
  if (!journal.isGivenUp('request')) {
    accounts = await mapSome(byAccount, accountsAtOnce, (one) => stopOnError(forward(one)));
    if (atomicity === 'request' && accounts.some(({ kind }) => kind !== 'committed')) {
      await journal.giveUp('request');
    }
  }
  if (journal.isGivenUp('request')) {
    accounts = await mapSome(byAccount, accountsAtOnce, ([account, ofAccount]) =>
      stopOnError(back(account, ofAccount, failuresSoFar(ofAccount, context))),
    );
  }
  const outcome = joinOutcomes(journal.head, accounts, countWrites(context));
  await journal.finish(outcome);
  return outcome;
}

function failuresSoFar(
  steps: RunContext['journal']['head']['steps'],
  { journal }: Pick<RunContext, 'journal'>,
): Failure[] {
  return steps.flatMap(({ index, parent, verb }) => {
    const result = journal.resultOf('step', index);
    if (result?.kind !== 'failed') return [];
    const { kind: _, ...rest } = result;
    return [{ step: index, parent, verb, ...rest }];
  });
}

function countWrites({ journal }: Pick<RunContext, 'journal'>): number {
  return journal.head.steps.reduce(
    (sum, { index }) =>
      sum +
      (journal.resultOf('step', index)?.attempts ?? 0) +
      (journal.resultOf('undo', index)?.attempts ?? 0),
    0,
  );
}
