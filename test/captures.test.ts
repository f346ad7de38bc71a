import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { type CapturedEvent, readCaptures, sendCapture } from './replay-captures.ts';
import { type Row, untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// Every request that was recorded from a real Analysys SDK, sent three times, while Pub/Sub delivers
// one message in three again although it was acknowledged.
const captures = readCaptures('analysys');
const folder = mkdtempSync(join(tmpdir(), 'tributary-captures-'));
let cloud: LocalCloud;
let warehouse: Warehouse;

beforeAll(async () => {
  cloud = await startLocal({ dataDir: folder, ports: 'free', faults: { pubsub: { redeliverRate: 0.3 } } });
  warehouse = warehouseOf(cloud);
  for (let time = 0; time < 3; time++) {
    for (const capture of captures) {
      const answer = await sendCapture(cloud.urls.ingest, capture);
      if (answer.status !== 200 || answer.body !== '{"code":200}') {
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

/** The events as the SDKs sent them; those that one request holds twice count twice. */
const sent: CapturedEvent[] = (() => {
  const most = new Map<string, { event: CapturedEvent; times: number }>();
  for (const { decoded } of captures) {
    const inRequest = new Map<string, number>();
    for (const event of decoded) {
      const identity = JSON.stringify(sortKeys(event));
      inRequest.set(identity, (inRequest.get(identity) ?? 0) + 1);
      const times = Math.max(inRequest.get(identity) ?? 0, most.get(identity)?.times ?? 0);
      most.set(identity, { event, times });
    }
  }
  return [...most.values()].flatMap(({ event, times }) => Array.from({ length: times }, () => event));
})();

const isTrack = ({ xwhat }: CapturedEvent) => !/^\$(alias|profile_)/.test(xwhat);
const debugOf = ({ xcontext }: CapturedEvent) => xcontext.$debug ?? 0;

/** An Analysys event as its SDK would have sent it, from the columns of its row. */
function rebuild(row: Row): unknown {
  const kind = String(row.kind);
  return {
    appid: row.project,
    xwho: kind === 'alias' ? row.user_id : (row.user_id ?? row.anonymous_id),
    xwhat: kind === 'track' ? row.name : `$${kind}`,
    xwhen: Number(row.millis),
    xcontext: { ...JSON.parse(String(row.properties)), ...JSON.parse(String(row.context)) },
  };
}

const columns = `kind, project, name, user_id, anonymous_id, debug, platform, sdk, sdk_version, session_id,
  UNIX_MILLIS(occurred_at) AS millis, TO_JSON_STRING(properties) AS properties, TO_JSON_STRING(context) AS context`;

const sorted = (events: readonly unknown[]): string[] =>
  events.map((event) => JSON.stringify(sortKeys(event))).sort();

describe('the Analysys captures', () => {
  test('hold what they are said to hold', () => {
    expect(captures.length).toBeGreaterThan(40);
    expect(sent.filter(isTrack).length).toBeGreaterThan(10);
  });

  test('are in events exactly once, value for value, as far as they are counted', async () => {
    const rows = await warehouse.query(`SELECT ${columns} FROM events`);
    const expected = sent.filter((event) => isTrack(event) && debugOf(event) !== 1);
    expect(sorted(rows.map(rebuild))).toEqual(sorted(expected));
  });

  test('are in events_debug exactly once where they were sent to be shown', async () => {
    const rows = await warehouse.query(`SELECT ${columns} FROM events_debug`);
    expect(sorted(rows.map(rebuild))).toEqual(sorted(sent.filter((event) => debugOf(event) !== 0)));
  });

  test('are in event_log at least three times each, and every state operation in state_log too', async () => {
    const rows = await warehouse.query(`SELECT ${columns}, event_id FROM event_log`);
    expect(rows.length).toBeGreaterThanOrEqual(3 * sent.length);
    const once = new Map(rows.map((row) => [String(row.event_id), row]));
    expect(sorted([...once.values()].map(rebuild))).toEqual(sorted(sent));
    const state = await warehouse.query(`SELECT ${columns}, event_id FROM state_log`);
    const stateOnce = new Map(state.map((row) => [String(row.event_id), row]));
    expect(sorted([...stateOnce.values()].map(rebuild))).toEqual(
      sorted(sent.filter((event) => !isTrack(event))),
    );
  });

  test('tell who, on what and with which SDK in columns of their own', async () => {
    for (const row of await warehouse.query(`SELECT ${columns} FROM event_log`)) {
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
    const rows = await warehouse.query('SELECT verdict, copies, deliveries, requests FROM event_deliveries');
    expect(rows).toHaveLength(sent.length);
    for (const row of rows) {
      expect(Number(row.deliveries)).toBeGreaterThanOrEqual(3);
      expect(Number(row.copies)).toBeGreaterThanOrEqual(Number(row.deliveries));
    }
    expect(rows.filter((row) => row.verdict === 'resent').length).toBeGreaterThan(0);
    expect(rows.some((row) => Number(row.copies) > Number(row.deliveries))).toBe(true);
  });

  test('left nothing in quarantine', async () => {
    expect(await warehouse.number('SELECT COUNT(*) FROM quarantine_open')).toBe(0);
  });

  test('can be read for a span of time', async () => {
    const all = await warehouse.number('SELECT COUNT(*) FROM events');
    const between = (from: string, to: string) =>
      warehouse.number(`SELECT COUNT(*) FROM events_between(TIMESTAMP '${from}', TIMESTAMP '${to}')`);
    expect(await between('2010-01-01', '2040-01-01')).toBe(all);
    expect(await between('2010-01-01', '2019-01-01')).toBe(
      sent.filter((event) => isTrack(event) && debugOf(event) !== 1 && event.xwhen < Date.UTC(2019)).length,
    );
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

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  );
}
