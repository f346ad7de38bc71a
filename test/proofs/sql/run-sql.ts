import { parseArgs } from 'node:util';
import { analyseShipped } from './analyse-shipped.ts';
import { compareCases, findDifferences } from './compare-cases.ts';
import { compareRandom } from './compare-random.ts';
import { type Evaluator, startEvaluator } from './evaluator.ts';
import { explainedCases, knownDifferences } from './explained.ts';
import { fetchZetaSql, NotVerified } from './fetch-zetasql.ts';
import { openTranslator, type Translator } from './translator.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '500' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:sql [-- --only cases|shipped|random --seed 1 --runs 500]

Holds the SQL of the local BigQuery against GoogleSQL's own analyser and evaluator, which it fetches from npm once:
  cases     every query of local/bigquery/sql/cases.ts: values, types and the words of refusals
  shipped   every view of infra/views and every query of the README and the documents: GoogleSQL must accept it
  random    random queries of the functions that those use: the same values and types, or refused by both
Exit 1 when something differs that test/proofs/sql/explained.ts does not explain, 2 when GoogleSQL could not be had.`);
  process.exit(0);
}

const progress = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

try {
  const evaluator = await startEvaluator(await fetchZetaSql(progress));
  const translator = await openTranslator();
  let proved = true;
  try {
    if (isWanted('cases')) proved = (await proveCases(evaluator, translator)) && proved;
    if (isWanted('shipped')) proved = (await proveShipped(evaluator)) && proved;
    if (isWanted('random')) proved = (await proveRandom(evaluator, translator)) && proved;
  } finally {
    translator.close();
    evaluator.close();
  }
  console.log(proved ? 'proved: the local BigQuery answers as GoogleSQL does' : 'NOT PROVED');
  process.exitCode = proved ? 0 : 1;
} catch (error) {
  if (!(error instanceof NotVerified)) throw error;
  console.log(`not verified: ${error.message}`);
  process.exitCode = 2;
}

function isWanted(part: 'cases' | 'shipped' | 'random'): boolean {
  return values.only === undefined || values.only === part;
}

async function proveCases(evaluator: Evaluator, translator: Translator): Promise<boolean> {
  const { families, differences: ofCases } = await compareCases(evaluator, translator, progress);
  const known = Object.keys(knownDifferences);
  const differences = [...ofCases, ...(await findDifferences(evaluator, translator, known))];
  const explained = new Map(Object.entries({ ...explainedCases, ...knownDifferences }));
  const unexplained = differences.filter(({ sql }) => !explained.has(sql));
  const differing = new Set(differences.map(({ sql }) => sql));
  const obsolete = [...explained.keys()].filter((sql) => !differing.has(sql));
  console.log('cases');
  console.table(families);
  console.log(`${differences.length} differ, ${unexplained.length} of them unexplained`);
  for (const { sql, expected, actual } of differences) {
    console.log(`${sql}\n  GoogleSQL: ${expected}\n  here:      ${actual}`);
    console.log(`  why:       ${explained.get(sql) ?? 'NOT EXPLAINED'}`);
  }
  for (const sql of obsolete) console.log(`explained, but no longer different: ${sql}`);
  return unexplained.length === 0 && obsolete.length === 0;
}

async function proveShipped(evaluator: Evaluator): Promise<boolean> {
  const { refusals, ...figures } = await analyseShipped(evaluator);
  console.log('shipped');
  console.table({ ...figures, refused: refusals.length });
  for (const refusal of refusals) console.log(refusal);
  return refusals.length === 0;
}

async function proveRandom(evaluator: Evaluator, translator: Translator): Promise<boolean> {
  const options = { seed: Number(values.seed), runs: Number(values.runs), progress };
  const { figures, smallest } = await compareRandom(evaluator, translator, options);
  console.log(`random, seed ${values.seed}`);
  console.table(figures);
  if (smallest === undefined) return true;
  console.log(`the smallest that differs, seed ${values.seed}, path ${smallest.path}:\n${smallest.sql}`);
  console.log(`  GoogleSQL: ${smallest.expected}\n  here:      ${smallest.actual}`);
  return false;
}
