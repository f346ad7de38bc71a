import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { deriveFiles } from './derive-files.ts';

const usage = `Usage: npm run generate [-- --check]

Writes what is derived from the tables in shared/warehouse/tables, the settings in shared/settings and the counts of the functions.
  --check   write nothing; exit 1 and name the files that are stale`;

const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const root = resolve(import.meta.dirname, '..');
const stale = [...deriveFiles()].filter(([path, text]) => read(resolve(root, path)) !== text);
if (values.check) {
  for (const [path] of stale) console.error(`${path} is stale: run npm run generate`);
  process.exit(stale.length === 0 ? 0 : 1);
}
for (const [path, text] of stale) {
  mkdirSync(dirname(resolve(root, path)), { recursive: true });
  writeFileSync(resolve(root, path), text);
  console.log(`wrote ${path}`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
