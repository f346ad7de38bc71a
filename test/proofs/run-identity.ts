import { parseArgs } from 'node:util';
import { type CaseFigures, cases, isProved, proveCase } from './identity/identity.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '6' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:identity [-- --pairs 10000 --seed 1 --runs 6 --only "chain, at once"]

Decides whose each device is over histories of aliases (random ones, chains of contested pairs, a device with as many
users, a user with as many devices), in projects of each policy and order, arriving at once, in shuffled slices and late,
and holds identity_bindings after each run against the reference in test/reference/bind.ts. A run may make five queries.
Exit 1 when it is not proved.`);
  process.exit(0);
}

const chosen = cases.filter(
  ({ shape, arrival }) => values.only === undefined || `${shape}, ${arrival}`.includes(values.only),
);
const done: CaseFigures[] = [];
for (const one of chosen) {
  const figures = await proveCase(one, {
    pairs: Number(values.pairs),
    seed: Number(values.seed),
    runs: Number(values.runs),
    progress: (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  });
  done.push(figures);
}
console.table(done);
const proved = done.length > 0 && done.every(isProved);
console.log(
  proved
    ? `proved: every binding as the reference has it, seed ${values.seed}`
    : `NOT PROVED, seed ${values.seed}`,
);
process.exit(proved ? 0 : 1);
