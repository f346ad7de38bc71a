import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { findWrongs, type Outcome, writeTable } from './sdk/figures.ts';
import { runScenario } from './sdk/run-scenario.ts';
import { scenarios } from './sdk/scenarios.ts';
import { floorName, isOurs, type SenderKind, senderKinds } from './sdk/senders.ts';
import { startSink } from './sdk/start-sink.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    scenario: { type: 'string' },
    scale: { type: 'string', default: '1' },
    cap: { type: 'string', default: '120' },
    node: { type: 'string', default: process.execPath },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:sdk [-- --only NAME,... --scenario NAME,... --scale 1 --cap 120 --node PATH]

Sends the same events of 10 properties with ours, with 30 lines written by hand (the floor), and with the SDKs that
test/bench/sdk/package.json pins and npm installs now, each in a process of its own, to one sink in another process that
counts what it stored.
  --only      only senders whose name begins so: ${senderKinds.map(({ name }) => name).join('; ')}
  --scenario  only these: ${scenarios.map(({ name, tells }) => `${name} (${tells})`).join('; ')}
  --scale     of the numbers of events: 0.1 for a tenth
  --cap       seconds after which a sender is stopped
  --node      what runs the senders`);
  process.exit(0);
}

const folder = resolve(import.meta.dirname, 'results/sdk');
const begins = (name: string, wanted: string | undefined) =>
  wanted === undefined || wanted.split(',').some((one) => name.startsWith(one.trim()));
const chosen = senderKinds.filter(({ name }) => name === floorName || begins(name, values.only));
const wanted = scenarios.filter(({ name }) => values.scenario?.split(',').includes(name) ?? true);

await mkdir(folder, { recursive: true });
if (chosen.some(({ name }) => isPeer(name))) await installPeers();
await build({
  entryPoints: [resolve(import.meta.dirname, 'sdk/send.ts')],
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outfile: join(folder, 'send.mjs'),
  logLevel: 'silent',
});
const sink = await startSink();
const tables: string[] = [];
const wrongs: string[] = [];
for (const scenario of wanted) {
  const outcomes: Outcome[] = [];
  for (const kind of chosen) {
    if (scenario.plan === 'killed' && !kind.isDurable) continue;
    outcomes.push(await measure(kind, scenario));
  }
  for (const outcome of outcomes.filter(({ sender }) => isOurs(sender)))
    wrongs.push(...findWrongs(scenario, outcome));
  tables.push(writeTable(scenario, outcomes, floorName));
  console.log(`\n${tables.at(-1)}`);
}
sink.stop();
const heading = `# npm run bench:sdk, ${new Date().toISOString().slice(0, 10)}, ${values.node}`;
await writeFile(join(folder, 'tables.md'), [heading, '', ...tables].join('\n'));
console.log(`written to ${join(folder, 'tables.md')}`);
for (const wrong of wrongs) console.error(wrong);
if (wrongs.length > 0) process.exitCode = 1;

async function measure(kind: SenderKind, scenario: (typeof scenarios)[number]): Promise<Outcome> {
  const spool = await mkdtemp(join(folder, 'spool-'));
  process.stderr.write(`${scenario.name}: ${kind.name}\n`);
  try {
    return await runScenario(scenario, {
      sink,
      sender: kind.name,
      program: join(folder, 'send.mjs'),
      node: values.node,
      peers: folder,
      spool,
      // Whole hundreds, since that is what a process that is killed has handed over.
      events: Math.max(200, Math.round((scenario.events * Number(values.scale)) / 200) * 200),
      capMs: Number(values.cap) * 1000,
    });
  } finally {
    await rm(spool, { recursive: true, force: true });
  }
}

function isPeer(name: string): boolean {
  return name !== floorName && !isOurs(name);
}

/** Exactly those of the lock file, into the folder of results, where nothing of theirs is found by anything else. */
async function installPeers(): Promise<void> {
  const lock = await readFile(resolve(import.meta.dirname, 'sdk/package-lock.json'), 'utf8');
  const installed = join(folder, 'node_modules/installed-by.json');
  if ((await readFile(installed, 'utf8').catch(() => '')) === lock) return;
  for (const file of ['package.json', 'package-lock.json'])
    await cp(resolve(import.meta.dirname, 'sdk', file), join(folder, file));
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  await promisify(execFile)('npm', ['ci', ...flags], { cwd: folder });
  await writeFile(installed, lock);
}
