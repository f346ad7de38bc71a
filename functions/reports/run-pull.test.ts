import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OrderedSlice, PullOrder } from './pull-order.ts';
import {
  createTinyService,
  deferral,
  orderSlice,
  tinyEntity,
  tinyReport,
  tinyRow,
} from './service-for-test.ts';
import type { Failure } from './services/service.ts';
import { type StartedReports, startReports } from './start-for-test.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const keys = ['summary', 'countries', 'devices', 'social', 'sources', 'articles', 'pages'];

let reports: StartedReports;
let tiny: ReturnType<typeof createTinyService>;
let property: string;
let date: string;
let tests = 0;

beforeAll(async () => {
  reports = await startReports({ nowMs: 0 });
}, 60_000);
afterAll(() => reports.close());
beforeEach(() => {
  property = `p${++tests}`;
  date = '2026-03-05';
  reports.clock.nowMs = Date.parse('2026-03-06T07:00:00Z');
  reports.logged.length = 0;
  tiny = createTinyService(
    [tinyEntity(property)],
    keys.map((key) => tinyReport(key, [property])),
  );
});

const ordered = (report: string, given: Partial<OrderedSlice> = {}) =>
  orderSlice({ entityId: property, report, date, ...given });
const orderOf = (...slices: OrderedSlice[]): PullOrder => ({
  version: 1,
  source: 'tiny',
  probeGroup: property,
  slices,
});
const pull = (...slices: OrderedSlice[]) => reports.pull(orderOf(...slices), { services: [tiny.service] });
const current = async () => (await reports.current()).filter((line) => line.includes(` ${property} `));
const of = (report: string, table: string, columns: string) =>
  reports.query(
    `SELECT ${columns} FROM ${table} WHERE entity_id = '${property}' AND report = '${report}' ORDER BY 1 DESC`,
  );
const failure = (given: Partial<Failure>): Failure => ({ ...deferral(reports.clock.nowMs), ...given });

describe('a pull', () => {
  test('publishes each slice under an attempt of its own, five reports a batch', async () => {
    const result = await pull(...keys.map((key) => ordered(key)));
    expect(result).toEqual({
      kind: 'done',
      pulled: 7,
      rows: 14,
      restated: 0,
      skipped: 0,
      deferred: 0,
      failed: 0,
    });
    expect(tiny.seen.batches.map((batch) => batch.length)).toEqual([5, 2]);
    expect(await current()).toHaveLength(14);
    const [row] = await of(
      'summary',
      'report_slices',
      `attempt_id, seq, row_count, reconciled, flags, rule, time_zone,
      ladder_day, JSON_VALUE(totals, '$.views') AS views, JSON_VALUE(api_totals, '$.users') AS users, requests, tokens`,
    );
    expect(row).toEqual({
      attempt_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      seq: 1,
      row_count: 2,
      reconciled: true,
      flags: [],
      rule: 'R1_full',
      time_zone: 'Etc/UTC',
      ladder_day: 1,
      views: '12',
      users: '3',
      requests: 1,
      tokens: 10,
    });
  });

  test('keeps integers exact, however large', async () => {
    tiny.truth.rows = () => [tinyRow('IE', 9_007_199_254_740_993n)];
    await pull(ordered('summary'));
    expect(await current()).toEqual([`summary ${property} ${date} IE 9007199254740993`]);
    tiny.truth.rows = () => [tinyRow('IE', 9_007_199_254_740_994n)];
    expect(await pull(ordered('summary', { ladderDay: 2 }))).toMatchObject({ restated: 1 });
    expect(await of('summary', 'report_changes', 'abs_delta')).toEqual([{ abs_delta: 1 }]);
  });

  test('of a day without anything publishes a true zero', async () => {
    tiny.truth.rows = () => [];
    expect(await pull(ordered('summary', { rule: 'R4_zero' }))).toMatchObject({ pulled: 1, rows: 0 });
    expect(await of('summary', 'report_slices', 'row_count, rule')).toEqual([
      { row_count: 0, rule: 'R4_zero' },
    ]);
    expect(await current()).toEqual([]);
  });

  test('carries the flags of the day, as forced', async () => {
    await pull(ordered('summary', { rule: 'R5_forced', flags: ['forced'] }));
    expect(await of('summary', 'report_current', 'DISTINCT ARRAY_TO_STRING(flags, ",") AS flags')).toEqual([
      { flags: 'forced' },
    ]);
  });

  test('that is delivered again, or late, does nothing', async () => {
    await pull(ordered('summary', { ladderDay: 7 }));
    expect(await pull(ordered('summary', { ladderDay: 7 }))).toMatchObject({
      kind: 'done',
      pulled: 0,
      skipped: 1,
    });
    expect(await pull(ordered('summary', { ladderDay: 1 }))).toMatchObject({
      kind: 'done',
      pulled: 0,
      skipped: 1,
    });
    expect(tiny.seen.batches).toHaveLength(1);
  });

  test('of what the configuration has no more does nothing', async () => {
    expect(await pull(ordered('gone'), ordered('summary', { entityId: 'gone' }))).toMatchObject({
      kind: 'done',
      skipped: 2,
    });
    const order = { ...orderOf(ordered('summary')), source: 'gone' };
    expect(await reports.pull(order)).toMatchObject({ kind: 'done', skipped: 1 });
  });

  test('writes every call down, with its tokens', async () => {
    await pull(...keys.map((key) => ordered(key)));
    const rows = await reports.query(`
      SELECT method, ARRAY_LENGTH(reports) AS reports, tokens, status FROM api_calls
      WHERE probe_group = '${property}' ORDER BY reports DESC`);
    expect(rows).toEqual([
      { method: 'pull', reports: 5, tokens: 50, status: 200 },
      { method: 'pull', reports: 2, tokens: 20, status: 200 },
    ]);
  });
});

