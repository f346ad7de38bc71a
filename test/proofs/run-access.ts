import { parseArgs } from 'node:util';
import { emptyFigures, proveAccess, proveDeaths, proveSequences } from './access/access.ts';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '500' },
    deaths: { type: 'string', default: '12' },
    organisations: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:access [-- --trials 500 --deaths 12 --organisations 60 --seed 1]
       npm run proof:access -- --seed 1 --only 17

Draws random organisations and requests, and applies each on a local Admin API and Cloud Storage in trouble: each fault alone
in turn, then several at once. A reference that shares nothing with the planner says what the request comes to. What the
function reports must be true: committed is all of the plan, rolled back is all as it was, and else every difference is
told. No step may take effect twice, nothing before the audit tells of it, no account be without an administrator.
--deaths kills the process of so many requests before and after every request to storage, row of the audit and call, and
goes on with the same request. --organisations get ten requests each, one after the other, none of which may lock anybody
out who must not be. --only repeats one trial and tells all. Exit 1 when anything is not so.`);
  process.exit(0);
}

const seed = Number(values.seed);
const progress = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const only = values.only === undefined ? undefined : Number(values.only);
const trials = await proveAccess({
  seed,
  numbers: only === undefined ? Array.from({ length: Number(values.trials) }, (_, index) => index) : [only],
  progress,
});
const sequences =
  only === undefined
    ? await proveSequences({ seed, organisations: Number(values.organisations), requests: 10, progress })
    : emptyFigures();
const deaths =
  only === undefined
    ? await proveDeaths({ seed, requests: Number(values.deaths), progress })
    : emptyFigures();

for (const [name, { lies, ended, ...counts }] of Object.entries({ trials, sequences, deaths })) {
  console.log(`${name}, seed ${seed}`);
  console.table({ ...counts, ...ended, lies: lies.length });
  for (const lie of lies.slice(0, 20)) console.log(lie);
}
const isProved = [trials, sequences, deaths].every(({ lies }) => lies.length === 0);
console.log(isProved ? 'proved: what is reported is true, in every trouble' : 'NOT PROVED');
process.exit(isProved ? 0 : 1);
