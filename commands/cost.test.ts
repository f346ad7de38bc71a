import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDeployables } from '../shared/deployables.ts';
import { readTable } from '../test/markdown-table.ts';
import { readText } from '../test/repository-files.ts';
import { readFigures } from './cost-figures.ts';
import { type CostInput, calculateCost, cases, type Part } from './cost-model.ts';
import { readPrices } from './cost-prices.ts';
import { headings, tabulateCosts } from './cost-table.ts';
import { describeCosts } from './cost-text.ts';
import { type FunctionLoad, instanceSeconds, secondsPerMonth } from './instance-seconds.ts';
import { interpolateSizes } from './interpolate-sizes.ts';
import { runsPerMonth } from './runs-per-month.ts';

const facts = { figures: readFigures(), prices: readPrices(), deployables: readDeployables() };
const input: CostInput = {
  eventsPerMonth: 1e9,
  batch: 20,
  bytes: 600,
  billing: 'request',
  monthsKept: 1,
  requestLogs: false,
  concurrency: undefined,
};
const [low, likely, high] = cases.map((it) => ({ assumed: it, cost: calculateCost(input, it, facts) }));
if (low === undefined || likely === undefined || high === undefined) throw new Error('there are three cases');
const usdOf = (parts: readonly Part[], name: string) => parts.find((it) => it.name === name)?.usd ?? 0;
const likelyCost = (changed: Partial<CostInput>) =>
  calculateCost({ ...input, ...changed }, likely.assumed, facts);

describe('the bill of a month', () => {
  test('is its parts, what is fixed, and less what is free', () => {
    const { parts, fixed, listUsd, freeUsd, dueUsd } = likely.cost;
    const sum = (of: readonly Part[]) => of.reduce((total, { usd }) => total + usd, 0);
    expect(parts.map(({ name }) => name)).toEqual(['ingest', 'Pub/Sub', 'load', 'BigQuery write', 'storage']);
    expect(listUsd).toBeCloseTo(sum(parts), 9);
    expect(dueUsd).toBeCloseTo(sum(parts) + sum(fixed) - freeUsd, 9);
  });

  test('has in each part what its usages come to at the prices of the file', () => {
    for (const { usd, usages } of [...likely.cost.parts, ...likely.cost.fixed]) {
      const priced = usages.map(({ resource, amount }) => amount * facts.prices.prices[resource].usd);
      expect(usd).toBeCloseTo(
        priced.reduce((a, b) => a + b, 0),
        9,
      );
    }
  });

  test('takes from Pub/Sub twice the message, or 1,000 bytes where that is more', () => {
    const price = facts.prices.prices.pubsub.usd / 2 ** 40;
    expect(usdOf(likelyCost({ batch: 1, bytes: 100 }).parts, 'Pub/Sub')).toBeCloseTo(
      2 * 1e9 * 1000 * price,
      6,
    );
    expect(usdOf(likely.cost.parts, 'Pub/Sub')).toBeGreaterThan(2 * 5e7 * 1000 * price);
  });

  test('is never negative, and nothing is more in the low case than in the likely, or in that than in the high', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e12 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 100, max: 32_000 }),
        fc.constantFrom('request', 'instance'),
        (eventsPerMonth, batch, bytes, billing) => {
          const costs = cases.map((it) =>
            calculateCost({ ...input, eventsPerMonth, batch, bytes, billing }, it, facts),
          );
          const due = costs.map(({ dueUsd }) => dueUsd);
          expect(due[0]).toBeGreaterThanOrEqual(-1e-9);
          // But for the rounding of floating point.
          expect(due[1]! - due[0]!).toBeGreaterThan(-1e-9 * due[1]!);
          expect(due[2]! - due[1]!).toBeGreaterThan(-1e-9 * due[2]!);
        },
      ),
    );
  });

  test('keeps rows for less from the fourth month on', () => {
    const storage = (monthsKept: number) => usdOf(likelyCost({ monthsKept }).parts, 'storage');
    expect(storage(3)).toBeCloseTo(3 * storage(1), 6);
    expect(storage(4) - storage(3)).toBeCloseTo(storage(1) / 2, 6);
  });

  test('has the lines of the request log only where they are kept', () => {
    expect(usdOf(likely.cost.parts, 'request logs')).toBe(0);
    expect(usdOf(likelyCost({ requestLogs: true }).parts, 'request logs')).toBeGreaterThan(40);
  });
});

describe('the time of instances', () => {
  const load: FunctionLoad = {
    requests: 1e6,
    waitMs: 25,
    cpuMicros: 1000,
    cpu: 1,
    limit: 80,
    spread: 1,
    stepMs: 100,
    billing: 'request',
    concurrency: undefined,
  };
  const loads = fc.record({
    ...Object.fromEntries(Object.entries(load).map(([name, value]) => [name, fc.constant(value)])),
    requests: fc.integer({ min: 1, max: 1e11 }),
    waitMs: fc.integer({ min: 0, max: 1000 }),
    cpuMicros: fc.integer({ min: 1, max: 1e6 }),
    billing: fc.constantFrom('request', 'instance'),
  }) as fc.Arbitrary<FunctionLoad>;

  test('of few requests is shared by none: each takes a whole step', () => {
    expect(instanceSeconds({ ...load, requests: 100 })).toBeCloseTo(10, 3);
  });

  test('of many requests is all of the month, and no more', () => {
    expect(instanceSeconds({ ...load, requests: 1e9, cpuMicros: 1 })).toBeCloseTo(secondsPerMonth, -1);
  });

  test('is never less than the CPU takes, and where an instance is there all the time never less than while it works', () => {
    fc.assert(
      fc.property(loads, (it) => {
        expect(instanceSeconds(it) * it.cpu).toBeGreaterThanOrEqual((it.requests * it.cpuMicros) / 1e6);
        expect(instanceSeconds({ ...it, billing: 'instance' })).toBeGreaterThanOrEqual(
          instanceSeconds({ ...it, billing: 'request', waitMs: 0, stepMs: 1 }),
        );
      }),
    );
  });

  test('is what is given to share, where that is given', () => {
    expect(instanceSeconds({ ...load, concurrency: 4 })).toBeCloseTo((1e6 * 0.1) / 4, 6);
  });
});

