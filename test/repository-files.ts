import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');

/** Folders that .gitignore names, by their path from the root; Git itself may be absent where the tests run. */
const ignored = new Set(
  readFileSync(join(ROOT, '.gitignore'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('/'))
    .map((line) => line.slice(0, -1)),
);

/** Every file of the repository that Git would keep, by its path from the root. */
export function listFiles(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = relative(ROOT, join(folder, entry.name));
    if (entry.name === '.git' || entry.name === 'node_modules' || ignored.has(path)) return [];
    if (entry.isDirectory()) return listFiles(join(folder, entry.name));
    return entry.isFile() && !entry.name.endsWith('.log') ? [path] : [];
  });
}

export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/**
 * What a TypeScript file imports, statically, for types or dynamically: packages by their name, files by their path from
 * the root.
 */
export function listImports(path: string): string[] {
  const found = [...readText(path).matchAll(importStatement)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
  return [
    ...new Set(found.map((it) => (it.startsWith('.') ? relative(ROOT, resolve(ROOT, path, '..', it)) : it))),
  ];
}

const importStatement =
  /^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
