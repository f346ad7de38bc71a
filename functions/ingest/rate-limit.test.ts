import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settingsSchema } from '../../shared/settings/settings.ts';
import { createRateLimiter } from './rate-limit.ts';

const limiting = (projects: Record<string, { eventsPerSecond: number; burst?: number } | undefined>) =>
  settingsSchema.parse({
    projects: Object.fromEntries(
      Object.entries(projects).map(([name, rateLimit]) => [name, { rateLimit }] as const),
    ),
  });

/** A limiter whose clock stands still until it is told. */
function start(at = 1_790_000_000_000) {
  let now = at;
  const limiter = createRateLimiter(() => now);
  return {
    limiter,
    pass(ms: number) {
      now += ms;
    },
  };
}

const limits = fc.record({
  eventsPerSecond: fc.integer({ min: 1, max: 1_000 }),
  burst: fc.integer({ min: 1, max: 5_000 }),
});
const requests = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 3_000 }), events: fc.integer({ min: 1, max: 500 }) }),
  { maxLength: 60 },
);

describe('a project with a rate limit', () => {
  test('gets in, in any span of time, at most its burst, its rate, and what the last request is over', () => {
    fc.assert(
      fc.property(limits, requests, (limit, sent) => {
        const { limiter, pass } = start();
        const settings = limiting({ shop: limit });
        let at = 0;
        const taken: { at: number; events: number }[] = [];
        for (const { afterMs, events } of sent) {
          pass(afterMs);
          at += afterMs;
          const over = limiter.take(settings, new Map([['shop', events]]), false);
          if (over.size === 0) taken.push({ at, events });
        }
        for (const [first, { at: from }] of taken.entries()) {
          let sum = 0;
          for (const { at: to, events } of taken.slice(first)) {
            // Before its last request, which may leave a debt.
            expect(sum).toBeLessThanOrEqual(limit.burst + ((to - from) / 1000) * limit.eventsPerSecond);
            sum += events;
          }
        }
      }),
    );
  });

  test('is never over it while it keeps to its rate, however large its requests are', () => {
    fc.assert(
      fc.property(limits, fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 30 }), (limit, sent) => {
        const { limiter, pass } = start();
        const settings = limiting({ shop: limit });
        for (const events of sent) {
          expect(limiter.take(settings, new Map([['shop', events]]), false).size).toBe(0);
          pass(Math.ceil((events / limit.eventsPerSecond) * 1000));
        }
      }),
    );
  });

  test('gets in after the time that it is told to wait, and not before', () => {
    fc.assert(
      fc.property(limits, requests, (limit, sent) => {
        const { limiter, pass } = start();
        const settings = limiting({ shop: limit });
        for (const { afterMs, events } of sent) {
          pass(afterMs);
          const one = new Map([['shop', events]]);
          const waitMs = limiter.take(settings, one, false).get('shop');
          if (waitMs === undefined) continue;
          expect(waitMs).toBeGreaterThan(0);
          pass(waitMs - 1);
          if (waitMs > 1) expect(limiter.take(settings, one, false).size).toBe(1);
          pass(1);
          expect(limiter.take(settings, one, false).size).toBe(0);
        }
      }),
    );
  });

  test('takes ten seconds of its rate at once where no burst is given', () => {
    const { limiter } = start();
    const settings = limiting({ shop: { eventsPerSecond: 2 } });
    const one = new Map([['shop', 1]]);
    for (let event = 0; event < 20; event++) expect(limiter.take(settings, one, false).size).toBe(0);
    expect(limiter.take(settings, one, false)).toEqual(new Map([['shop', 500]]));
  });

  test('gains nothing by a clock that goes back', () => {
    const { limiter, pass } = start();
    const settings = limiting({ shop: { eventsPerSecond: 1, burst: 1 } });
    const one = new Map([['shop', 1]]);
    limiter.take(settings, one, false);
    pass(-10_000);
    expect(limiter.take(settings, one, false).size).toBe(1);
    pass(999);
    expect(limiter.take(settings, one, false).size).toBe(1);
    pass(1);
    expect(limiter.take(settings, one, false).size).toBe(0);
  });
});

describe('a request of several projects', () => {
  const settings = limiting({
    shop: { eventsPerSecond: 1, burst: 1 },
    blog: { eventsPerSecond: 1, burst: 1 },
  });
  const both = new Map([
    ['shop', 1],
    ['blog', 1],
  ]);

  test('is over the limits of those that are', () => {
    const { limiter } = start();
    limiter.take(settings, new Map([['shop', 1]]), false);
    expect([...limiter.take(settings, both, false).keys()]).toEqual(['shop']);
    expect([...limiter.take(settings, both, false).keys()]).toEqual(['shop', 'blog']);
  });

  test('takes nothing of any where it is to be sent again', () => {
    const { limiter } = start();
    limiter.take(settings, new Map([['shop', 1]]), true);
    for (let time = 0; time < 3; time++) {
      expect([...limiter.take(settings, both, true).keys()]).toEqual(['shop']);
    }
  });
});

describe('in memory', () => {
  test('are only projects that have a limit now, and what they have left outlives new settings', () => {
    const { limiter } = start();
    const one = limiting({ shop: { eventsPerSecond: 1, burst: 1 }, blog: undefined });
    expect(limiter.isOn(one)).toBe(true);
    for (let sender = 0; sender < 100; sender++) {
      limiter.take(
        one,
        new Map([
          [`stranger-${sender}`, 1],
          ['blog', 1],
          ['constructor', 1],
        ]),
        false,
      );
    }
    expect(limiter.size).toBe(0);
    limiter.take(one, new Map([['shop', 1]]), false);
    expect(limiter.size).toBe(1);
    const two = limiting({ shop: { eventsPerSecond: 1, burst: 100 } });
    expect(limiter.take(two, new Map([['shop', 1]]), false).size).toBe(1);
    const none = limiting({ shop: undefined });
    expect(limiter.isOn(none)).toBe(false);
    expect(limiter.size).toBe(0);
  });
});
