import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Operation, type StartedFold, startFold } from './start-for-test.ts';
import type { StepName } from './steps.ts';

const minuteMicros = 60_000_000;
const steps: readonly StepName[] = [
  'count',
  'arrivals',
  'pairs',
  'plan',
  'bindings',
  'touched',
  'operations',
  'persons',
  'rows',
];
const onlyIncremental: readonly StepName[] = ['arrivals', 'touched', 'rows'];

let fold: StartedFold;
beforeAll(async () => {
  fold = await startFold();
  await fold.tick();
}, 60_000);
afterAll(() => fold.close());

let tests = 0;
let project: string;
let at: number;
beforeEach(() => {
  project = `project-${++tests}`;
  at = (Math.floor(Date.now() / 60_000) - 30 * tests) * minuteMicros;
});

/** Gives the phone to a user, before all those that it was given to. */
let aliases = 0;
const earlierAlias = (user: string): Operation => ({
  project,
  kind: 'alias',
  received_at: at - ++aliases * minuteMicros,
  anonymous_id: 'phone',
  user_id: user,
});
const city = (): Operation => ({
  project,
  kind: 'profile_set',
  received_at: at,
  anonymous_id: 'phone',
  properties: '{"city":"Turin"}',
});
const userOfPhone = async () => (await fold.bindings()).find((row) => row.project === project)?.user_id;
const expectFolded = async () => expect(await fold.persons()).toEqual(await fold.profiles());
const dieBefore = (step: StepName) => (next: StepName) => {
  if (next === step) throw new Error('killed');
};

describe('a tick that dies', () => {
  test.each([false, true])(
    'before any of its steps is made up for by the next one (all anew: %s)',
    async (full) => {
      await fold.append([city(), earlierAlias('ada')]);
      await fold.tick();
      for (const step of steps) {
        if (full && onlyIncremental.includes(step)) continue;
        await fold.append([earlierAlias(`user-${step}`)]);
        await expect(fold.tick({ full }, { onStep: dieBefore(step) })).rejects.toThrow('killed');
        expect(await fold.tick()).toMatchObject({ kind: 'folded', mode: full ? 'full' : 'incremental' });
        expect(await userOfPhone()).toBe(`user-${step}`);
        await expectFolded();
      }
      expect(await fold.tick()).toMatchObject({ kind: 'unchanged' });
    },
  );

  test('again and again, each time before another step, is made up for in the end', async () => {
    await fold.append([city(), earlierAlias('ada')]);
    await fold.tick();
    for (const step of steps.toReversed()) {
      await fold.append([earlierAlias(`user-${step}`)]);
      await expect(fold.tick({}, { onStep: dieBefore(step) })).rejects.toThrow('killed');
    }
    expect(await fold.tick()).toMatchObject({ kind: 'folded', mode: 'incremental' });
    expect(await userOfPhone()).toBe('user-count');
    await expectFolded();
  });
});

describe('ticks side by side', () => {
  test('fold once: one works, the others say that they are not needed', async () => {
    await fold.append([city(), earlierAlias('ada')]);
    const ticks = await Promise.all([1, 2, 3].map(() => fold.tick()));
    expect(ticks.map(({ kind }) => kind).sort()).toEqual(['busy', 'busy', 'folded']);
    expect(await userOfPhone()).toBe('ada');
    await expectFolded();
  });

  // Before each step that writes: the lease was checked just before.
  test.each<StepName>(['operations', 'bindings', 'persons', 'rows'])(
    'one of which slept over its lease before the step %s end with the right answer',
    async (step) => {
      await fold.append([city(), earlierAlias('ada')]);
      let now = Date.now();
      const sleeper = {
        now: () => now,
        withinMs: 7_200_000,
        async onStep(next: StepName) {
          if (next !== step) return;
          now += 3_600_000;
          await fold.append([earlierAlias('bob')]);
          expect(await fold.tick({}, { now: () => now })).toMatchObject({ kind: 'folded' });
          expect(await userOfPhone()).toBe('bob');
        },
      };
      expect(await fold.tick({}, sleeper)).toMatchObject({ kind: 'overtaken' });
      expect(await fold.tick({}, { now: () => now })).toMatchObject({
        kind: 'folded',
        mode: 'full',
        reason: 'two ticks ran at once',
      });
      expect(await userOfPhone()).toBe('bob');
      await expectFolded();
    },
  );
});

test('ticks over a random stream leave what one over all of it does, whatever comes late and whatever dies', async () => {
  const kinds = ['profile_set', 'profile_set_once', 'profile_increment', 'profile_unset', 'profile_delete'];
  const pick = <T>(values: readonly T[]): T => values[randomInt(values.length)] as T;
  const ids = (names: string) => pick([...names, undefined]);
  const operation = (): Operation => {
    const [device, user] = [ids('pqrs'), ids('uvw')];
    const kind = device !== undefined && user !== undefined && randomInt(3) === 0 ? 'alias' : pick(kinds);
    return {
      project: `${project}-${randomInt(2)}`,
      kind,
      dialect: pick(['analysys', 'tributary']),
      received_at: at - randomInt(5) * 24 * 60 * minuteMicros + randomInt(20) * minuteMicros,
      occurred_at: at - randomInt(1_000),
      ...(device !== undefined && { anonymous_id: device }),
      ...(user !== undefined && { user_id: user }),
      properties: JSON.stringify({ [pick([...'abcA'])]: pick([1, 2.5, 'x', null]) }),
    };
  };
  for (let round = 0; round < 6; round++) {
    await fold.append(Array.from({ length: 1 + randomInt(15) }, operation));
    if (round % 2 === 0) {
      // It may not come as far as that step.
      await fold.tick({}, { onStep: dieBefore(pick(steps)) }).catch(() => undefined);
    }
    await fold.tick();
    await expectFolded();
  }
  const [persons, bindings] = [await fold.persons(), await fold.bindings()];
  expect(await fold.tick({ full: true })).toMatchObject({ kind: 'folded', mode: 'full', queries: 9 });
  expect(await fold.persons()).toEqual(persons);
  expect(await fold.bindings()).toEqual(bindings);
});
