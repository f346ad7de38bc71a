import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { proveKill } from './kill.ts';
import { proveRefusal } from './refusal.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:kill [-- --events 100000 --seed 1 --only kill|refusal]

Two proofs that the path from HTTP to row loses and doubles nothing:
  kill      events are sent while load is killed (kill -9) ten times with appends open, one append in ten fails or
            is stored and then never answered, and the local cloud itself is killed twice
  refusal   BigQuery refuses everything for a simulated hour (ten minutes here)
Ctrl-C stops; the same command goes on where it stopped. Exit 1 when a number is lost or double.`);
  process.exit(0);
}

let isStopped = false;
process.on('SIGINT', () => {
  if (isStopped) process.exit(130);
  isStopped = true;
});
const folder = resolve(import.meta.dirname, '.state/kill');
const progress = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
let proved = true;

if (values.only !== 'refusal') {
  const figures = await proveKill({
    folder,
    events: Number(values.events),
    loadKills: 10,
    cloudKills: 2,
    faultRate: 0.1,
    eventsPerSecond: 1500,
    seed: Number(values.seed),
    progress,
    stopped: () => isStopped,
  });
  console.log(`kill, seed ${values.seed}`);
  console.table(figures);
  proved &&=
    figures.missing === 0 &&
    figures.double === 0 &&
    figures.inEvents === figures.sent &&
    figures.deadLettered === 0;
  proved &&= figures.loadKills === 10 && figures.cloudKills === 2;
  if (proved) rmSync(folder, { recursive: true, force: true });
}
if (values.only !== 'kill') {
  const figures = await proveRefusal({
    folder: join(folder, '../refusal'),
    events: 10_000,
    refusedSeconds: 3600,
    progress,
  });
  console.log('refusal');
  console.table(figures);
  proved &&=
    figures.missing === 0 && figures.double === 0 && figures.deadLettered === 0 && figures.failedPushes > 0;
}
console.log(proved ? 'proved: nothing lost, nothing double' : 'NOT PROVED');
process.exit(proved ? 0 : 1);
