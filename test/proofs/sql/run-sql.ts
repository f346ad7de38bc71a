import { parseArgs } from 'node:util';
import { addCases } from './add-cases.ts';
import { analyseShipped } from './analyse-shipped.ts';
import { compareAnswers } from './compare-answers.ts';
import { compareCases, findDifferences } from './compare-cases.ts';
import { compareRandom } from './compare-random.ts';
import {
  differencesPage,
  readDifferencesPage,
  saveDifferencesPage,
  writeDifferences,
} from './differences-page.ts';
import { type Evaluator, startEvaluator } from './evaluator.ts';
import { explainedCases, knownDifferences } from './explained.ts';
import { fetchZetaSql, NotVerified } from './fetch-zetasql.ts';
import { openTranslator, type Translator } from './translator.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '500' },
    write: { type: 'boolean', default: false },
    add: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:sql [-- --only cases|shipped|random --seed 1 --runs 500]
       npm run proof:sql -- --write
       npm run proof:sql -- --add FAMILY "SELECT ..." ...

Holds the SQL of the local BigQuery against GoogleSQL's own analyser and evaluator, which npm exec fetches:
  cases     every query of local/bigquery/sql/cases.ts: values, types and the words of refusals
  shipped   every .sql file and every query of the README and the documents: GoogleSQL must accept it
  random    random queries of the functions that those use: the same values and types, or refused by both
Exit 1 when something differs that test/proofs/sql/explained.ts does not explain, or when ${differencesPage} is not
what was found, which --write mends; 2 when GoogleSQL could not be had.
--add writes queries with GoogleSQL's own answers to the end of local/bigquery/sql/cases.ts and proves nothing.`);
  process.exit(0);
}

const began = performance.now();
const progress = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

try {
  const evaluator = await startEvaluator(await fetchZetaSql(progress));
  const translator = await openTranslator();
  try {
    if (values.add !== undefined) await add(evaluator, translator, values.add);
    else process.exitCode = (await prove(evaluator, translator)) ? 0 : 1;
  } finally {
    translator.close();
    evaluator.close();
  }
} catch (error) {
  if (!(error instanceof NotVerified)) throw error;
  console.log(`not verified: ${error.message}`);
  process.exitCode = 2;
}

async function prove(evaluator: Evaluator, translator: Translator): Promise<boolean> {
  const parts = {
    cases: () => proveCases(evaluator, translator),
    shipped: () => proveShipped(evaluator),
    random: () => proveRandom(evaluator, translator),
  };
  let proved = true;
  for (const [name, part] of Object.entries(parts)) {
    if (values.only === undefined || values.only === name) proved = (await part()) && proved;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${proved ? 'proved: the local BigQuery answers as GoogleSQL does' : 'NOT PROVED'}, in ${seconds} s`,
  );
  return proved;
}

async function add(evaluator: Evaluator, translator: Translator, family: string): Promise<void> {
  for (const sql of await addCases(evaluator, family, positionals)) {
    const difference = compareAnswers(await evaluator.evaluate(sql), await translator.evaluate(sql));
    const told =
      difference && `DIFFERS\n  GoogleSQL: ${difference.expected}\n  here:      ${difference.actual}`;
    console.log(`${sql}: ${told ?? 'the same here'}`);
  }
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
  for (const { sql, expected, actual } of unexplained) {
    console.log(`${sql}\n  GoogleSQL: ${expected}\n  here:      ${actual}`);
  }
  for (const sql of obsolete) console.log(`explained, but no longer different: ${sql}`);
  return isPageTrue(writeDifferences(differences, explained)) && unexplained.length + obsolete.length === 0;
}

function isPageTrue(page: string): boolean {
  if (values.write) saveDifferencesPage(page);
  const isTrue = readDifferencesPage() === page;
  if (!isTrue)
    console.log(`${differencesPage} is not what was found; npm run proof:sql -- --write writes it`);
  return isTrue;
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
