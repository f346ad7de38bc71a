import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIGURES_FILE, type Figures } from '../../commands/cost-figures.ts';

/** Writes one part of what `npm run cost` calculates with, and leaves the other as it is. */
export function writeFigures(part: Partial<Figures>): void {
  const file = fileURLToPath(FIGURES_FILE);
  const before: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...(before as Partial<Figures>), ...part }, null, 2)}\n`);
  console.log(`\nwritten to ${file}`);
}

/** When and where it was measured. */
export const describeMachine = () => ({
  on: new Date().toISOString().slice(0, 10),
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, ${process.platform}`,
  node: process.versions.node,
});
