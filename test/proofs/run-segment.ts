import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isProved, proveSegment } from './segment/prove-segment.ts';
import { createSendWithRudder, sendWithSegment } from './segment/senders.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    failures: { type: 'string', default: '0.2' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run proof:segment [-- --calls 10000 --failures 0.2 --seed 1 --only analytics-node|rudder-sdk-node]

Delivers calls of every kind with @segment/analytics-node and @rudderstack/rudder-sdk-node, while that share of the
requests is cut off, answered 500, 503 or 429, or stored without an answer. Each must be in the warehouse once.
RudderStack's SDK is not among the dependencies: npm installs it into test/proofs/.state the first time.
Exit 1 when anything is lost, double or given up.`);
  process.exit(0);
}

const stateFolder = resolve(import.meta.dirname, '.state');
const progress = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** Beside the repository's own, since what it depends on would stand in our lock file. */
function installRudder(): string {
  const folder = join(stateFolder, 'rudder-sdk-node-3.0.13');
  if (!existsSync(join(folder, 'node_modules/@rudderstack/rudder-sdk-node'))) {
    progress('installing @rudderstack/rudder-sdk-node 3.0.13');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];
    execFileSync('npm', ['install', ...flags, '@rudderstack/rudder-sdk-node@3.0.13'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    });
  }
  return folder;
}

const folder = join(stateFolder, 'segment');
rmSync(folder, { recursive: true, force: true });
const senders = {
  ...(values.only !== 'rudder-sdk-node' && { 'analytics-node': sendWithSegment }),
  ...(values.only !== 'analytics-node' && { 'rudder-sdk-node': createSendWithRudder(installRudder()) }),
};
const figures = await proveSegment({
  folder,
  senders,
  calls: Number(values.calls),
  failureRate: Number(values.failures),
  seed: Number(values.seed),
  progress,
});
for (const [sdk, { failedRequests, ...rest }] of Object.entries(figures)) {
  console.log(`${sdk}, seed ${values.seed}`);
  console.table({ ...rest, ...failedRequests });
}
const proved = Object.values(figures).every(isProved);
if (proved) rmSync(folder, { recursive: true, force: true });
console.log(proved ? 'proved: nothing lost, nothing double' : 'NOT PROVED');
process.exit(proved ? 0 : 1);
