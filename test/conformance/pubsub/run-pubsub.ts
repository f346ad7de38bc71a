import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { differences } from '../pubsub-differences.ts';
import { cases } from './cases.ts';
import { differencesPage, withTable } from './differences-table.ts';
import { findEmulator } from './find-emulator.ts';
import { runCases } from './run-cases.ts';
import { startGoogle } from './start-google.ts';
import { startLocal } from './start-local.ts';
import type { Target } from './target.ts';

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(`Usage: npm run proof:pubsub [-- --write]

Observes ${cases.length} behaviours that Google documents at the local Pub/Sub and at Google's own emulator, both through
Google's clients, and prints what differs from the documentation and is not listed in
test/conformance/pubsub-differences.ts. npm test does the same. --write writes the table of ${differencesPage}.
Exit 1 when something differs, 2 when Google's emulator is not installed.`);
  process.exit(0);
}

const page = resolve(import.meta.dirname, '../../..', differencesPage);
if (values.write) {
  writeFileSync(page, withTable(readFileSync(page, 'utf8')));
  execFileSync('npx', ['biome', 'check', '--write', page], { stdio: 'ignore' });
}

const began = performance.now();
const emulator = findEmulator(process.env);
const targets = {
  ours: await startLocal(),
  ...(emulator.kind === 'found' && { google: await startGoogle(emulator.command) }),
};
let unlisted = 0;
const observeAll = async ([side, target]: [string, Target]) => {
  const run = runCases(target, cases);
  for (const one of cases) {
    const expected = differences[one.name]?.[side === 'ours' ? 'ours' : 'google'] ?? one.documented;
    const observed = await run.observationOf(one);
    if (isDeepStrictEqual(observed, expected)) continue;
    unlisted++;
    console.log(
      `${side}: ${one.name} (${one.from})\n  expected ${show(expected)}\n  observed ${show(observed)}`,
    );
  }
  await run.close();
  await target.close();
};
const show = (value: unknown) => JSON.stringify(value, undefined, 1).replaceAll(/\n\s*/g, ' ');
await Promise.all(Object.entries(targets).map(observeAll));
const seconds = ((performance.now() - began) / 1000).toFixed(0);
if (unlisted > 0) {
  console.log(`NOT PROVED: ${unlisted} differences are not listed, in ${seconds} s`);
  process.exitCode = 1;
} else if (emulator.kind === 'absent') {
  console.log(`not verified against Google's emulator: ${emulator.why}`);
  process.exitCode = 2;
} else {
  console.log(`proved: ${cases.length} behaviours are as documented or listed, in ${seconds} s`);
}
