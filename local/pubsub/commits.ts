import type { Store, Writes } from './store.ts';

/**
 * Group commit: everything asked for in one turn of the event loop goes into one transaction, so that a thousand
 * concurrent publishes cost one commit. What may be lost in a crash waits for the next commit, or a short while.
 */
export interface Commits {
  /**
   * Commits the work at the end of this turn, then calls what the work returned, in the order of the requests, and
   * resolves with its answer. Rejects when the transaction failed.
   */
  soon<T>(work: (write: Writes) => () => T): Promise<T>;
  /** Commits the work with the next transaction, at the latest after 20 ms. */
  eventually(work: (write: Writes) => void): void;
  flush(): void;
}

const longestDelay = 20;

export function createCommits(store: Store, log: (line: string) => void): Commits {
  let urgent: { work: (write: Writes) => void; done: () => void; failed: (error: unknown) => void }[] = [];
  let relaxed: ((write: Writes) => void)[] = [];
  let soonPlanned = false;
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    soonPlanned = false;
    if (urgent.length === 0 && relaxed.length === 0) return;
    const [answers, rest] = [urgent, relaxed];
    urgent = [];
    relaxed = [];
    try {
      store.commit((write) => {
        for (const work of rest) work(write);
        for (const answer of answers) answer.work(write);
      });
    } catch (error) {
      log(
        `pubsub: a transaction of ${answers.length} publishes and ${rest.length} acknowledgements failed: ${error}`,
      );
      for (const answer of answers) answer.failed(error);
      return;
    }
    for (const answer of answers) answer.done();
  };

  return {
    soon: <T>(work: (write: Writes) => () => T) =>
      new Promise<T>((resolve, reject) => {
        let committed: () => T;
        urgent.push({
          work: (write) => {
            committed = work(write);
          },
          done: () => resolve(committed()),
          failed: reject,
        });
        if (soonPlanned) return;
        soonPlanned = true;
        setImmediate(flush);
      }),
    eventually(work) {
      relaxed.push(work);
      timer ??= setTimeout(flush, longestDelay);
    },
    flush,
  };
}
