import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batch } from '../collectors/batch.ts';
import type { DeliveryReport } from './route.ts';
import { ok, type Reply, startTestServer, testRoute } from './server-for-test.ts';

const reply: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(ok) },
  fc.record({
    kind: fc.constantFrom('stored', 'unstored'),
    status: fc.constantFrom(400, 408, 413, 429, 500, 503),
  }),
  fc.record({ kind: fc.constant('reset' as const), stores: fc.boolean() }),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('add' as const), route: fc.nat(2), many: fc.nat(12) }),
  },
  fc.constant({ does: 'flush' as const }),
  fc.constant({ does: 'wait' as const }),
);

test('whatever the server answers, each event is reported once, and what is called delivered is stored', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(reply, { minLength: 1, maxLength: 12 }),
      fc.record({ connections: fc.integer({ min: 1, max: 6 }), maxEvents: fc.integer({ min: 1, max: 9 }) }),
      fc.nat(3),
      fc.option(fc.nat(10), { nil: undefined }),
      async (steps, replies, options, retryLimit, timeoutMs) => {
        await using server = await startTestServer(({ number }) => replies[number % replies.length] ?? ok);
        const reports: DeliveryReport[] = [];
        const collector = batch({
          url: server.url,
          backoffMs: 1,
          maxAgeMs: 2,
          queueEvents: 20,
          retryLimit,
          ...options,
          onDelivery: (report) => reports.push(report),
        });
        const routes = [0, 1, 2].map((number) => testRoute({ name: `route-${number}` }));
        const added: string[] = [];
        const waits: Promise<unknown>[] = [];
        const reported = (kind?: string) =>
          reports.filter((it) => kind === undefined || it.kind === kind).flatMap(({ events }) => events);
        for (const one of steps) {
          if (one.does === 'wait') await new Promise((resolve) => setTimeout(resolve, 3));
          else if (one.does === 'flush') {
            const before = [...added];
            waits.push(
              collector.flush().then(() => expect(reported()).toEqual(expect.arrayContaining(before))),
            );
          } else
            for (let count = 0; count < one.many; count++) {
              const json = JSON.stringify({ id: added.length });
              added.push(json);
              waits.push(collector.add(routes[one.route] ?? testRoute(), json));
            }
        }
        const { undelivered } = await collector.close(timeoutMs === undefined ? {} : { timeoutMs });
        await Promise.all(waits);
        expect(reported().sort()).toEqual([...added].sort());
        expect(server.stored).toEqual(expect.arrayContaining(reported('delivered')));
        expect(reported('undelivered')).toEqual(expect.arrayContaining(undelivered.map(({ json }) => json)));
        expect(server.mostAtOnce).toBeLessThanOrEqual(options.connections);
      },
    ),
    { numRuns: 100 },
  );
});
