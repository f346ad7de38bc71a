import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isProved, proveSegment } from './segment/prove-segment.ts';
import { sendWithSegment } from './segment/senders.ts';

// The proof of `npm run proof:segment` in small, with the one SDK that is installed.

test('what @segment/analytics-node delivers through failing answers is there once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-segment-'));
  try {
    const { 'analytics-node': figures } = await proveSegment({
      folder,
      senders: { 'analytics-node': sendWithSegment },
      calls: 200,
      failureRate: 0.4,
      seed: 3,
      progress: () => {},
    });
    expect(figures).toMatchObject({ calls: 200, expected: 220, missing: 0, double: 0, unexpected: 0 });
    expect(figures && isProved(figures)).toBe(true);
    expect(figures?.failedRequests['answer lost']).toBeGreaterThan(0);
    expect(figures?.rowsInEventLog).toBeGreaterThan(210);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
