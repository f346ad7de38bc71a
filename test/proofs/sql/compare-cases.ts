import { type Case, cases } from '../../../local/bigquery/sql/cases.ts';
import { compareAnswers, type Difference } from './compare-answers.ts';
import type { Answer, Evaluator } from './evaluator.ts';
import type { Translator } from './translator.ts';

export interface FamilyFigures {
  cases: number;
  sameRows: number;
  /** Refused by both with the same words and position. */
  sameRefusal: number;
  /** Fails in both while it runs, each in its own words. */
  failsInOtherWords: number;
  /** In value, in type, or in the words of a refusal by the analyser. */
  different: number;
}

export interface CaseComparison {
  readonly families: Readonly<Record<string, FamilyFigures>>;
  readonly differences: readonly Difference[];
}

/** Asks both engines every case of `cases.ts`, and holds the answer written there against GoogleSQL's of today. */
export async function compareCases(
  evaluator: Evaluator,
  translator: Translator,
  progress: (line: string) => void,
): Promise<CaseComparison> {
  const families: Record<string, FamilyFigures> = {};
  const differences: Difference[] = [];
  for (const [index, one] of cases.entries()) {
    if (index > 0 && index % 200 === 0) progress(`${index} of ${cases.length} cases compared`);
    families[one.family] ??= { cases: 0, sameRows: 0, sameRefusal: 0, failsInOtherWords: 0, different: 0 };
    const figures = families[one.family]!;
    figures.cases++;
    const expected = await evaluator.evaluate(one.sql);
    const actual = await translator.evaluate(one.sql);
    const what = differenceFromCommitted(one, expected) ?? compareAnswers(expected, actual);
    if (what !== undefined) {
      figures.different++;
      differences.push({ sql: one.sql, ...what });
    } else if (expected.kind === 'rows') figures.sameRows++;
    else if (actual.kind === 'refused' && actual.text.includes(expected.text)) figures.sameRefusal++;
    else if ((await evaluator.analyse(one.sql)).kind === 'refused') {
      figures.different++;
      differences.push({ sql: one.sql, expected: expected.text, actual: describe(actual) });
    } else figures.failsInOtherWords++;
  }
  return { families, differences };
}

/** What the two say of queries outside of `cases.ts`, of those that differ. */
export async function findDifferences(
  evaluator: Evaluator,
  translator: Translator,
  queries: readonly string[],
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const sql of queries) {
    const what = compareAnswers(await evaluator.evaluate(sql), await translator.evaluate(sql));
    if (what !== undefined) differences.push({ sql, ...what });
  }
  return differences;
}

/** `cases.ts` must say what GoogleSQL says; otherwise the unit tests test something else. */
function differenceFromCommitted(one: Case, live: Answer): Omit<Difference, 'sql'> | undefined {
  if ('rows' in one) {
    const rows = one.rows.map((row) =>
      row.map((value) => (typeof value === 'number' ? Number(value.toPrecision(15)) : value)),
    );
    if (live.kind === 'rows' && JSON.stringify(live.rows) === JSON.stringify(rows)) return undefined;
    return { expected: describe(live), actual: `cases.ts: ${JSON.stringify(one.rows)}` };
  }
  const text = 'error' in one ? one.error : one.refusedAs.replace(/\[at (\d+:\d+)\]$/, 'at [$1]');
  if (live.kind === 'refused' && live.text === text) return undefined;
  return { expected: describe(live), actual: `cases.ts: ${text}` };
}

const describe = (answer: Answer): string =>
  answer.kind === 'rows' ? JSON.stringify(answer.rows) : answer.text;
