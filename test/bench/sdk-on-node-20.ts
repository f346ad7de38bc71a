import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const { values } = parseArgs({
  options: { node: { type: 'string' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(`Usage: node test/bench/sdk-on-node-20.ts [--node PATH]

Runs the tests of sdk/ that need no local cloud on Node 20, the oldest that the package is for, with the processes that they
start. Takes --node, else a Node 20 of PATH, else the npm package node@20, which npm fetches for it.`);
  process.exit(0);
}

const root = resolve(import.meta.dirname, '../..');
const node = values.node ?? (await findOnPath()) ?? (await fetchNode());
// Vitest itself asks for Node 22 and runs on 20; the local cloud and the compiler of package.test.ts are for 24.
const tests = ['delivery', 'collectors', 'spool', 'command', 'routes', 'validation', 'captures', 'readme'];
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const paths = tests.map((name) => `sdk/${name}`);
console.log(`${node}: ${await versionOf(node)}`);
const child = spawn(node, [vitest, 'run', ...paths], { cwd: root, stdio: 'inherit' });
[process.exitCode] = (await once(child, 'close')) as [number];

async function findOnPath(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = join(folder, 'node');
    if ((await versionOf(found))?.startsWith('v20.')) return found;
  }
  return undefined;
}

async function fetchNode(): Promise<string> {
  const print = ['node', '-p', 'process.execPath'];
  const { stdout } = await promisify(execFile)('npm', ['exec', '--yes', '--package=node@20', '--', ...print]);
  return stdout.trim();
}

async function versionOf(path: string): Promise<string | undefined> {
  const answer = await promisify(execFile)(path, ['--version']).catch(() => undefined);
  return answer?.stdout.trim();
}
