import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

export interface Bundle {
  /** To be given to `process.execPath`, whichever Node that is. */
  readonly path: string;
  remove(): void;
}

/**
 * Bundles a program of this folder, named by its path below it or given as code (with imports relative to it), for
 * processes of their own: these start in a tenth of the time, and run on Node 20, which does not know types.
 */
export async function bundleForTest(
  program: { readonly path: string } | { readonly code: string },
): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-program-'));
  const path = join(folder, 'program.mjs');
  const source =
    'path' in program
      ? { entryPoints: [resolve(import.meta.dirname, program.path)] }
      : { stdin: { contents: program.code, resolveDir: import.meta.dirname, loader: 'ts' as const } };
  await build({
    ...source,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile: path,
    logLevel: 'silent',
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
