import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationBounds } from './durations.ts';
import { type CountDescription, createMetrics, type MetricsLine } from './metrics.ts';
import { createHost } from './server.ts';

const counted = {
  accepted: { name: 'tributary.test.events.accepted', unit: '{event}', description: 'accepted' },
  dropped: { name: 'tributary.test.events.dropped', unit: '{event}', description: 'dropped' },
} satisfies Record<string, CountDescription>;

function collect() {
  const lines: MetricsLine[] = [];
  const metrics = createMetrics({
    name: 'test',
    counted,
    log: (_, message, fields) => lines.push({ message, ...fields } as unknown as MetricsLine),
  });
  return { metrics, lines };
}

describe('a line of metrics', () => {
  test('holds what was counted since the one before it, so that the lines add up to everything', () => {
    const additions = fc.array(fc.array(fc.record({ accepted: fc.nat(9), dropped: fc.nat(9) })));
    fc.assert(
      fc.property(additions, (rounds) => {
        const { metrics, lines } = collect();
        for (const round of rounds) {
          for (const { accepted, dropped } of round) {
            metrics.counts.accepted += accepted;
            metrics.counts.dropped += dropped;
          }
          metrics.write();
        }
        const sum = (name: string) => lines.reduce((total, line) => total + (line.metrics[name] ?? 0), 0);
        const given = (key: 'accepted' | 'dropped') =>
          rounds.flat().reduce((total, one) => total + one[key], 0);
        expect(sum('tributary.test.events.accepted')).toBe(given('accepted'));
        expect(sum('tributary.test.events.dropped')).toBe(given('dropped'));
      }),
    );
  });

  test('is not written where nothing was counted', () => {
    const { metrics, lines } = collect();
    metrics.write();
    metrics.counts.accepted++;
    metrics.write();
    metrics.write();
    expect(lines).toEqual([
      {
        message: 'metrics',
        function: 'test',
        instance: expect.stringMatching(/^[0-9a-f-]{36}$/),
        interval_seconds: expect.any(Number),
        metrics: { 'tributary.test.events.accepted': 1 },
        durations: [],
      },
    ]);
  });

  test('tells how long requests took by method and status, and of a sender that went away no status', async () => {
    const { metrics, lines } = collect();
    const host = createHost(
      metrics.timed(async (request, response) => {
        if (request.url === '/throws') throw new Error('meant');
        if (request.url !== '/gone') response.writeHead(204).end();
      }),
    );
    await once(host.server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`;
    for (const [method, path] of [
      ['POST', ''],
      ['POST', ''],
      ['GET', '/throws'],
      ['PROPFIND', ''],
    ]) {
      await fetch(url + path, { method: method! });
    }
    await expect(fetch(`${url}/gone`, { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    await host.drain(100);
    metrics.write();
    const series = lines.flatMap(({ durations }) =>
      durations.map((point) => [
        point['http.request.method'],
        point['http.response.status_code'],
        point.count,
        point.bucket_counts.reduce((total, one) => total + one, 0),
      ]),
    );
    expect(series).toEqual([
      ['POST', 204, 2, 2],
      ['GET', 500, 1, 1],
      ['_OTHER', 204, 1, 1],
      ['GET', undefined, 1, 1],
    ]);
    for (const { sum, max, bucket_counts } of lines[0]!.durations) {
      expect(sum).toBeGreaterThanOrEqual(max);
      expect(bucket_counts).toHaveLength(durationBounds.length + 1);
    }
  });

  test.each(['process.exit()', 'undefined', "setTimeout(() => { throw new Error('meant') })"])(
    'is written at last by a process that ends by %s',
    async (end) => {
      const script = `
        import { createMetrics, writeEvery } from ${JSON.stringify(fileURLToPath(new URL('metrics.ts', import.meta.url)))};
        const metrics = createMetrics({ name: 'test', counted: ${JSON.stringify(counted)} });
        writeEvery(metrics, 3600);
        metrics.counts.accepted += 7;
        ${end};`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const line = JSON.parse(await text(child.stdout!)) as MetricsLine;
      expect(line).toMatchObject({
        severity: 'INFO',
        message: 'metrics',
        metrics: { 'tributary.test.events.accepted': 7 },
      });
    },
  );
});
