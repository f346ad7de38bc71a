import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { sorted } from './captured.ts';
import { analysysCaptured, countedEvents, debugOf, sentEvents } from './captured-analysys.ts';
import { growingioCaptured, sentElements } from './captured-growingio.ts';
import { sendCapture } from './replay-captures.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// Every request that was recorded from a real SDK, sent three times, while Pub/Sub delivers one message in three again
// although it was acknowledged.
const folder = mkdtempSync(join(tmpdir(), 'tributary-captures-'));
let cloud: LocalCloud;
let warehouse: Warehouse;

beforeAll(async () => {
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load'],
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
  for (const { requests, success } of [analysysCaptured, growingioCaptured]) {
    for (const capture of [...requests, ...requests, ...requests]) {
      const answer = await sendCapture(cloud.urls.ingest, capture);
      if (answer.status !== success.status || answer.body !== success.body) {
        throw new Error(`${capture.file} ${capture.path} was answered ${answer.status} ${answer.body}`);
      }
    }
  }
  await untilDelivered(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each([analysysCaptured, growingioCaptured])('the captures of $vendor', (captured) => {
  const { dialect, columns, rebuild } = captured;
  const rowsOf = (table: string, where = 'TRUE') =>
    warehouse.query(`SELECT ${columns} FROM ${table} WHERE dialect = '${dialect}' AND ${where}`);

  test('are in events exactly once, value for value, as far as they are counted', async () => {
    expect(sorted((await rowsOf('events')).map(rebuild))).toEqual(sorted(captured.counted));
  });

  test('are in event_log at least three times each, and every state operation in state_log too', async () => {
    const rows = await rowsOf('event_log');
    expect(rows.length).toBeGreaterThanOrEqual(3 * captured.leastCopies);
    const once = new Map(rows.map((row) => [String(row.event_id), row]));
    expect(sorted([...once.values()].map(rebuild))).toEqual(sorted(captured.all));
    const state = await rowsOf('state_log', captured.stateWhere);
    const stateOnce = new Map(state.map((row) => [String(row.event_id), row]));
    expect(sorted([...stateOnce.values()].map(rebuild))).toEqual(sorted(captured.state));
  });
});

test('captures leave nothing in quarantine, and nothing in another dialect', async () => {
  expect(await warehouse.number('SELECT COUNT(*) FROM quarantine_open')).toBe(0);
  const dialects = await warehouse.query('SELECT DISTINCT dialect FROM event_log ORDER BY dialect');
  expect(dialects).toEqual([{ dialect: 'analysys' }, { dialect: 'growingio' }]);
});

describe('the captures of Analysys', () => {
  const { columns, rebuild } = analysysCaptured;

  test('hold what they are said to hold', () => {
    expect(analysysCaptured.requests.length).toBeGreaterThan(40);
    expect(sentEvents.length - analysysCaptured.state.length).toBeGreaterThan(10);
  });

  test('are in events_debug exactly once where they were sent to be shown', async () => {
    const rows = await warehouse.query(`SELECT ${columns} FROM events_debug`);
    expect(sorted(rows.map(rebuild))).toEqual(sorted(sentEvents.filter((event) => debugOf(event) !== 0)));
  });

  test('tell who, on what and with which SDK in columns of their own', async () => {
    for (const row of await warehouse.query(`SELECT ${columns} FROM event_log WHERE dialect = 'analysys'`)) {
      const context = JSON.parse(String(row.context));
      expect([row.platform, row.sdk, row.sdk_version, Number(row.debug)]).toEqual([
        context.$platform,
        context.$lib,
        context.$lib_version,
        context.$debug ?? 0,
      ]);
      if (row.kind === 'alias') expect(row.anonymous_id).toBe(context.$original_id);
      else expect(row[context.$is_login ? 'anonymous_id' : 'user_id']).toBeNull();
    }
  });

  test('show their copies in event_deliveries', async () => {
    const rows = await warehouse.query(
      "SELECT verdict, copies, deliveries, requests FROM event_deliveries WHERE dialect = 'analysys'",
    );
    expect(rows).toHaveLength(sentEvents.length);
    for (const row of rows) {
      expect(Number(row.deliveries)).toBeGreaterThanOrEqual(3);
      expect(Number(row.copies)).toBeGreaterThanOrEqual(Number(row.deliveries));
    }
    expect(rows.filter((row) => row.verdict === 'resent').length).toBeGreaterThan(0);
    expect(rows.some((row) => Number(row.copies) > Number(row.deliveries))).toBe(true);
  });

  test('can be read for a span of time', async () => {
    const between = (from: string, to: string) =>
      warehouse.number(
        `SELECT COUNT(*) FROM events_between(TIMESTAMP '${from}', TIMESTAMP '${to}') WHERE dialect = 'analysys'`,
      );
    expect(await between('2010-01-01', '2040-01-01')).toBe(countedEvents.length);
    expect(await between('2010-01-01', '2019-01-01')).toBe(
      countedEvents.filter((event) => event.xwhen < Date.UTC(2019)).length,
    );
  });
});

describe('the captures of GrowingIO', () => {
  test('hold what they are said to hold', () => {
    expect(growingioCaptured.requests).toHaveLength(24);
    expect(growingioCaptured.counted.length).toBeGreaterThan(4);
  });

  test('bind the device and the user of an event that has both', async () => {
    const rows = await warehouse.query(
      "SELECT DISTINCT anonymous_id, user_id FROM state_log WHERE dialect = 'growingio' AND kind = 'alias'",
    );
    const both = sentElements.filter(
      ({ deviceId, userId }) => deviceId !== undefined && userId !== undefined,
    );
    expect(both.length).toBeGreaterThan(0);
    expect(rows).toEqual([{ anonymous_id: 'dev-1', user_id: 'user' }]);
  });

  test('tell which SDK sent them', async () => {
    const rows = await warehouse.query(`SELECT platform, sdk FROM event_log WHERE dialect = 'growingio'`);
    for (const { platform, sdk } of rows) {
      expect([sdk, platform]).toEqual(platform === null ? [null, null] : ['growingio-python', 'python']);
    }
  });

  test('that were sent by one codec only show as resent in event_deliveries', async () => {
    const rows = await warehouse.query(
      "SELECT verdict, copies FROM event_deliveries WHERE dialect = 'growingio' AND verdict != 'possible_twin'",
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(Number(row.copies)).toBeGreaterThanOrEqual(3);
  });
});

test('values that are hard to carry arrive exactly, or as text with a warning', async () => {
  const xcontext =
    '{"int64":9007199254740993,"least":-9223372036854775808,"uint64":18446744073709551615,"long":123456789012345678901234,' +
    '"tiny":1e-400,"huge":1e400,"decimal":0.1,"trailing":1.50,"surrogate":"a\\ud83db","emoji":"\\ud83d\\ude00","nul":"a\\u0000b",' +
    '"__proto__":{"polluted":true},"文":["列","表"],"empty":"","$lib":"Java"}';
  const body = `[{"appid":"values","xwho":"v","xwhat":"values","xwhen":${Date.now()},"xcontext":${xcontext}}]`;
  await fetch(`${cloud.urls.ingest}/up`, { method: 'POST', body });
  await untilDelivered(cloud);
  const [row] = await warehouse.query(
    "SELECT TO_JSON_STRING(properties) AS properties, ARRAY_TO_STRING(warnings, '; ') AS warnings FROM events WHERE project = 'values'",
  );
  expect(row?.properties).toBe(
    '{"__proto__":{"polluted":true},"decimal":0.1,"emoji":"😀","empty":"","huge":"1e400","int64":9007199254740993,' +
      '"least":-9223372036854775808,"long":"123456789012345678901234","nul":"a\\u0000b","surrogate":"a\ufffdb",' +
      '"tiny":"1e-400","trailing":1.5,"uint64":18446744073709551615,"文":["列","表"]}',
  );
  expect(String(row?.warnings).split('; ').sort()).toEqual(
    [
      'bad_key: __proto__',
      'bad_key: 文',
      'inexact_number: huge',
      'inexact_number: long',
      'inexact_number: tiny',
      'lone_surrogate: surrogate',
      'nested_value: __proto__',
    ].sort(),
  );
});
