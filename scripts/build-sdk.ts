import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';

export interface BuiltSdk {
  readonly version: string;
  /** Bytes of the default entry point, minified and gzipped. */
  readonly entryBytes: number;
}

/**
 * Builds the package `tributary-sdk` into `out`, ready for `npm pack`: each entry point as an ES module and as CommonJS,
 * declarations for both, and the command. `root` is the folder of the repository. Types are not checked.
 */
export async function buildSdk(root: string, out: string): Promise<BuiltSdk> {
  await rm(out, { recursive: true, force: true });
  const [entryBytes] = await Promise.all([
    measureEntry(root),
    bundleEntries('esm', root, out),
    bundleEntries('cjs', root, out),
    bundleCommand(root, out),
    declare(root, out),
  ]);
  const description = await readFile(join(root, 'sdk/package.json'), 'utf8');
  await writeFile(join(out, 'package.json'), description);
  await copyFile(join(root, 'sdk/README.md'), join(out, 'README.md'));
  await copyFile(join(root, 'LICENSE'), join(out, 'LICENSE'));
  await copyFile(join(root, 'node_modules/snappyjs/LICENSE'), join(out, 'LICENSE-snappyjs'));
  const { version } = JSON.parse(description) as { version: string };
  return { version, entryBytes };
}

const entries = ['index', 'snappy', 'protobuf'] as const;

type Format = 'esm' | 'cjs';

const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'silent',
  legalComments: 'inline',
} satisfies BuildOptions;

/** Each entry point stands alone: they share no state, and whoever needs one does not load the others' code. */
async function bundleEntries(format: Format, root: string, out: string): Promise<void> {
  await build({
    ...options,
    format,
    absWorkingDir: root,
    entryPoints: entries.map((entry) => ({ in: join(root, `sdk/${entry}.ts`), out: entry })),
    outdir: join(out, format),
  });
  // Says what the files of the folder are, declarations included, whatever the package is by default.
  const type = format === 'esm' ? 'module' : 'commonjs';
  await writeFile(join(out, format, 'package.json'), `${JSON.stringify({ type })}\n`);
}

async function bundleCommand(root: string, out: string): Promise<void> {
  await build({
    ...options,
    format: 'esm',
    absWorkingDir: root,
    entryPoints: [join(root, 'sdk/command/tributary-sdk.ts')],
    outfile: join(out, 'esm/command.js'),
  });
}

/** What an application that bundles and compresses would carry. */
async function measureEntry(root: string): Promise<number> {
  const { outputFiles } = await build({
    ...options,
    format: 'esm',
    minify: true,
    write: false,
    legalComments: 'none',
    entryPoints: [join(root, 'sdk/index.ts')],
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

/** Writes the declarations that the entry points reach, for both kinds of modules. */
async function declare(root: string, out: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-sdk-types-'));
  try {
    // --noCheck: `npm run typecheck` checks; here only what cannot be declared is an error.
    const flags = ['--noEmit', 'false', '--emitDeclarationOnly', '--noCheck', '--outDir', folder];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'sdk'), ...flags]);
    const reached = new Set(entries.map((entry) => `sdk/${entry}.d.ts`));
    for (const path of reached) {
      const text = await readFile(join(folder, path), 'utf8');
      const target = join(out, 'esm/types', path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text.replaceAll(relativeImport, '$1$2.js$3'));
      for (const [, , imported = ''] of text.matchAll(relativeImport))
        reached.add(posix.join(posix.dirname(path), `${imported}.d.ts`));
    }
    await cp(join(out, 'esm/types'), join(out, 'cjs/types'), { recursive: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The compiler leaves `.ts` in declarations; published ones name the `.js` beside them. */
const relativeImport = /(from '|from "|import\("|import\(')(\.{1,2}\/[^'"]+)\.ts(['"])/g;
