import fc from 'fast-check';
import { compareAnswers, type Difference } from './compare-answers.ts';
import type { Evaluator } from './evaluator.ts';
import { explainedRandom } from './explained.ts';
import { NotVerified } from './fetch-zetasql.ts';
import { queries } from './random-queries.ts';
import type { Translator } from './translator.ts';

export interface RandomOptions {
  readonly seed: number;
  readonly runs: number;
  readonly progress: (line: string) => void;
}

export interface RandomComparison {
  readonly figures: {
    runs: number;
    sameRows: number;
    bothRefuse: number;
    /** Valid GoogleSQL that the local BigQuery refuses by saying that it does not know it. */
    notSupported: number;
    explained: number;
  };
  /** The first that was found, as small as it could be made; undefined when all agree. */
  readonly smallest?: Difference & { readonly path: string };
}

/** Asks both engines random queries until one differs, which is then made smaller while it differs. */
export async function compareRandom(
  evaluator: Evaluator,
  translator: Translator,
  { seed, runs, progress }: RandomOptions,
): Promise<RandomComparison> {
  const figures = { runs: 0, sameRows: 0, bothRefuse: 0, notSupported: 0, explained: 0 };
  const difference = async (sql: string) => {
    const expected = await evaluator.evaluate(sql);
    const actual = await translator.evaluate(sql);
    const notSupported =
      actual.kind === 'refused' && actual.text.includes('not supported by the local BigQuery');
    return { expected, notSupported, found: notSupported ? undefined : compareAnswers(expected, actual) };
  };
  const property = fc.asyncProperty(queries, async (sql) => {
    const { expected, notSupported, found } = await difference(sql);
    figures.runs++;
    if (figures.runs % 100 === 0) progress(`${figures.runs} random queries`);
    if (notSupported) figures.notSupported++;
    else if (found === undefined) figures[expected.kind === 'rows' ? 'sameRows' : 'bothRefuse']++;
    else if (explainedRandom.some((one) => one.sql.test(sql) && one.here.test(found.actual)))
      figures.explained++;
    else return false;
    return true;
  });
  const outcome = await fc.check(property, { seed, numRuns: runs });
  if (outcome.errorInstance instanceof NotVerified) throw outcome.errorInstance;
  if (!outcome.failed || outcome.counterexample === null) return { figures };
  const [sql] = outcome.counterexample;
  const found = (await difference(sql)).found;
  if (found === undefined) throw new Error(`The answers to this query change: ${sql}`);
  return { figures, smallest: { sql, ...found, path: outcome.counterexamplePath ?? '' } };
}