describe('a figure of several sizes', () => {
  const grid = (value: (events: number, eventBytes: number) => number) =>
    [1, 20, 100].flatMap((events) =>
      [600, 1200, 2400].map((eventBytes) => ({ events, eventBytes, value: value(events, eventBytes) })),
    );

  test('is found anywhere where it is one of a request, an event and a byte', () => {
    const part = fc.integer({ min: 0, max: 1000 });
    const events = fc.integer({ min: 1, max: 1000 });
    const bytes = fc.integer({ min: 100, max: 32_000 });
    fc.assert(
      fc.property(part, part, part, events, bytes, (perRequest, perEvent, perByte, count, size) => {
        const value = (n: number, b: number) => perRequest + n * (perEvent + b * perByte);
        expect(interpolateSizes(grid(value), count, size)).toBeCloseTo(value(count, size), 3);
      }),
    );
  });

  test('is what was measured where it was measured, and never negative', () => {
    const points = grid((events, eventBytes) => 1e6 / events / eventBytes);
    for (const { events, eventBytes, value } of points)
      expect(interpolateSizes(points, events, eventBytes)).toBeCloseTo(value, 9);
    expect(interpolateSizes(points, 1000, 600)).toBe(0);
  });

  test('is refused where not every number of events was measured in every size', () => {
    const points = grid(() => 7);
    expect(() => interpolateSizes(points.slice(1), 1, 700)).toThrow('each number of events with each size');
    expect(() => interpolateSizes(points.slice(0, 3), 1, 700)).toThrow('several of both');
  });
});

test.each([
  ['* * * * *', 43_800],
  ['*/5 * * * *', 8_760],
  ['7 * * * *', 730],
  ['23 3 * * *', 30],
])('%s runs %d times a month', (cron, times) => {
  expect(runsPerMonth(cron)).toBe(times);
});

test('a job of single days is refused, and does not count as one of every day', () => {
  expect(() => runsPerMonth('0 0 1 * *')).toThrow('every day');
});

test('every price says where it is from, and how that was checked', () => {
  for (const { source, checked } of Object.values(facts.prices.prices)) {
    expect(source).toMatch(/^https:\/\/cloud\.google\.com\//);
    expect(checked).not.toBe('');
  }
});

describe('docs/cost.md', () => {
  const text = readText('docs/cost.md');

  test.each(['request', 'instance'] as const)(
    'has the table of %s-based billing as it is calculated',
    (billing) => {
      // npm run cost -- --table writes it.
      expect(readTable(text, headings[billing])).toEqual(tabulateCosts(billing, facts));
    },
  );

  test('tells what a billion events costs, as it is calculated', () => {
    const said = (usd: number) => `$${(usd / 1000).toFixed(3)}`;
    const instance = likelyCost({ billing: 'instance' });
    for (const usd of [likely.cost.listUsd, likely.cost.dueUsd, instance.listUsd, instance.dueUsd])
      expect(text).toContain(said(usd));
  });

  test('is summed up in README.md', () => {
    const cents = (usd: number) => `$${(usd / 1000).toFixed(2)}`;
    expect(readText('README.md').replace(/\n/g, ' ')).toContain(
      `likely ${cents(likely.cost.dueUsd)} per million, ${cents(likelyCost({ billing: 'instance' }).dueUsd)} where`,
    );
  });

  test('names the prices of their day', () => {
    expect(text).toContain(facts.prices.on);
  });
});

describe('npm run cost', () => {
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('cost.ts', import.meta.url)), ...flags], {
      encoding: 'utf8',
    });

  test('tells the parts for a person, with the formulas where they are asked for', () => {
    const told = describeCosts(input, [low.cost, likely.cost, high.cost], facts, { explain: true });
    for (const { name } of [...likely.cost.parts, ...likely.cost.fixed]) expect(told).toContain(name);
    expect(told).toContain('1,000,000,000 rows x');
    expect(told).toContain('With --billing instance it would likely be');
  });

  test('tells a program the same', () => {
    const { stdout, status } = run('--events-per-month', '1e9', '--format', 'json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      costs: [{ name: 'low' }, { dueUsd: likely.cost.dueUsd }, {}],
    });
  });

  test.each([
    [['--batch', '20'], '--events-per-month is missing'],
    [
      ['--events-per-month', '1e9', '--batch', '0'],
      '--batch must be a whole number from 1 to 1000, not "0".',
    ],
    [['--events-per-month', 'many'], '--events-per-month must be a whole number'],
    [
      ['--events-per-month', '1e9', '--billing', 'flat'],
      '--billing must be request or instance, not "flat".',
    ],
    [['--events-per-month', '1e9', '--size', '7'], "Unknown option '--size'"],
  ])('refuses %j with what to write instead', (flags, message) => {
    const { stderr, status } = run(...flags);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});
