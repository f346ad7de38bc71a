import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
    tables: { type: 'string', default: '1' },
    reports: { type: 'string' },
    faults: { type: 'string', default: '0.002' },
    fresh: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:year [-- --seeds 1,2,3 --properties 40 --channels 20 --from 2025-01-01 --days 365 --after 30
                               --tables 1 --faults 0.002 --reports site_summary,channel_summary --fresh]

Polls and pulls every hour of a simulated year, against the local Google Analytics and YouTube over a truth that is known:
busy and quiet properties, zones at half past, both changes of clocks, outages, a change of zone, a deleted one, hours that
come late and out of order, days that change after weeks, little quota, and a consent that is taken back for two days. Each
attempt is held against the truth as of its pull, to the integer, each first one against the final truth, and each later
change against report_restatements; no quiet site may wait for longer than R2 and R3 say. Prints how Statsdash's rule of
24 rows and a fixed lookback would have done.

Every site has its summaries and --tables of the daily tables by page, source, country and device, in turn, so that each of
them is read of five or six sites; --tables 7 reads all of them of each, in three times the time. Polls go on --after days for the
ladder. Each of eight faults that pass (resets, 503, bent answers) meets --faults of the calls.

A seed takes the better part of an hour of one core, and seeds may run in processes of their own, as with --seeds 2. What is
finished is kept in test/proofs/.state/year: the same command goes on with the other seeds and prints all; --fresh starts
anew. Ctrl-C ends the seed with the figures of the days so far. Exit 1 when it is not proved.`);
  process.exit(0);
}

const folder = resolve(import.meta.dirname, '.state/year');
mkdirSync(folder, { recursive: true });
const { seeds, fresh, help: _, ...shape } = values;
let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isStopped) process.exit(130);
    isStopped = true;
  });
}
const proofs: YearProof[] = [];
for (const seed of seeds.split(',').map(Number)) {
  if (isStopped) break;
  const options = {
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
    tablesASite: Number(values.tables),
    ...(values.reports === undefined ? {} : { reports: values.reports.split(',') }),
  };
  // What was proved of another world says nothing of this one.
  const world = hash('sha256', JSON.stringify([shape, options])).slice(0, 12);
  const file = join(folder, `seed-${seed}-${world}.json`);
  if (fresh) rmSync(file, { force: true });
  const isFinished = existsSync(file);
  const proof = isFinished
    ? (JSON.parse(readFileSync(file, 'utf8')) as YearProof)
    : await proveYear({
        ...options,
        stopped: () => isStopped,
        progress: (line) =>
          process.stderr.write(`${new Date().toISOString().slice(11, 19)} seed ${seed}: ${line}\n`),
      });
  if (!isFinished && !isStopped && isYearProved(proof)) writeFileSync(file, JSON.stringify(proof));
  proofs.push(proof);
}

proofs.sort((one, other) => one.figures.rightOrFlaggedPercent - other.figures.rightOrFlaggedPercent);
for (const proof of proofs) {
  console.log(`\nSeed ${proof.figures.seed}${isYearProved(proof) ? '' : ': NOT PROVED'}`);
  console.table(proof.rules);
  console.table(proof.byRule);
  console.table(proof.calls);
  for (const [line, count] of proof.logged) console.log(`logged ${count} times: ${line}`);
  for (const line of proof.told) console.log(line);
}
console.log('\nAll seeds, the worst first');
const [worst] = proofs;
for (const name of Object.keys(worst?.figures ?? {}) as (keyof YearProof['figures'])[]) {
  console.log(name.padEnd(24), proofs.map(({ figures }) => String(figures[name]).padStart(10)).join(' '));
}
const proved = !isStopped && proofs.length > 0 && proofs.every(isYearProved);
if (isStopped) console.log('stopped: the figures are of the days that were reached');
console.log(
  proved
    ? 'proved: every attempt the truth as of its pull, every change recorded, first pulls right or flagged, and no quiet site kept waiting'
    : 'NOT PROVED',
);
process.exit(proved ? 0 : 1);
