import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../test/proofs/random.ts';
import { type AliasRow, bind } from '../../test/reference/bind.ts';
import { type Operation, type StartedFold, settingsOf, startFold } from './start-for-test.ts';
import type { StepName } from './steps.ts';

const minuteMicros = 60_000_000;
const at = (Math.floor(Date.now() / 60_000) - 600) * minuteMicros;
const settings = settingsOf({
  projects: {
    one: { identity: { policy: 'one_to_one' } },
    received: { identity: { policy: 'one_to_one', order: 'received_at' } },
    many: { identity: { policy: 'devices_to_one_user' } },
  },
});

let fold: StartedFold;
beforeAll(async () => {
  fold = await startFold();
  await fold.tick({ settings });
}, 60_000);
afterAll(() => fold.close());

let made = 0;
/** An alias at a minute, by default of a project of its own. */
const alias = (
  project: string,
  device: string,
  user: string,
  minute: number,
  rest: Partial<Operation> = {},
) => ({
  project,
  kind: 'alias',
  dialect: 'tributary',
  anonymous_id: device,
  user_id: user,
  event_id: (++made).toString(16).padStart(32, '0'),
  batch_id: made.toString(16).padStart(32, '0'),
  batch_index: 0,
  debug: 0,
  received_at: at + minute * minuteMicros,
  occurred_at: at + minute * minuteMicros,
  ...rest,
});

/** Every alias that was appended. */
const log: AliasRow[] = [];
async function append(rows: readonly ReturnType<typeof alias>[]): Promise<void> {
  log.push(
    ...rows.map(({ anonymous_id = null, user_key = null, user_id = null, ...row }) => ({
      ...row,
      anonymous_id,
      user_key,
      user_id,
    })),
  );
  await fold.append(rows);
}

/** A tick, and whether it carried bindings on, decided all anew, or did neither. */
async function tick() {
  const steps: StepName[] = [];
  const done = await fold.tick({ settings }, { onStep: (step) => void steps.push(step) });
  const way = steps.includes('plan') ? 'anew' : steps.includes('bindings') ? 'carried on' : 'neither';
  return { ...done, way };
}

const bound = async (project: string): Promise<string[]> =>
  (await fold.bindings())
    .filter((row) => row.project === project)
    .map((row) => `${row.anonymous_id} ${row.user_id}`);

const stored = (table: string, columns: string) =>
  fold.query(`SELECT ${columns} FROM ${table} ORDER BY project, anonymous_id, user_id, user_key`);
const pairs = () => stored('identity_pairs', '*');
const bindings = () => stored('identity_bindings', '*');

