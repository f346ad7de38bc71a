import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type OutageFigures, type Phase, proveOutage } from './outage/outage.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '12' },
    'events-per-second': { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:outage [-- --rounds 3 --seed 1 --clients 12 --events-per-second 40]

Clients like the Analysys Python batch collector, which die of any answer but success, send while Pub/Sub is down for 60 s,
then slow, then fails one call in three, Cloud Storage is down for 10 s of that, and ingest is killed and restarted at
random. Then all heals, the spill bucket is drained, and every event that was answered with success must be in the view
events once. A round takes about four minutes, and each has a seed of its own.
Ctrl-C stops; the same command goes on with the round that was not finished. Exit 1 when it is not proved.`);
  process.exit(0);
}

const publishTimeoutMs = 2000;
const slow = (share: number, seconds: number): Phase => ({
  name: `Pub/Sub takes ${share * publishTimeoutMs} ms`,
  seconds,
  faults: { pubsub: { publishUnavailableRate: 0, publishDelayMs: share * publishTimeoutMs } },
});
const phases: readonly Phase[] = [
  { name: 'all is well', seconds: 20, faults: {} },
  { name: 'Pub/Sub is down', seconds: 25, faults: { pubsub: { publishUnavailableRate: 1 } } },
  { name: 'both are down', seconds: 10, faults: { storage: { unavailableRate: 1 } }, isBothDown: true },
  { name: 'Pub/Sub is still down', seconds: 25, faults: { storage: { unavailableRate: 0 } } },
  slow(0.5, 15),
  slow(0.95, 15),
  slow(1, 15),
  slow(1.05, 15),
  slow(3, 15),
  {
    name: 'Pub/Sub fails one in three',
    seconds: 30,
    faults: { pubsub: { publishUnavailableRate: 1 / 3, publishDelayMs: 0 } },
  },
  { name: 'all is well again', seconds: 15, faults: { pubsub: { publishUnavailableRate: 0 } } },
];

const folder = resolve(import.meta.dirname, '.state/outage');
const stateFile = join(folder, 'proof.json');
mkdirSync(folder, { recursive: true });
const done = readRounds();
for (let round = done.length; round < Number(values.rounds); round++) {
  const seed = Number(values.seed) + round;
  const figures = await proveOutage({
    folder: join(folder, 'data'),
    phases,
    seed,
    clients: Number(values.clients),
    eventsPerSecond: Number(values['events-per-second']),
    secondsBetweenKills: 12,
    publishTimeoutMs,
    progress: (line) =>
      process.stderr.write(`${new Date().toISOString().slice(11, 19)} seed ${seed}: ${line}\n`),
  });
  done.push(figures);
  writeFileSync(stateFile, JSON.stringify(done));
  const { phases: byPhase, otherDeaths, ...others } = figures;
  console.table(byPhase);
  console.table({ ...others, otherDeaths: otherDeaths.length });
  for (const death of otherDeaths.slice(0, 20)) console.log('death:', death);
}

const faultsOf = (it: OutageFigures): number =>
  it.missing +
  it.double +
  it.unknown +
  it.otherDeaths.length +
  it.quarantined +
  it.deadLettered +
  Math.abs(it.leftInBucket);
const worst = done.toSorted((left, right) => faultsOf(right) - faultsOf(left))[0];
const proved =
  done.length > 0 && done.every((it) => faultsOf(it) === 0 && it.answered > 0 && it.mostInBucket > 0);
console.log(
  `${done.length} rounds; the worst seed is ${worst?.seed} with ${worst && faultsOf(worst)} faults`,
);
console.log(proved ? 'proved: what was answered with success is there once' : 'NOT PROVED');
rmSync(folder, { recursive: true, force: true });
process.exit(proved ? 0 : 1);

function readRounds(): OutageFigures[] {
  try {
    return JSON.parse(readFileSync(stateFile, 'utf8'));
  } catch {
    return [];
  }
}