describe('a slice that is read again', () => {
  test('is replaced whole: a row that vanished is gone, and every difference is written down', async () => {
    tiny.truth.rows = () => [tinyRow('IE', 100), tinyRow('NO', 50, 2), tinyRow('SE', 1)];
    await pull(ordered('summary'));
    const instant = new Date(reports.clock.nowMs + 1).toISOString();
    reports.clock.nowMs += 2 * dayMs;
    tiny.truth.rows = () => [tinyRow('IE', 130), tinyRow('NO', 50, 2), tinyRow('PL', 4)];
    expect(await pull(ordered('summary', { ladderDay: 2 }))).toMatchObject({ pulled: 1, restated: 1 });
    expect(await current()).toEqual(
      ['IE 130', 'NO 50', 'PL 4'].map((line) => `summary ${property} ${date} ${line}`),
    );
    expect(
      await of(
        'summary',
        'report_changes',
        'metric, before, after, abs_delta, rows_added, rows_removed, rows_changed, is_large, age_days, seq',
      ),
    ).toEqual([
      {
        metric: 'views',
        before: 151,
        after: 184,
        abs_delta: 35,
        rows_added: 1,
        rows_removed: 1,
        rows_changed: 1,
        is_large: true,
        age_days: 2,
        seq: 2,
      },
      {
        metric: 'users',
        before: null,
        after: null,
        abs_delta: 2,
        rows_added: 1,
        rows_removed: 1,
        rows_changed: 0,
        is_large: true,
        age_days: 2,
        seq: 2,
      },
    ]);
    const before = await of(
      'summary',
      `report_as_of(TIMESTAMP '${instant}')`,
      "JSON_VALUE(metrics, '$.views') AS views",
    );
    expect(before.map(({ views }) => views).sort()).toEqual(['1', '100', '50']);
  });

  test('and is the same leaves no difference', async () => {
    await pull(ordered('summary'));
    expect(await pull(ordered('summary', { ladderDay: 2 }))).toMatchObject({ pulled: 1, restated: 0 });
    expect(
      await of('summary', 'report_slices', 'seq, ladder_day, previous_attempt_id IS NULL AS is_first'),
    ).toEqual([{ seq: 2, ladder_day: 2, is_first: false }]);
  });

  test('and has changed much gets a step between those of the ladder', async () => {
    await pull(ordered('summary'));
    reports.clock.nowMs += 6 * dayMs + 17 * hourMs;
    tiny.truth.rows = () => [tinyRow('IE', 6)];
    await pull(ordered('summary', { ladderDay: 7 }));
    expect(await of('summary', 'report_slices', 'extra_day')).toEqual([{ extra_day: 14 }]);
  });

  test('under another definition of its report is not compared', async () => {
    await pull(ordered('summary'));
    tiny = createTinyService([tinyEntity(property)], [tinyReport('summary', [property], { hash: 'h2' })]);
    tiny.truth.rows = () => [tinyRow('IE', 1)];
    expect(await pull(ordered('summary', { ladderDay: 2 }))).toMatchObject({ pulled: 1, restated: 0 });
  });
});

describe('what an API refuses', () => {
  test('in one report breaks that report, is told once, and is not asked again until it is configured otherwise', async () => {
    tiny.truth.failPull = ({ report }) =>
      report.key === 'countries'
        ? failure({ kind: 'broken_report', reason: 'invalid_argument', notBefore: null, alert: true })
        : undefined;
    for (const ladderDay of [1, 2, 3]) {
      await pull(ordered('summary', { ladderDay }), ordered('countries', { ladderDay }));
    }
    expect(tiny.seen.batches.map((batch) => batch.map(({ report }) => report.key))).toEqual([
      ['summary', 'countries'],
      ['summary'],
      ['summary'],
    ]);
    expect(reports.logged.filter(({ severity }) => severity === 'ERROR')).toHaveLength(1);
    tiny = createTinyService([tinyEntity(property)], [tinyReport('countries', [property], { hash: 'h2' })]);
    expect(await pull(ordered('countries'))).toMatchObject({ pulled: 1 });
  });

  test('of one property stops that property', async () => {
    const other = `${property}-other`;
    tiny = createTinyService(
      [tinyEntity(property, 'owner'), tinyEntity(other, 'owner')],
      [tinyReport('summary', [property, other])],
    );
    tiny.truth.failPull = ({ entity }) =>
      entity.entityId === property
        ? failure({ kind: 'stopped_entity', reason: 'permission_denied', notBefore: null, alert: true })
        : undefined;
    const both = (ladderDay: number) =>
      pull(ordered('summary', { ladderDay }), ordered('summary', { ladderDay, entityId: other }));
    expect(await both(1)).toMatchObject({ kind: 'done', pulled: 1, failed: 1 });
    expect(await both(2)).toMatchObject({ kind: 'done', pulled: 1, deferred: 1 });
    expect(reports.logged).toMatchObject([
      { severity: 'ERROR', entity_id: property, reason: 'permission_denied' },
    ]);
  });

  test('for now has the order come again', async () => {
    tiny.truth.failPull = ({ report }) =>
      report.key === 'countries'
        ? failure({ kind: 'transient', reason: 'backend_error', notBefore: null })
        : undefined;
    expect(await pull(ordered('summary'), ordered('countries'))).toMatchObject({
      kind: 'unfinished',
      pulled: 1,
      failed: 1,
    });
    tiny.truth.failPull = () => undefined;
    expect(await pull(ordered('summary'), ordered('countries'))).toMatchObject({
      kind: 'done',
      pulled: 1,
      skipped: 1,
    });
  });
});
