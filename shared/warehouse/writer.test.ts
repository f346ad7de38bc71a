import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { badRow, createScriptedAppendClient, type Step } from './scripted-append-client.ts';
import { type AppendedTable, createWriter, type WriterLimits } from './writer.ts';

const quick: Partial<WriterLimits> = {
  // Longer than a busy machine may take: only where a script says nothing it is waited for, with `impatient`.
  appendTimeoutMs: 60_000,
  firstRetryDelayMs: 1,
  longestRetryDelayMs: 5,
  lingerMs: 5,
};

const impatient: Partial<WriterLimits> = { appendTimeoutMs: 500 };

function start(script: readonly Step[] = [], limits: Partial<WriterLimits> = {}) {
  const server = createScriptedAppendClient(script);
  const retries: string[] = [];
  const writer = createWriter({
    client: server.client,
    project: 'p',
    dataset: 'd',
    limits: { ...quick, ...limits },
    onRetry: ({ detail }) => retries.push(detail),
  });
  const append = (rows: readonly (string | Buffer)[], { table = 'event_log', forMs = 60_000 }: Given = {}) =>
    writer.append(
      table,
      1,
      rows.map((row) => Buffer.from(row)),
      Date.now() + forMs,
    );
  return { ...server, writer, append, retries };
}
type Given = { table?: AppendedTable; forMs?: number };

const appended = { kind: 'appended', refused: [] };

