#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readDeployables } from '../shared/deployables.ts';
import { type ArchivedFile, zip } from './archive.ts';
import { buildSdk } from './build-sdk.ts';
import { type Bundle, bundleFunction, bundleHost, FRAMEWORK } from './bundle.ts';
import { describeFunction, type HostKind } from './function-package.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const HELP = `Bundles the functions of infra/functions.json and packs them for deployment, and builds the SDK.

Usage: npm run build [-- [NAME...]]

Without names every function is built, and the SDK, whose name is sdk. For each function it writes
  dist/<name>/           the function, ready to run in place:
                         FUNCTION_TARGET=<name> dist/<name>/node_modules/.bin/functions-framework --source dist/<name>
  dist/<name>.zip        the archive Terraform uploads; equal sources give equal bytes
  dist/<name>.framework.zip  the same on Google's functions-framework, for functions that run on shared/host
  dist/<name>.js.map     the source map of its index.js
and
  dist/sdk/              the npm package tributary-sdk, ready for \`npm pack ./dist/sdk\`
`;

const SDK = 'sdk';

export type Buildable = { name: string; entry: string; host: HostKind };

export type Built = {
  name: string;
  host: HostKind;
  /** Of index.js. */
  bundleBytes: number;
  /** Of all files of the archive. */
  unpackedBytes: number;
  archiveBytes: number;
  /** What these consist of: the modules in index.js, and the other files. */
  parts: Bundle['parts'];
};

/** Builds each function into `out`, with the dependencies and the host of the repository at `root`. */
export async function buildFunctions(functions: Buildable[], out: string, root = ROOT): Promise<Built[]> {
  const host = await bundleHost(root);
  const bundles = new Map<string, Promise<Bundle>>();
  for (const { entry } of functions) {
    if (!bundles.has(entry)) bundles.set(entry, bundleFunction(entry, root));
  }
  return Promise.all(
    functions.map(async ({ name, entry, host: kind }) => {
      const bundle = await bundles.get(entry)!;
      const describe = (hosted: HostKind) => [
        ...bundle.files,
        ...describeFunction(name, hosted, root),
        ...(hosted === 'own' ? host : []),
      ];
      const files = describe(kind);
      const archive = await zip(files);
      const folder = join(out, name);
      await rm(folder, { recursive: true, force: true });
      await writeFiles(folder, files);
      await linkHost(folder, kind, root);
      await writeFile(join(out, `${name}.zip`), archive);
      await writeFile(join(out, `${name}.js.map`), bundle.sourceMap);
      if (kind === 'own')
        await writeFile(join(out, `${name}.framework.zip`), await zip(describe('framework')));
      const index = files.find(({ path }) => path === 'index.js');
      return {
        name,
        host: kind,
        bundleBytes: index?.content.length ?? 0,
        unpackedBytes: files.reduce((sum, { content }) => sum + content.length, 0),
        archiveBytes: archive.length,
        parts: [
          ...bundle.parts,
          ...files.filter((it) => it !== index).map(({ path, content }) => ({ path, bytes: content.length })),
        ],
      };
    }),
  );
}

/** The functions of infra/functions.json with their entry points, or those of the given names. */
export function listBuildable(names: readonly string[] = [], root = ROOT): Buildable[] {
  const deployables = readDeployables();
  const unknown = names.filter((name) => !deployables.some((it) => it.name === name));
  if (unknown.length > 0) {
    const known = deployables.map(({ name }) => name).join(', ');
    throw new Error(`${unknown.join(', ')}: not in infra/functions.json, which names ${known}.`);
  }
  return deployables
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map(({ name, folder, host }) => ({ name, host, entry: join(root, 'functions', folder, 'index.ts') }));
}

async function writeFiles(folder: string, files: readonly ArchivedFile[]): Promise<void> {
  for (const { path, content, executable } of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: executable ? 0o755 : 0o644 });
  }
}

/** Makes the links that `npm ci` would, so that the folder runs in place. */
async function linkHost(folder: string, host: HostKind, root: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  const link = join(modules, FRAMEWORK);
  const target = host === 'own' ? join(folder, 'host') : join(root, 'node_modules', FRAMEWORK);
  await mkdir(dirname(link), { recursive: true });
  await symlink(relative(dirname(link), target), link);
  await mkdir(join(modules, '.bin'));
  const bin = host === 'own' ? 'bin/functions-framework.js' : 'build/src/main.js';
  await symlink(join('..', FRAMEWORK, bin), join(modules, '.bin', 'functions-framework'));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const names = positionals.filter((name) => name !== SDK);
  if (positionals.length === 0 || positionals.includes(SDK)) {
    const { version, entryBytes } = await buildSdk(ROOT, join(ROOT, 'dist/sdk'));
    console.log(`dist/sdk  tributary-sdk ${version}, ${kilobytes(entryBytes)} minified and gzipped`);
  }
  const functions = positionals.length > 0 && names.length === 0 ? [] : listBuildable(names);
  const missing = functions.filter(({ entry }) => !existsSync(entry));
  for (const { name, entry } of missing) console.error(`${name}: there is no ${relative(ROOT, entry)}.`);
  if (missing.length > 0) process.exitCode = 1;
  const present = functions.filter((it) => !missing.includes(it));
  for (const { name, host, bundleBytes, archiveBytes } of await buildFunctions(present, join(ROOT, 'dist'))) {
    const sizes = `bundle ${kilobytes(bundleBytes)}, archive ${kilobytes(archiveBytes)}`;
    console.log(`dist/${name}.zip  ${sizes}, ${host === 'own' ? 'shared/host' : FRAMEWORK}`);
  }
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
