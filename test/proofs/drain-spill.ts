import { setTimeout as pause } from 'node:timers/promises';
import type { LocalCloud } from '../../local/index.ts';

/** Objects in the spill bucket; undefined where the cloud cannot be asked just now. */
export async function objectsSpilled(cloud: LocalCloud): Promise<number | undefined> {
  const counts = await cloud.counts().catch(() => undefined);
  return counts && (counts.buckets['tributary-spill']?.objects ?? 0);
}

/** Runs the scheduled drain until the spill bucket is empty, whatever fails meanwhile. Rejects after `withinMs`. */
export async function drainSpill(
  cloud: LocalCloud,
  progress: (line: string) => void = () => {},
  withinMs = 300_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = await objectsSpilled(cloud);
    if (left === 0) return;
    if (performance.now() > deadline) throw new Error(`${left} objects are still in the spill bucket`);
    const run = await cloud.runJob('replay-drain').catch(() => undefined);
    if (run !== undefined)
      progress(`drained: ${'body' in run ? `${run.status} ${run.body.trim()}` : run.error}`);
    await pause(100);
  }
}
