import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Operation, type StartedFold, startFold } from './start-for-test.ts';
import type { StepName } from './steps.ts';

const minuteMicros = 60_000_000;

let fold: StartedFold;
beforeAll(async () => {
  fold = await startFold();
  await fold.tick();
}, 60_000);
afterAll(() => fold.close());

const expectFolded = async () => expect(await fold.persons()).toEqual(await fold.profiles());

/** Minutes that no other test has rows in. */
let minutes = 0;
const nextMinute = () => (Math.floor(Date.now() / 60_000) - 4_000 + 10 * ++minutes) * minuteMicros;

const usual = (person: number) => person % 4 !== 0;
const value = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -5, max: 99 }).map(String) },
  fc.constantFrom('0.1', '2.50', '-0.000000001', '"x"', 'null', '[1,"y"]', '[]', '{"b":[0.1]}', 'true'),
);
/** Sums of these are more than JSON or NUMERIC hold. */
const bigValue = fc.constantFrom(
  '4e28',
  '-4e28',
  '1234567.123456789',
  '0.000000001',
  '99999999999999',
  '1e15',
);
const step = fc.record({
  person: fc.integer({ min: 0, max: 15 }),
  kind: fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom(
        'profile_set',
        'profile_set_once',
        'profile_increment',
        'profile_increment',
        'profile_append',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('profile_unset', 'profile_delete') },
    { weight: 2, arbitrary: fc.constant('alias') },
  ),
  key: fc.constantFrom('a', 'a', 'b', 'A'),
  value,
  bigValue,
  how: fc.oneof(
    { weight: 20, arbitrary: fc.constant('next') },
    fc.constantFrom('late', 'same time', 'copy', 'without time', 'other dialect', 'by device', 'debugged'),
    // Into a minute that is folded: the same row once more, or another one, the first copy of what is folded or new.
    fc.constantFrom('repeated', 'earlier copy', 'late in', 'late in'),
  ),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const deadly: readonly StepName[] = ['bindings', 'touched', 'operations', 'persons', 'rows'];

test('what is added to rows of persons gives what folding all anew gives, in any stream of ticks', async () => {
  let [carried, persons, runs] = [0, 0, 0];
  const property = fc.asyncProperty(
    fc.array(
      fc.record({
        steps: fc.array(step, { minLength: 15, maxLength: 20 }),
        diesBefore: fc.constantFrom(undefined, undefined, undefined, ...deadly),
      }),
      { minLength: 6, maxLength: 6 },
    ),
    async (ticks) => {
      const streams = createStreams(`project-${++runs}`);
      for (const { steps, diesBefore } of ticks) {
        const receivedAt = nextMinute();
        await fold.append(steps.map((one) => streams.operationOf(one, receivedAt)));
        if (diesBefore !== undefined) {
          const onStep = (next: StepName) => {
            if (next === diesBefore) throw new Error('killed');
          };
          // It may not come as far as that step, and leave nothing to do.
          const died = await fold.tick({}, { onStep }).catch(() => undefined);
          if (died !== undefined) continue;
        }
        const tick = await fold.tick();
        expect(tick).toMatchObject({ kind: 'folded', mode: 'incremental' });
        expect(tick.queries).toBeLessThanOrEqual(16);
        carried += tick.carried;
        persons += tick.persons;
        await expectFolded();
      }
    },
  );
  await fc.assert(property, { numRuns: 2, endOnFailure: true });
  // Neither way is seldom taken.
  expect(carried / persons).toBeGreaterThan(0.25);
  expect(carried / persons).toBeLessThan(0.9);
}, 300_000);

/** Operations of persons in the order in which they come in, most of them in the order in which they occurred. */
function createStreams(project: string) {
  const known = new Map<number, { clock: number; past: Operation[] }>();
  let events = 0;
  let devices = 0;
  return {
    operationOf({ person, kind, key, value, bigValue, how }: Step, receivedAt: number): Operation {
      const stream = known.get(person) ?? { clock: receivedAt - 5_000_000, past: [] };
      known.set(person, stream);
      const first = stream.past[0]?.occurred_at ?? receivedAt;
      const past = stream.past[stream.past.length >> 1];
      if (how === 'repeated' && past !== undefined) return past;
      const copied = how === 'copy' || how === 'earlier copy' ? past : undefined;
      const isLate = how === 'late' || how === 'same time';
      if (!isLate) stream.clock += 7_000 + (receivedAt - stream.clock > minuteMicros ? minuteMicros : 0);
      const isUser = person % 3 !== 0 || kind === 'alias';
      const dialect = person % 5 === 0 ? 'analysys' : 'tributary';
      const operation: Operation = {
        project,
        kind,
        event_id: copied?.event_id ?? `${project}-${++events}`.padEnd(32, '0'),
        dialect: how !== 'other dialect' || usual(person) ? dialect : 'growingio',
        batch_id: `${events}`.padStart(32, '0'),
        batch_index: 0,
        received_at: receivedIn(how, receivedAt, first, past),
        occurred_at: how === 'late' ? first + 1 : stream.clock,
        time_source: how === 'without time' ? 'received' : 'sender',
        debug: how === 'debugged' ? 1 : 0,
        ...(isUser && how !== 'by device' && { user_id: `user-${person}` }),
        ...(kind === 'alias' && { user_id: `user-${person}`, anonymous_id: deviceOf(person) }),
        ...((!isUser || how === 'by device') && { anonymous_id: `device-${person}` }),
        properties: `{"${key}":${usual(person) ? value : bigValue}}`,
      };
      stream.past.push(operation);
      return operation;
    },
  };
  function receivedIn(how: string, now: number, first: number, past: Operation | undefined): number {
    // Other than the order of occurring.
    if (how === 'same time') return first - minuteMicros;
    if (how === 'earlier copy' && past !== undefined) return past.received_at - 1;
    return how === 'late in' && past !== undefined ? past.received_at + 1 : now;
  }
  function deviceOf(person: number): string {
    // A device that did something by itself, or one never heard of.
    return devices++ % 2 === 0 ? `device-${person}` : `device-${person}-${devices}`;
  }
}

const user = (
  project: string,
  properties: object,
  receivedAt: number,
  rest: Partial<Operation> = {},
): Operation => ({
  project,
  kind: 'profile_increment',
  user_id: 'ada',
  received_at: receivedAt,
  properties: JSON.stringify(properties),
  ...rest,
});

test('to a row is added what was there when it was chosen, whatever comes in before it is written', async () => {
  const at = nextMinute();
  await fold.append([user('between', { n: 1 }, at)]);
  await fold.tick();
  await fold.append([user('between', { n: 2 }, at + minuteMicros)]);
  const expected = await fold.profiles();
  const onStep = async (step: string) => {
    if (step !== 'persons') return;
    await fold.append([
      user('between', { n: 4 }, at + minuteMicros + 1),
      user('between', { n: 8 }, at + minuteMicros, { occurred_at: at - 1, kind: 'profile_set' }),
    ]);
  };
  expect(await fold.tick({}, { onStep })).toMatchObject({ persons: 1, carried: 1 });
  expect(await fold.persons()).toEqual(expected);
  // What it has seen already comes again with the minute.
  expect(await fold.tick()).toMatchObject({ persons: 1, carried: 0 });
  await expectFolded();
});

test('a row that another tick has written meanwhile is left as it is', async () => {
  const at = nextMinute();
  await fold.append([user('meanwhile', { n: 1 }, at)]);
  await fold.tick();
  await fold.append([user('meanwhile', { n: 2 }, at + minuteMicros)]);
  let now = Date.now();
  const sleeper = {
    now: () => now,
    withinMs: 7_200_000,
    async onStep(step: string) {
      if (step !== 'persons') return;
      now += 3_600_000;
      expect(await fold.tick({}, { now: () => now })).toMatchObject({ kind: 'folded' });
    },
  };
  expect(await fold.tick({}, sleeper)).toMatchObject({ kind: 'overtaken' });
  await expectFolded();
  expect(await fold.tick()).toMatchObject({ kind: 'folded', mode: 'full' });
  await expectFolded();
});

test('to a user who gains a device is added what came in, unless the device had done something', async () => {
  const [project, at] = ['gains', nextMinute()];
  const by = (ids: Partial<Operation>, receivedAt: number, rest: Partial<Operation> = {}) =>
    user(project, { n: 1 }, receivedAt, { user_id: undefined, ...ids, ...rest });
  await fold.append([
    by({ anonymous_id: 'old phone' }, at),
    by({ user_id: 'ada' }, at),
    by({ user_id: 'bob' }, at),
  ]);
  expect(await fold.tick()).toMatchObject({ persons: 3, carried: 3 });
  const later = at + minuteMicros;
  await fold.append([
    by({ user_id: 'ada', anonymous_id: 'old phone' }, later, { kind: 'alias', properties: '{}' }),
    by({ user_id: 'bob', anonymous_id: 'new phone' }, later, { kind: 'alias', properties: '{}' }),
    by({ anonymous_id: 'new phone' }, later),
  ]);
  // Ada and her phone are folded anew; Bob's was nobody before.
  expect(await fold.tick()).toMatchObject({ persons: 3, carried: 1, bindings: 2 });
  await expectFolded();
});

test('a row that does not stand for all that led to it is not added to', async () => {
  const project = 'not-carried';
  const increment = (amount: string): Partial<Operation> => ({ properties: `{"n":${amount}}` });
  const set = (dialect: string, properties: string): Partial<Operation> => ({
    kind: 'profile_set',
    dialect,
    properties,
  });
  const copied = { event_id: 'c'.repeat(32) };
  // What each of some users does in each of three ticks.
  const users: Readonly<Record<string, readonly (readonly Partial<Operation>[])[]>> = {
    plain: [[increment('1')], [increment('2')], [increment('0.5')]],
    'a copy': [[{ ...increment('1'), ...copied }], [{ ...increment('2'), ...copied }], [increment('4')]],
    'another dialect': [[set('analysys', '{"A":1}')], [set('tributary', '{"a":2}')], []],
    'two dialects': [
      [set('analysys', '{"A":1}'), set('tributary', '{"B":1}')],
      [set('analysys', '{"b":3}')],
      [],
    ],
    'big amounts': [[increment('4e28')], [increment('-4e28')], [increment('5e28')]],
    'a long sum': [[increment('123456789012.1')], [increment('0.123456789')], [increment('-123456789012')]],
    'no time': [[increment('1')], [{ ...increment('2'), time_source: 'received' }], []],
  };
  const carried: number[] = [];
  const at = nextMinute();
  for (const place of [0, 1, 2]) {
    const receivedAt = at + place * minuteMicros;
    const operations = Object.entries(users).flatMap(([name, ticks]) =>
      (ticks[place] ?? []).map((operation) => user(project, {}, receivedAt, { user_id: name, ...operation })),
    );
    await fold.append(operations);
    carried.push((await fold.tick()).carried);
    await expectFolded();
  }
  // All but the one of two dialects, who begin with nothing; then plain and the sum; then plain and, once more, the copied.
  expect(carried).toEqual([6, 2, 2]);
}, 60_000);
