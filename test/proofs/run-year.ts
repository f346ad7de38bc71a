import { parseArgs } from 'node:util';
import { makeYearSeed } from '../../local/reports/make-year-seed.ts';
import { addDays } from '../../local/reports/truth/zones.ts';
import { isYearProved, proveYear, type YearProof } from './year/prove-year.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    properties: { type: 'string', default: '40' },
    channels: { type: 'string', default: '20' },
    from: { type: 'string', default: '2025-01-01' },
    days: { type: 'string', default: '365' },
    after: { type: 'string', default: '30' },
    reports: { type: 'string' },
    faults: { type: 'string', default: '0.002' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:year [-- --seeds 1,2,3 --properties 40 --channels 20 --from 2025-01-01 --days 365 --after 30
                               --faults 0.002 --reports site_summary,channel_summary]

Polls and pulls every hour of a simulated year, against the local Google Analytics and YouTube over a truth that is known:
busy and quiet properties, zones at half past, both changes of clocks, outages, a change of zone, a deleted one. Each
attempt is held against the truth as of its pull, to the integer, each first one against the final truth, and each later
change against report_restatements. Prints how Statsdash's rule of 24 rows and a fixed lookback would have done.
Polls go on --after days for the ladder. Each of eight
faults that pass (resets, 503, bent answers) meets --faults of the calls. Exit 1 when it is not proved. The full size takes hours; --days 40 --properties 8 --channels 4 some minutes.`);
  process.exit(0);
}

const proofs: YearProof[] = [];
for (const seed of values.seeds.split(',').map(Number)) {
  const proof = await proveYear({
    seed: makeYearSeed({
      seed,
      year: Number(values.from.slice(0, 4)),
      properties: Number(values.properties),
      channels: Number(values.channels),
    }),
    from: values.from,
    to: addDays(values.from, Number(values.days) - 1),
    afterDays: Number(values.after),
    faultRate: Number(values.faults),
    ...(values.reports === undefined ? {} : { reports: values.reports.split(',') }),
    progress: (line) =>
      process.stderr.write(`${new Date().toISOString().slice(11, 19)} seed ${seed}: ${line}\n`),
  });
  proofs.push(proof);
  console.log(`\nSeed ${seed}`);
  console.table(proof.rules);
  console.table(proof.byRule);
  for (const [line, count] of proof.logged) console.log(`logged ${count} times: ${line}`);
  for (const line of proof.told) console.log(line);
}
console.log('\nAll seeds, the worst first');
console.table(
  proofs.map(({ figures }) => figures).sort((a, b) => a.rightOrFlaggedPercent - b.rightOrFlaggedPercent),
);
const proved = proofs.length > 0 && proofs.every(isYearProved);
console.log(
  proved
    ? 'proved: every attempt the truth as of its pull, every change recorded, and first pulls right or flagged'
    : 'NOT PROVED',
);
process.exit(proved ? 0 : 1);
