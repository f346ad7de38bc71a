import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { proveChaos, type RoundFigures } from './chaos/chaos.ts';
import { pairs } from './chaos/stages.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '150' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:chaos [-- --rounds 50 --seed 1 --requests 150 --only "load, appending"]

Kills each process of the local cloud (kill -9) in the middle of each stage of the path: while requests are read,
published, spilled and appended, while spilled batches are drained, while refused events are replayed, and while dead
letters are redriven. After each round every event must be in the view events once, and quarantine must say what became
of each.
Ctrl-C stops after the round under way; the same command goes on from there. Exit 1 when it is not proved.`);
  process.exit(0);
}

let isStopped = false;
process.on('SIGINT', () => {
  if (isStopped) process.exit(130);
  isStopped = true;
});
const folder = resolve(import.meta.dirname, '.state/chaos');
const stateFile = join(folder, 'proof.json');
mkdirSync(folder, { recursive: true });
const rounds = Number(values.rounds);
const done = readRounds();
await proveChaos({
  folder: join(folder, 'cloud'),
  from: done.length,
  to: rounds,
  seed: Number(values.seed),
  requestsPerRound: Number(values.requests),
  only: values.only,
  progress: (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  onRound(figures) {
    done.push(figures);
    writeFileSync(stateFile, JSON.stringify(done));
  },
  stopped: () => isStopped,
});
if (done.length < rounds) {
  console.log(`stopped after ${done.length} of ${rounds} rounds; the same command goes on from here`);
  process.exit(1);
}

const faultsOf = (it: RoundFigures): number =>
  it.missing + it.double + it.wrongOutcomes + Math.abs(it.deadLettered);
const worst = done.toSorted((left, right) => faultsOf(right) - faultsOf(left))[0];
const covered = new Set(
  done.filter(({ isUnderWay }) => isUnderWay).map(({ process, stage }) => `${process}, ${stage}`),
);
console.table(
  done.map(({ process, stage, isUnderWay, sent, missing, double, copies, wrongOutcomes, seconds }) => ({
    process,
    stage,
    isUnderWay,
    sent,
    missing,
    double,
    copies,
    wrongOutcomes,
    seconds,
  })),
);
const sum = (pick: (it: RoundFigures) => number) => done.reduce((total, it) => total + pick(it), 0);
console.table({
  seed: values.seed,
  rounds: done.length,
  pairsCovered: `${covered.size} of ${pairs.length}`,
  sent: sum(({ sent }) => sent),
  missing: sum(({ missing }) => missing),
  double: sum(({ double }) => double),
  copies: sum(({ copies }) => copies),
  wrongOutcomes: sum(({ wrongOutcomes }) => wrongOutcomes),
  worstRound: `${worst?.round} (${worst?.process}, ${worst?.stage})`,
});
const isCovered = values.only !== undefined || rounds < pairs.length || covered.size === pairs.length;
const proved = done.every((it) => faultsOf(it) === 0) && isCovered;
console.log(proved ? 'proved: nothing lost, nothing double' : 'NOT PROVED');
rmSync(folder, { recursive: true, force: true });
process.exit(proved ? 0 : 1);

function readRounds(): RoundFigures[] {
  try {
    return JSON.parse(readFileSync(stateFile, 'utf8'));
  } catch {
    return [];
  }
}
