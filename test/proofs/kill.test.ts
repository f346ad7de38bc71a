import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveKill } from './kill.ts';
import { proveRefusal } from './refusal.ts';

// The proofs of `npm run proof:kill` in small, side by side, since both spend their time waiting for redeliveries.

test.concurrent('every event is in events once although load and the cloud are killed and appends fail or go unanswered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-kill-'));
  try {
    const figures = await proveKill({
      folder,
      events: 4000,
      loadKills: 2,
      cloudKills: 1,
      faultRate: 0.1,
      eventsPerSecond: 600,
      seed: 7,
      progress: () => {},
    });
    expect(figures).toMatchObject({
      sent: 4000,
      inEvents: 4000,
      missing: 0,
      double: 0,
      deadLettered: 0,
      quarantined: 0,
    });
    expect(figures).toMatchObject({ loadKills: 2, cloudKills: 1 });
    expect(figures.pushesOpenAtKills).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

test.concurrent('every event is in events once after BigQuery refused everything for two minutes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-refusal-'));
  const figures = await proveRefusal({ folder, events: 400, refusedSeconds: 120, progress: () => {} });
  expect(figures).toMatchObject({ inEvents: 400, missing: 0, double: 0, deadLettered: 0, quarantined: 0 });
  expect(figures.failedPushes).toBeGreaterThan(0);
}, 120_000);
