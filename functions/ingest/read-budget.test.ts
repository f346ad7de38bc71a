import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReadBudget } from './read-budget.ts';

const limit = 1000;
const small = 50;

/** Reads `bytes` in pieces; `step` says whether it could. */
function startReading(budget: ReturnType<typeof createReadBudget>, bytes: number, piece: number) {
  let left = bytes;
  let isPaused = false;
  const share = budget.open({
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
    },
  });
  return {
    isPaused: () => isPaused,
    isDone: () => left === 0,
    held: () => (left === 0 ? 0 : bytes - left),
    step() {
      if (isPaused || left === 0) return;
      const read = Math.min(left, piece);
      left -= read;
      share.add(read);
      if (left === 0) share.release();
    },
    leave() {
      left = 0;
      share.release();
    },
  };
}

test('a body that grows while all hold too much waits until another is done', () => {
  const budget = createReadBudget(limit, small);
  const [first, second] = [startReading(budget, 900, 300), startReading(budget, 900, 300)];
  for (const reader of [first, second, first, second]) reader.step();
  expect(second.isPaused()).toBe(true);
  first.step();
  expect([first.isDone(), second.isPaused()]).toEqual([true, false]);
});

test('a small body never waits', () => {
  const budget = createReadBudget(limit, small);
  const [large, other] = [startReading(budget, 5000, 700), startReading(budget, 5000, 700)];
  for (const reader of [large, other]) reader.step();
  const one = startReading(budget, small, 10);
  for (let i = 0; i < 5; i++) one.step();
  expect(one.isDone()).toBe(true);
});

test('a small body that never ends holds up nobody', () => {
  const budget = createReadBudget(limit, small);
  startReading(budget, small, 10).step();
  const [first, second] = [startReading(budget, 5000, 700), startReading(budget, 5000, 700)];
  for (const reader of [first, second]) reader.step();
  expect([first.isPaused(), second.isPaused()]).toEqual([false, true]);
  for (let i = 0; i < 10; i++) first.step();
  expect([first.isDone(), second.isPaused()]).toEqual([true, false]);
});

test('whatever arrives in whatever order, all are read in the end, and together they hold little more than the limit', () => {
  const arrival = fc.record({
    bytes: fc.integer({ min: 1, max: 3000 }),
    piece: fc.integer({ min: 1, max: 100 }),
    leavesAt: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.array(arrival, { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.nat()),
      (all, picks) => {
        const budget = createReadBudget(limit, small);
        const readers = all.map(({ bytes, piece }) => startReading(budget, bytes, piece));
        // The one that must be let on may be the largest; the others stop within a piece, and the small are not counted.
        const bound = limit + 3000 + readers.length * (small + 100);
        for (let round = 0; readers.some((one) => !one.isDone()); round++) {
          const open = readers.filter((one) => !one.isDone());
          const large = open.filter((one) => one.held() > small);
          expect(large.length === 0 || large.some((one) => !one.isPaused())).toBe(true);
          const running = open.filter((one) => !one.isPaused());
          running[picks.next().value % running.length]!.step();
          all.forEach(({ leavesAt }, place) => {
            if (leavesAt === round) readers[place]!.leave();
          });
          expect(readers.reduce((sum, one) => sum + one.held(), 0)).toBeLessThanOrEqual(bound);
        }
      },
    ),
  );
});
