import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from '../../../local/bigquery/sql/cases.ts';
import { ROOT } from '../../repository-files.ts';
import type { Answer, Evaluator } from './evaluator.ts';

const path = join(ROOT, 'local/bigquery/sql/cases.ts');

/** Writes queries with GoogleSQL's own answers to the end of `cases.ts`, and answers those that are new there. */
export async function addCases(
  evaluator: Evaluator,
  family: string,
  queries: readonly string[],
): Promise<string[]> {
  const known = new Set(cases.map(({ sql }) => sql));
  const added = [...new Set(queries)].filter((sql) => !known.has(sql));
  const written: string[] = [];
  for (const sql of added) written.push(writeCase(family, sql, await evaluator.evaluate(sql)));
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf('];');
  writeFileSync(path, `${text.slice(0, end)}${written.join('')}${text.slice(end)}`);
  return added;
}

/** A refusal with a position is the analyser's, whose words are held against ours; the others are told in own words. */
function writeCase(family: string, sql: string, answer: Answer): string {
  const start = `  { family: ${JSON.stringify(family)}, sql: ${JSON.stringify(sql)}, `;
  if (answer.kind === 'rows') return `${start}rows: ${JSON.stringify(answer.rows)} },\n`;
  const name = / at \[\d+:\d+\]$/.test(answer.text) ? 'error' : 'refusedAs';
  return `${start}${name}: ${JSON.stringify(answer.text)} },\n`;
}