describe('bindings', () => {
  test('are carried on where a new device logs in, and a log-in that comes again touches nothing', async () => {
    await append([alias('one', 'd1', 'ada', 1), alias('one', 'd2', 'bob', 2)]);
    expect(await tick()).toMatchObject({ way: 'carried on', bindings: 2, mode: 'incremental' });
    await append([
      alias('one', 'd1', 'ada', 5),
      alias('one', 'd2', 'bob', 1, { occurred_at: at + 9 * minuteMicros }),
    ]);
    expect(await tick()).toMatchObject({ way: 'neither', bindings: 0 });
    // Both are bound: nothing changes, and nothing has to be decided anew.
    await append([alias('one', 'd1', 'bob', 12), alias('one', 'd3', 'ada', 13)]);
    expect(await tick()).toMatchObject({ way: 'neither', bindings: 0 });
    expect(await bound('one')).toEqual(['d1 ada', 'd2 bob']);
    // Each contested by a pair that lost.
    await append([alias('one', 'd3', 'cleo', 20)]);
    expect(await tick()).toMatchObject({ way: 'carried on', bindings: 1 });
    expect(await bound('one')).toEqual(['d1 ada', 'd2 bob', 'd3 cleo']);
  });

  test('are decided anew where an alias comes that happened before one of its device or user', async () => {
    await append([alias('many', 'd1', 'ada', 20), alias('many', 'd2', 'ada', 21)]);
    expect(await tick()).toMatchObject({ way: 'carried on', bindings: 2 });
    await append([alias('many', 'd3', 'ada', 10)]);
    expect(await tick()).toMatchObject({ way: 'carried on', bindings: 1 });
    await append([alias('many', 'd1', 'bob', 12)]);
    expect(await tick()).toMatchObject({ way: 'anew', bindings: 1 });
    expect(await bound('many')).toEqual(['d1 bob', 'd2 ada', 'd3 ada']);
    // The same pair, earlier: only since when it is bound changes.
    const first = alias('many', 'd2', 'ada', 5);
    await append([first]);
    expect(await tick()).toMatchObject({ way: 'carried on', bindings: 0 });
    expect((await bindings()).map(({ event_id }) => event_id)).toContain(first.event_id);
    // But one whose device another pair claims too is decided anew.
    await append([alias('many', 'd1', 'ada', 2)]);
    expect(await tick()).toMatchObject({ way: 'anew', bindings: 1 });
    expect(await bound('many')).toEqual(['d1 ada', 'd2 ada', 'd3 ada']);
  });

  test('are decided anew with the first alias of Analysys in a project', async () => {
    await append([alias('mixed', 'd1', 'ada', 20), alias('mixed', 'd2', 'ada', 21)]);
    expect(await tick()).toMatchObject({ way: 'carried on', bindings: 2 });
    await append([alias('mixed', 'd9', 'zoe', 30, { dialect: 'analysys' })]);
    expect(await tick()).toMatchObject({ way: 'anew', bindings: 2 });
    expect(await bound('mixed')).toEqual(['d1 ada', 'd9 zoe']);
    await append([alias('mixed', 'd3', 'ada', 31)]);
    expect(await tick()).toMatchObject({ way: 'neither', bindings: 0 });
  });

  test('are decided anew by the tick after one that died over them', async () => {
    await append([alias('one', 'e1', 'eve', 40)]);
    const dies = (next: StepName) => {
      if (next === 'bindings') throw new Error('killed');
    };
    await expect(fold.tick({ settings }, { onStep: dies })).rejects.toThrow('killed');
    expect(await bound('one')).not.toContain('e1 eve');
    expect(await tick()).toMatchObject({ way: 'anew', bindings: 1 });
    expect(await bound('one')).toContain('e1 eve');
  });
});

test('after each tick of a random stream bindings are what the reference has, whichever way they came', async () => {
  const random = createRandom(11);
  const whole = (below: number) => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[whole(values.length)] as T;
  const projects = ['one', 'received', 'many', 'default', 'analysys'];
  const rows: ReturnType<typeof alias>[] = [];
  const ways: string[] = [];
  const rulesOf = (project: string) => settings.projects[project]?.identity ?? {};
  for (let number = 0; number < 14; number++) {
    const late = whole(3) === 0;
    const arrived = Array.from({ length: 1 + whole(6) }, () => {
      if (rows.length > 0 && whole(6) === 0) return pick(rows);
      const project = pick(projects);
      const now = 60 + 3 * number + whole(3) - (late ? whole(40) : 0);
      return alias(`${project}`, `d${whole(14)}`, `u${whole(14)}`, now, {
        dialect: project === 'analysys' ? 'analysys' : pick(['tributary', 'segment']),
        ...(whole(3) === 0 && { user_key: 'email' }),
        ...(whole(4) === 0 && { occurred_at: at + (now - 1) * minuteMicros }),
      });
    });
    rows.push(...arrived);
    await append(arrived);
    await fold.append(
      arrived.map(({ user_id: _, ...row }) => ({
        ...row,
        kind: 'profile_set',
        event_id: `f${row.event_id.slice(1)}`,
        properties: JSON.stringify({ [row.event_id.slice(-1) < '8' ? 'a' : 'b']: row.event_id }),
      })),
    );
    ways.push((await tick()).way);
    const expected = bind(log, rulesOf);
    expect(
      (await bindings()).map((row) => [
        row.project,
        row.anonymous_id,
        row.user_key,
        row.user_id,
        row.event_id,
      ]),
    ).toEqual(
      expected.map((row) => [row.project, row.anonymous_id, row.user_key, row.user_id, row.event_id]),
    );
    expect(await fold.persons()).toEqual(await fold.profiles());
  }
  expect(ways.filter((way) => way === 'carried on').length).toBeGreaterThan(5);
  expect(ways).toContain('anew');
  const before = [await pairs(), await bindings()];
  expect(await fold.tick({ settings, full: true })).toMatchObject({ kind: 'folded', mode: 'full' });
  expect([await pairs(), await bindings()]).toEqual(before);
});
