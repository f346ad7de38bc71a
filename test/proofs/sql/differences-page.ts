import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../repository-files.ts';
import type { Difference } from './compare-answers.ts';

export const differencesPage = 'docs/sql-differences.md';

/** The page of what differs and why, as it follows from the answers of both engines. */
export function writeDifferences(
  differences: readonly Difference[],
  explained: ReadonlyMap<string, string>,
): string {
  const entries = differences.map(
    ({ sql, expected, actual }) => `- \`${sql}\`
  - GoogleSQL: ${oneLine(expected)}
  - here: ${oneLine(actual)}
  - ${explained.get(sql) ?? 'NOT EXPLAINED'}
`,
  );
  return `# Where the local BigQuery differs from GoogleSQL

Written by \`npm run proof:sql -- --write\`, which puts every query of \`local/bigquery/sql/cases.ts\` to GoogleSQL's own
evaluator and to the local BigQuery. CI does the same and fails when this page is not what it finds, and when one of
these has no reason in \`test/proofs/sql/explained.ts\`. All other queries give the same values of the same types, or are
refused by both, in the same words where the analyser refuses them.

${entries.join('')}`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** The page that is committed; empty when there is none. */
export function readDifferencesPage(): string {
  try {
    return readFileSync(join(ROOT, differencesPage), 'utf8');
  } catch {
    return '';
  }
}

export const saveDifferencesPage = (text: string): void => writeFileSync(join(ROOT, differencesPage), text);