describe('appending', () => {
  test('acknowledges rows once the server has', async () => {
    const { append, stored, seen } = start();
    expect(await append(['a', 'b'])).toEqual(appended);
    expect(stored).toEqual(['a', 'b']);
    expect(seen).toEqual([{ rows: ['a', 'b'], hasSchema: true, stream: 1 }]);
  });

  test('asks nothing of the server for no rows', async () => {
    const { append, seen } = start();
    expect(await append([])).toEqual(appended);
    expect(seen).toEqual([]);
  });

  test('sends the schema once per stream', async () => {
    const { append, seen } = start([{ do: 'store' }, { do: 'store' }, { do: 'break', code: 14 }]);
    for (const row of ['a', 'b', 'c']) await append([row]);
    expect(seen.map(({ hasSchema, stream }) => [hasSchema, stream])).toEqual([
      [true, 1],
      [false, 1],
      [false, 1],
      [true, 2],
    ]);
  });

  test('sends the first rows at once and lets the next share an append', async () => {
    const { append, seen } = start([{ do: 'store_late', afterMs: 20 }], { lingerMs: 10 });
    await Promise.all(['a', 'b', 'c', 'd'].map((row) => append([row])));
    expect(seen.map(({ rows }) => rows)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test('sends a full batch without waiting, and never more appends at once than allowed', async () => {
    const script: Step[] = Array.from({ length: 6 }, () => ({ do: 'store_late', afterMs: 5 }));
    const { append, seen, stored, mostInFlight } = start(script, { maxBatchBytes: 30, maxInFlight: 2 });
    const rows = Array.from({ length: 12 }, (_, index) => `row ${index}`);
    await Promise.all(rows.map((row) => append([row])));
    expect(stored.toSorted()).toEqual(rows.toSorted());
    expect(mostInFlight()).toBe(2);
    expect(seen.every(({ rows }) => rows.length <= 3)).toBe(true);
  });

  test('cuts what is larger than an append into several', async () => {
    const { append, seen, stored } = start([], { maxBatchBytes: 20 });
    expect(await append(['aaaaaaaa', 'bbbbbbbb', 'cccccccc'])).toEqual(appended);
    expect(seen).toHaveLength(3);
    expect(stored).toEqual(['aaaaaaaa', 'bbbbbbbb', 'cccccccc']);
  });

  test('keeps tables apart', async () => {
    const { append, seen } = start();
    await Promise.all([append(['a']), append(['b'], { table: 'state_log' })]);
    expect(seen.map(({ stream }) => stream)).toEqual([1, 2]);
  });

  test('refuses a schema version that it has no descriptor for', async () => {
    const { writer } = start();
    const outcome = await writer.append('event_log', 99, [Buffer.from('a')], Date.now() + 1_000);
    expect(outcome).toEqual({ kind: 'unknown_schema_version' });
  });
});

describe('refused rows', () => {
  test('are taken out, and the rest is stored', async () => {
    const { append, stored } = start();
    const outcomes = await Promise.all([append(['a']), append(['b', badRow('1'), 'c']), append(['d'])]);
    expect(outcomes).toEqual([
      appended,
      {
        kind: 'appended',
        refused: [{ row: badRow('1'), reason: 'refused_by_bigquery', detail: 'refused bad 1' }],
      },
      appended,
    ]);
    expect(stored).toEqual(['a', 'b', 'c', 'd']);
  });

  test('may be all there are', async () => {
    const { append, stored, seen } = start();
    expect(await append([badRow('1'), badRow('2')])).toMatchObject({ refused: [{}, {}] });
    expect(stored).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  test('include a row that no append can hold', async () => {
    const { append, stored } = start([], { maxRowBytes: 3 });
    expect(await append(['long row', 'ok'])).toMatchObject({ refused: [{ reason: 'row_too_large' }] });
    expect(stored).toEqual(['ok']);
  });

  test('are found by halving where the server names a date but no row', async () => {
    const message = 'The value 1 for field occurred_at is outside the allowed bounds.';
    const outside: Step = { do: 'answer_error', code: 3, message };
    const { append, stored } = start([outside, { do: 'store' }, outside, outside, { do: 'store' }]);
    expect(await append(['a', 'b', 'c', 'd'])).toEqual({
      kind: 'appended',
      refused: [{ row: Buffer.from('c'), reason: 'refused_by_bigquery', detail: message }],
    });
    expect(stored).toEqual(['a', 'b', 'd']);
  });
});

describe('transient failures', () => {
  test.each<Step>([
    { do: 'break', code: 14 },
    { do: 'break', code: 10 },
    { do: 'break', code: 13 },
    { do: 'break', code: 2 },
    { do: 'end' },
    { do: 'say_nothing' },
    { do: 'answer_nothing' },
    { do: 'answer_error', code: 8 },
    { do: 'answer_error', code: 1 },
    { do: 'fail_to_open' },
  ])('of the kind %o are retried on a new stream', async (step) => {
    const limits = step.do === 'say_nothing' ? impatient : {};
    const { append, stored, seen, retries } = start([step], limits);
    expect(await append(['a'])).toEqual(appended);
    expect(stored).toEqual(['a']);
    expect(retries).toHaveLength(1);
    expect(seen.at(-1)?.hasSchema).toBe(true);
  });

  test('may leave a copy, never a gap', async () => {
    const script: Step[] = [{ do: 'store_then_break' }, { do: 'store_then_say_nothing' }];
    const { append, stored } = start(script, impatient);
    expect(await append(['a'])).toEqual(appended);
    expect(stored).toEqual(['a', 'a', 'a']);
  });

  test('are given up when the time is over', async () => {
    const script: Step[] = Array.from({ length: 1_000 }, () => ({ do: 'break', code: 14 }));
    const { append } = start(script);
    expect(await append(['a'], { forMs: 200 })).toEqual({
      kind: 'failed',
      permanent: false,
      code: 14,
      detail: 'scripted 14',
    });
  });

  test('of an append do not hold back for ever what waits behind it', async () => {
    const script: Step[] = Array.from({ length: 1_000 }, () => ({ do: 'say_nothing' }));
    const { append } = start(script, { maxInFlight: 1, appendTimeoutMs: 10_000 });
    const order: string[] = [];
    const first = append(['a'], { forMs: 400 }).then(() => order.push('a'));
    const second = await append(['b'], { forMs: 100 });
    order.push('b');
    expect(second).toMatchObject({ kind: 'failed', permanent: false });
    await first;
    expect(order).toEqual(['b', 'a']);
  });

  test('never let a late answer stand for other rows', async () => {
    const { append, stored } = start([{ do: 'store_late', afterMs: 150 }, { do: 'say_nothing' }]);
    expect(await append(['a'], { forMs: 100 })).toMatchObject({ kind: 'failed' });
    expect(await append(['b'], { forMs: 100 })).toMatchObject({ kind: 'failed' });
    expect(stored).toEqual(['a']);
  });

  test('of an answer too many end the stream', async () => {
    const { append, seen } = start([{ do: 'answer_twice' }]);
    await append(['a']);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await append(['b']);
    expect(seen.map(({ stream }) => stream)).toEqual([1, 2]);
  });
});

describe('permanent failures', () => {
  test.each([5, 7, 9, 3])('with code %i fail the append and are not retried', async (code) => {
    const { append, seen } = start([{ do: 'answer_error', code }]);
    expect(await append(['a', 'b'])).toMatchObject({ kind: 'failed', permanent: true, code });
    expect(seen).toHaveLength(1);
  });

  test('of invalid rows fail only those who sent them', async () => {
    const invalid: Step = { do: 'answer_error', code: 3 };
    const { append } = start([{ do: 'store' }, invalid, { do: 'store' }, invalid, { do: 'store' }]);
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((row) => append([row])));
    expect(outcomes).toMatchObject([appended, appended, { kind: 'failed', permanent: true }, appended]);
  });
});

describe('bounds', () => {
  test('refuse what would fill the memory, and take again once there is room', async () => {
    const { append } = start([{ do: 'store_late', afterMs: 20 }], { maxPendingBytes: 20 });
    const first = append(['0123456789']);
    expect(await append(['0123456789'])).toEqual({ kind: 'full' });
    await first;
    expect(await append(['0123456789'])).toEqual(appended);
  });

  test('of nothing at all are a mistake', () => {
    expect(() => start([], { maxInFlight: 0 })).toThrow('maxInFlight must be more than 0');
  });
});

test('closing finishes what was taken and takes nothing more', async () => {
  const { append, writer, stored } = start([{ do: 'store_late', afterMs: 20 }], { lingerMs: 10_000 });
  const taken = [append(['a']), append(['b'])];
  const closing = writer.close();
  expect(await append(['c'])).toEqual({ kind: 'full' });
  expect(await Promise.all(taken)).toEqual([appended, appended]);
  await closing;
  expect(stored).toEqual(['a', 'b']);
});

test('whatever the server does, what is acknowledged is stored or was refused, and everything is answered', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>({ do: 'store' }) },
    fc.constantFrom<Step>(
      { do: 'store_late', afterMs: 3 },
      { do: 'store_late', afterMs: 25 },
      { do: 'store_then_break' },
      { do: 'store_then_say_nothing' },
      { do: 'say_nothing' },
      { do: 'end' },
      { do: 'answer_nothing' },
      { do: 'answer_twice' },
      { do: 'fail_to_open' },
      { do: 'answer_error', code: 3, message: 'outside the allowed bounds' },
    ),
    fc.integer({ min: 1, max: 16 }).map((code): Step => ({ do: 'break', code })),
    fc.integer({ min: 1, max: 16 }).map((code): Step => ({ do: 'answer_error', code })),
  );
  const message = fc.record({
    rows: fc.array(fc.boolean(), { maxLength: 5 }),
    afterMs: fc.integer({ min: 0, max: 15 }),
    table: fc.constantFrom<AppendedTable>('event_log', 'state_log'),
  });
  const limits = fc.record({
    maxBatchBytes: fc.constantFrom(10, 60, 5_000),
    maxInFlight: fc.integer({ min: 1, max: 3 }),
    maxPendingBytes: fc.constantFrom(60, 10_000),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.array(message, { minLength: 1, maxLength: 12 }),
      limits,
      async (script, messages, given) => {
        const { append, stored, writer } = start(script, { ...given, appendTimeoutMs: 15, lingerMs: 2 });
        const outcomes = await Promise.all(
          messages.map(async ({ rows, afterMs, table }, number) => {
            await new Promise((resolve) => setTimeout(resolve, afterMs));
            const sent = rows.map((isGood, index) => (isGood ? 'good' : 'bad ').concat(`${number}/${index}`));
            return { sent, outcome: await append(sent, { table, forMs: 150 }) };
          }),
        );
        await writer.close();
        for (const { sent, outcome } of outcomes) {
          if (outcome.kind !== 'appended') continue;
          const refused = new Map(
            outcome.refused.map(({ row, detail }) => [Buffer.from(row).toString(), detail]),
          );
          for (const row of sent) {
            const detail = refused.get(row);
            if (detail === undefined) expect(stored).toContain(row);
            else expect([`refused ${row}`, 'outside the allowed bounds']).toContain(detail);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});
