import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Seed } from './seed.ts';

/** The seed in the file, where there is one; else the sample organisation. The reader of the seed checks it. */
export function readSeed(file: string): Seed {
  const path = existsSync(file) ? file : fileURLToPath(new URL('sample.json', import.meta.url));
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Seed;
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
