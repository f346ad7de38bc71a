import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveOutage } from './outage/outage.ts';

// The proof of `npm run proof:outage` in small.

test('what clients that die of any failure were answered is stored once, although Pub/Sub, storage and ingest fail', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-outage-'));
  try {
    const figures = await proveOutage({
      folder,
      phases: [
        { name: 'well', seconds: 1, faults: {} },
        { name: 'down', seconds: 1.5, faults: { pubsub: { publishUnavailableRate: 1 } } },
        { name: 'both down', seconds: 0.7, faults: { storage: { unavailableRate: 1 } }, isBothDown: true },
        { name: 'still down', seconds: 1, faults: { storage: { unavailableRate: 0 } } },
        {
          name: 'slow',
          seconds: 1.5,
          faults: { pubsub: { publishUnavailableRate: 0, publishDelayMs: 300 } },
        },
        {
          name: 'failing',
          seconds: 1,
          faults: { pubsub: { publishUnavailableRate: 0.3, publishDelayMs: 0 } },
        },
      ],
      seed: 5,
      clients: 5,
      eventsPerSecond: 40,
      secondsBetweenKills: 2.5,
      publishTimeoutMs: 300,
      progress: () => {},
    });
    expect(figures).toMatchObject({ missing: 0, double: 0, unknown: 0, leftInBucket: 0, otherDeaths: [] });
    expect(figures).toMatchObject({ quarantined: 0, deadLettered: 0 });
    expect(figures.answered).toBeGreaterThan(100);
    expect(figures.mostInBucket).toBeGreaterThan(0);
    expect(figures.kills + figures.restarts).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
