import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dialectNamed } from './fuzz/families.ts';
import { proveFuzz } from './fuzz/fuzz.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '16' },
    slow: { type: 'string', default: '500' },
    alone: { type: 'string', default: '30' },
    dialect: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:fuzz [-- --requests 100000 --seed 1 --concurrency 16 --slow 500 --alone 30 --dialect NAME --only FAMILY]

Sends mutated requests to a running ingest: bodies that are truncated, bombs, too deep, too many or encrypted with rubbish,
HTTP that lies, crawls or is none, and recorded requests with bits and pieces changed; of Analysys, GrowingIO, Segment and our own dialect in equal shares, or of
--dialect alone. For each it is known, from how it
was made or from a reference decoder that shares nothing with the one that serves, which events are to be stored; every
other one must be in quarantine with a reason. Then --slow clients at once send a byte a second. A good client sends all
the while, and before for --alone seconds without company.
Ctrl-C stops; the same command goes on where it stopped. Exit 1 when it is not proved.`);
  process.exit(0);
}

let isStopped = false;
process.on('SIGINT', () => {
  if (isStopped) process.exit(130);
  isStopped = true;
});
const folder = resolve(import.meta.dirname, '.state/fuzz');
const figures = await proveFuzz({
  folder,
  requests: Number(values.requests),
  perRound: 2500,
  seed: Number(values.seed),
  concurrency: Number(values.concurrency),
  // Up to 75 s: the server waits 60 for a request.
  slow: { clients: Number(values.slow), everyMs: 1000, bytes: 75 },
  aloneSeconds: Number(values.alone),
  dialects: values.dialect === undefined ? undefined : [dialectNamed(values.dialect)],
  only: values.only,
  progress: (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  stopped: () => isStopped,
}).catch((error: unknown) => {
  if (!isStopped) throw error;
  console.error('stopped; the same command goes on from here');
  process.exit(1);
});

const { families, reasons, failures, crashes, errors, memoryMb, p99Ms, good, ...counts } = figures;
console.table(families);
console.table(Object.fromEntries(Object.entries(reasons).map(([reason, { rows }]) => [reason, rows])));
for (const [reason, { detail }] of Object.entries(reasons)) console.log(`${reason}: ${detail}`);
console.log(`fuzz, seed ${values.seed}`);
console.table({ ...counts, failures: failures.length, crashes: crashes.length });
console.log('errors logged:', errors);
console.log(
  `memory of ingest: median of the first quarter ${memoryMb.first} MB, of the last ${memoryMb.last} MB, at most ${memoryMb.most} MB`,
);
const ratio = (ms: number) => `${ms} ms, ${(ms / p99Ms.alone).toFixed(1)} times`;
console.log(
  `p99 of a good client: alone ${p99Ms.alone} ms; beside the fuzz ${ratio(p99Ms.beside)}; beside the slow clients ${ratio(p99Ms.besideSlow)}`,
);
console.log('the good client:', good);
for (const crash of crashes) console.log('crash:', crash);
for (const failure of failures.slice(0, 50)) console.log(JSON.stringify(failure));

/** A heap breathes: the last quarter's median may lie above the first's by a fifth of it, and by 50 MB in any case. */
const mayGrowMb = Math.max(0.2 * memoryMb.first, 50);
const against: readonly (readonly [isSo: boolean, what: string])[] = [
  [failures.length > 0, `${failures.length} requests did not become what they should`],
  [crashes.length > 0, `${crashes.length} crashes`],
  [figures.leaks > 0, `${figures.leaks} lines of the log hold credentials`],
  [
    good.missing + good.double + good.failed > 0,
    'the good client was failed, or its events are not there once',
  ],
  [memoryMb.last - memoryMb.first > mayGrowMb, `the memory of ingest grew by more than ${mayGrowMb} MB`],
];
const reasonsAgainst = against.flatMap(([isSo, what]) => (isSo ? [what] : []));
const proved = reasonsAgainst.length === 0;
console.log(
  proved
    ? 'proved: whatever arrives, every event is stored once or refused for a reason'
    : `NOT PROVED: ${reasonsAgainst.join('; ')}`,
);
if (proved) rmSync(folder, { recursive: true, force: true });
process.exit(proved ? 0 : 1);
