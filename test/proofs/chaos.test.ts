import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveChaos, type RoundFigures } from './chaos/chaos.ts';

// The proof of `npm run proof:chaos` in small: one pair of its 29.

test('every event is in events once although the function that drains the spill bucket is killed while it does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-chaos-'));
  const rounds: RoundFigures[] = [];
  try {
    await proveChaos({
      folder,
      from: 0,
      to: 1,
      seed: 3,
      requestsPerRound: 30,
      only: 'replay, draining',
      progress: () => {},
      onRound: (figures) => rounds.push(figures),
    });
    expect(rounds).toMatchObject([
      { isUnderWay: true, sent: 150, missing: 0, double: 0, wrongOutcomes: 0, deadLettered: 0 },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
