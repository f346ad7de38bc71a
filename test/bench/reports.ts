import { parseArgs } from 'node:util';
import { compareCalls, isGoodEnough, LEAST_RATIO } from './reports/compare-calls.ts';
import { REREAD_FORMULA, STATSDASH_CHECKS, STATSDASH_TABLES } from './reports/statsdash-calls.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    'warm-up': { type: 'string', default: '28' },
    sites: { type: 'string', default: '8' },
    channels: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:reports [-- --days 30 --warm-up 28 --sites 8 --channels 8 --seed 1]

Polls and pulls the shipped reports every hour of so many simulated days, with Google's clients against the local Google
Analytics and YouTube, after a warm-up in which the ladder comes to have all its steps. Prints for each of the thirteen
tables of Statsdash its calls by formula, our HTTP calls (of a batch each report has its share) and report requests (each
member of a batch counts), and those of a re-read of 90 days every day; then how full each bucket of quota was at its
fullest. The local APIs' own count of calls must agree. Exit 1 with less than ${LEAST_RATIO} times fewer calls than
Statsdash, or when a bucket is used up. Some ten minutes at this size. What\nis asked once for an owner of channels weighs more the fewer channels it has: with 3 sites and 3 channels it is 2.9 times.`);
  process.exit(0);
}

const month = {
  days: Number(values.days),
  warmUpDays: Number(values['warm-up']),
  sites: Number(values.sites),
  channels: Number(values.channels),
  seed: Number(values.seed),
};
const compared = await compareCalls({
  ...month,
  progress: (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
});
const { size, totals } = compared;
const formulas = new Map(STATSDASH_TABLES.map(({ name, formula }) => [name, formula]));
formulas.set('is the day complete?', STATSDASH_CHECKS.formula);

console.log(`${month.sites} sites and ${month.channels} channels, ${month.days} days, ${compared.slices} slices
P: ${size.properties} properties, C: ${size.channels} channels; of a day s: ${size.sources.toFixed(1)} sources, n: ${size.networks.toFixed(1)} networks, v: ${size.videos.toFixed(1)} videos
A re-read of 90 days: ${REREAD_FORMULA}`);
const round = (value: number) => Math.round(value);
console.table(
  Object.fromEntries(
    [...compared.tables, { table: 'all', ...totals }].map(({ table, ...it }) => [
      table,
      {
        Statsdash: round(it.statsdash),
        'our calls': round(it.calls),
        'our requests': it.requests,
        '90 days again': it.reread,
        times: it.statsdash === 0 || it.calls === 0 ? '' : (it.statsdash / it.calls).toFixed(1),
        formula: formulas.get(table) ?? '',
      },
    ]),
  ),
);
console.table(
  Object.fromEntries(
    compared.buckets.map(({ bucket, used, limit }) => [
      bucket,
      { 'most used': used, limit, percent: ((100 * used) / limit).toFixed(1) },
    ]),
  ),
);
const isGood = isGoodEnough(compared);
console.log(
  `${compared.ratio.toFixed(2)} times fewer calls than Statsdash, ${compared.refused} refused for a quota, ${compared.seconds} s: ${isGood ? 'good' : 'NOT GOOD ENOUGH'}`,
);
process.exit(isGood ? 0 : 1);
