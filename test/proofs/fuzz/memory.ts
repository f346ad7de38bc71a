import { readFileSync } from 'node:fs';
import { percentile } from '../percentile.ts';

/** Memory of a process over time, in MB. */
export interface MemoryWatch {
  readonly samples: number[];
  stop(): void;
}

export function watchMemory(pid: () => number | undefined, everyMs: number): MemoryWatch {
  const samples: number[] = [];
  const timer = setInterval(() => {
    const found = residentMegabytes(pid());
    if (found !== undefined) samples.push(found);
  }, everyMs);
  return { samples, stop: () => clearInterval(timer) };
}

export function residentMegabytes(pid: number | undefined): number | undefined {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line === null ? undefined : Math.round(Number(line[1]) / 1024);
  } catch {
    return undefined;
  }
}

/** Medians of the first and the last quarter of what follows the warm-up, the first tenth. */
export function quarters(samples: readonly number[]): { first: number; last: number; most: number } {
  const warm = samples.slice(Math.floor(samples.length / 10));
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  return {
    first: percentile(warm.slice(0, quarter), 0.5),
    last: percentile(warm.slice(-quarter), 0.5),
    most: Math.max(0, ...samples),
  };
}
