import { setTimeout as wait } from 'node:timers/promises';
import { connectClients } from './bench.ts';
import type { Case, Observation } from './case.ts';
import { describeFailure } from './observe.ts';
import type { Target } from './target.ts';

/** Most of a case is waiting for what must not come, so many can run at once even on two cores. */
const atOnce = 24;
const longestMs = 45_000;

/**
 * Observes every case, each in a project of its own. A case that a call of its setting up refuses is observed as
 * that refusal. The promises never reject but with errors that are not Pub/Sub's.
 */
export function runCases(target: Target, cases: readonly Case[]) {
  const clients = connectClients(target.port);
  const outcomes = new Map(cases.map((one) => [one, Promise.withResolvers<Observation>()]));
  // Whoever asks for an outcome hears of its failure; that nobody asked yet is none.
  for (const { promise } of outcomes.values()) promise.catch(() => undefined);
  const waiting = cases.map((one, index) => ({ one, project: `case-${index + 1}` }));

  const work = async () => {
    // From the end, where those are that wait longest.
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const outcome = outcomes.get(next.one);
      await observe(next.one, next.project).then(outcome?.resolve, outcome?.reject);
    }
  };

  const observe = async (one: Case, project: string): Promise<Observation> => {
    const { bench, close } = clients.benchFor(project);
    const over = new AbortController();
    try {
      const tooLong = wait(longestMs, `not over within ${longestMs / 1000} s`, { signal: over.signal });
      return await Promise.race([one.observe(bench).catch(describeFailure), tooLong]);
    } finally {
      over.abort();
      await close();
    }
  };

  const done = Promise.all(Array.from({ length: atOnce }, work));
  return {
    async observationOf(one: Case): Promise<Observation> {
      const outcome = outcomes.get(one);
      if (outcome === undefined) throw new Error(`${one.name} is not among the cases that were run`);
      return outcome.promise;
    },
    async close() {
      waiting.length = 0;
      await done;
      await clients.close();
    },
  };
}
