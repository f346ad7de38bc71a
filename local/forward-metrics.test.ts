import { expect, test } from 'vitest';
import { createMetricsForwarder } from './forward-metrics.ts';

const line = (accepted: number) =>
  JSON.stringify({
    severity: 'INFO',
    message: 'metrics',
    function: 'ingest',
    interval_seconds: 2,
    metrics: { accepted },
  });

test('lines of metrics are handed on in order, under one id however often they are tried, though who takes them is away for a while', async () => {
  const taken: unknown[] = [];
  const tried: string[] = [];
  const forwarder = createMetricsForwarder(async ({ service, insertId, entry }) => {
    if (tried.push(insertId) <= 2) throw new Error('away');
    taken.push([service, entry.metrics.accepted]);
  });
  const say = (text: string) =>
    forwarder.observe({ kind: 'line', name: 'ingest', stream: 'stdout', line: text });
  say(line(1));
  say('{"message":"metrics"');
  say('{"severity":"INFO","message":"batch accepted"}');
  say('{"message":"metrics","metrics":"none"}');
  forwarder.observe({ kind: 'died', name: 'ingest', why: 'exit code 1', restartInMs: 100 });
  say(line(2));
  say(line(3));
  await expect.poll(() => taken.length, { timeout: 60_000 }).toBe(3);
  expect(taken).toEqual([
    ['ingest', 1],
    ['ingest', 2],
    ['ingest', 3],
  ]);
  // The first three attempts were of one line.
  expect(tried.map((id) => tried.indexOf(id))).toEqual([0, 0, 0, 3, 4]);
  forwarder.stop();
});
