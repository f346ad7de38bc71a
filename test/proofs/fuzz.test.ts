import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveFuzz } from './fuzz/fuzz.ts';

// The proof of `npm run proof:fuzz` in small.

test('whatever arrives, each event is stored once as it was sent, and all else is refused for a reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-fuzz-'));
  try {
    const figures = await proveFuzz({
      folder,
      requests: 400,
      perRound: 200,
      seed: 11,
      concurrency: 8,
      slow: { clients: 30, everyMs: 30, bytes: 60 },
      aloneSeconds: 0,
      progress: () => {},
    });
    expect(figures).toMatchObject({ requests: 400, failures: [], crashes: [], leaks: 0 });
    expect(figures.good).toMatchObject({ failed: 0, missing: 0, double: 0 });
    expect(figures.events).toBeGreaterThan(150);
    expect(figures.quarantined).toBeGreaterThan(50);
    const names = Object.keys(figures.families);
    expect(names.length).toBeGreaterThan(50);
    for (const dialect of ['growingio', 'segment', 'tributary']) {
      expect(names.filter((name) => name.startsWith(`${dialect}: `)).length).toBeGreaterThan(4);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
