import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type FoldFigures, historyOf, proveFold } from './fold/fold.ts';
import { startFoldWarehouse } from './fold/fold-warehouse.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '2000' },
    most: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:fold [-- --histories 2000 --most 60 --seed 1]
       npm run proof:fold -- --seed 1 --only 17

Makes random histories of up to that many operations each (copies, late rows, ties, deletions, values of every type, keys of
every spelling), and folds them twice: by the SQL of the views profiles and items and of the table persons, anew and in
steps, on a local BigQuery; and by the reference in test/reference/fold.ts. Every value must be the same, and of one type.
--only proves one history again. A run that is stopped goes on where it was. Exit 1 when anything differs.`);
  process.exit(0);
}

const folder = resolve(import.meta.dirname, '.state/fold');
const doneFile = join(folder, `seed-${values.seed}-most-${values.most}.json`);
const seed = Number(values.seed);
const most = Number(values.most);
const atOnce = 200;

const add = (left: FoldFigures, right: FoldFigures): FoldFigures => ({
  histories: left.histories + right.histories,
  rows: left.rows + right.rows,
  persons: left.persons + right.persons,
  items: left.items + right.items,
  values: left.values + right.values,
  differences: [...left.differences, ...right.differences],
});

/** Proves some histories in a warehouse of their own. */
async function prove(numbers: readonly number[]): Promise<FoldFigures> {
  const warehouse = await startFoldWarehouse();
  try {
    return await proveFold(
      warehouse,
      numbers.map((number) => historyOf(seed, number, most)),
    );
  } finally {
    await warehouse.close();
  }
}

const wanted = Number(values.histories);
let figures: FoldFigures = { histories: 0, rows: 0, persons: 0, items: 0, values: 0, differences: [] };
if (values.only !== undefined) {
  figures = await prove([Number(values.only)]);
} else {
  if (existsSync(doneFile)) figures = JSON.parse(readFileSync(doneFile, 'utf8')) as FoldFigures;
  mkdirSync(folder, { recursive: true });
  while (figures.histories < wanted) {
    const count = Math.min(atOnce, wanted - figures.histories);
    const numbers = Array.from({ length: count }, (_, index) => figures.histories + index);
    figures = add(figures, await prove(numbers));
    writeFileSync(doneFile, JSON.stringify(figures));
    process.stderr.write(
      `${new Date().toISOString().slice(11, 19)} ${figures.histories} of ${wanted} histories, ${figures.differences.length} differences\n`,
    );
  }
  rmSync(doneFile);
}

const { differences, ...counts } = figures;
console.log(`fold, seed ${values.seed}`);
console.table({ ...counts, differences: differences.length });
for (const { project, subject, expected, actual } of differences.slice(0, 10))
  console.log(
    `--seed ${seed} --most ${most} --only ${project.slice(1)}: ${subject}\n  expected ${expected}\n  actual   ${actual}`,
  );
const proved = differences.length === 0;
console.log(
  proved ? 'proved: the SQL and the reference fold alike, whatever the order of arrival' : 'NOT PROVED',
);
process.exit(proved ? 0 : 1);
