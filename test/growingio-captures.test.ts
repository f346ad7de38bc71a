import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { type Element, readList } from './growingio-protobuf.ts';
import { type Capture, growingioElements, readCaptures, sendCapture } from './replay-captures.ts';
import { type Row, untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// Every request that was recorded from GrowingIO's SDK for Python, sent three times, while Pub/Sub delivers one message
// in three again although it was acknowledged.
const captures = readCaptures('growingio', growingioElements);
const folder = mkdtempSync(join(tmpdir(), 'tributary-growingio-'));
let cloud: LocalCloud;
let warehouse: Warehouse;

beforeAll(async () => {
  cloud = await startLocal({ dataDir: folder, ports: 'free', faults: { pubsub: { redeliverRate: 0.3 } } });
  warehouse = warehouseOf(cloud);
  for (let time = 0; time < 3; time++) {
    for (const capture of captures) {
      const answer = await sendCapture(cloud.urls.ingest, capture);
      if (answer.status !== 204 || answer.body !== '') {
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

/** What the request holds, as it was decoded when it was recorded; protobuf by the vendor's messages. */
function elementsOf({ decoded, path, body_base64: body }: Capture<Element[] | string>): Element[] {
  if (typeof decoded !== 'string') return decoded;
  const bytes = Buffer.from(body, 'base64');
  expect(decoded).toBe(`hex:${bytes.toString('hex')}`);
  return readList(path.includes('/collect/item') ? 'ItemDtoList' : 'EventV3List', bytes);
}

/** The elements as the SDK sent them; an item that was sent in three ways is the same item. */
const sent: Element[] = (() => {
  const byText = new Map(captures.flatMap(elementsOf).map((element) => [canonical(element), element]));
  return [...byText.values()];
})();
const isTrack = ({ eventType }: Element) => eventType === 'CUSTOM';

/** An element as the SDK sent it, from the columns of its row. */
function rebuild(row: Row): Element {
  const { eventType, ...context } = JSON.parse(String(row.context)) as Element;
  const attributes = JSON.parse(String(row.properties)) as Element;
  const isItem = row.kind === 'item_set';
  const element = {
    eventType,
    [isItem ? 'key' : 'eventName']: row.name,
    id: row.item_id,
    deviceId: row.anonymous_id,
    userId: row.user_id,
    userKey: row.user_key,
    timestamp: row.time_source === 'sender' ? Number(row.millis) : null,
    sendTime: row.sent_millis === null ? null : Number(row.sent_millis),
    projectKey: row.project,
    sdkVersion: row.sdk_version,
    platform: row.platform,
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...context,
  };
  return Object.fromEntries(
    Object.entries(element).filter(([, value]) => value !== null && value !== undefined),
  );
}

const columns = `event_id, kind, project, name, item_id, user_id, user_key, anonymous_id, platform, sdk, sdk_version,
  time_source, UNIX_MILLIS(occurred_at) AS millis, UNIX_MILLIS(sent_at) AS sent_millis,
  TO_JSON_STRING(properties) AS properties, TO_JSON_STRING(context) AS context`;

function canonical(element: Element): string {
  const sort = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((key) => [key, sort((value as Element)[key])]),
    );
  };
  return JSON.stringify(sort(element));
}

const sorted = (elements: readonly Element[]): string[] => elements.map(canonical).sort();

describe('the GrowingIO captures', () => {
  test('hold what they are said to hold', () => {
    expect(captures).toHaveLength(24);
    expect(sent.filter(isTrack).length).toBeGreaterThan(4);
  });

  test('are in events exactly once, value for value', async () => {
    const rows = await warehouse.query(`SELECT ${columns} FROM events`);
    expect(sorted(rows.map(rebuild))).toEqual(sorted(sent.filter(isTrack)));
  });

  test('are in event_log at least three times each, and items and profiles in state_log too', async () => {
    const rows = await warehouse.query(`SELECT ${columns} FROM event_log`);
    expect(rows.length).toBeGreaterThanOrEqual(3 * captures.length);
    const once = new Map(rows.map((row) => [String(row.event_id), row]));
    expect(sorted([...once.values()].map(rebuild))).toEqual(sorted(sent));
    const state = await warehouse.query(`SELECT ${columns} FROM state_log WHERE kind != 'alias'`);
    const stateOnce = new Map(state.map((row) => [String(row.event_id), row]));
    expect(sorted([...stateOnce.values()].map(rebuild))).toEqual(sorted(sent.filter((it) => !isTrack(it))));
  });

  test('bind the device and the user of an event that has both', async () => {
    const rows = await warehouse.query(
      "SELECT DISTINCT anonymous_id, user_id FROM state_log WHERE kind = 'alias'",
    );
    const both = sent.filter(({ deviceId, userId }) => deviceId !== undefined && userId !== undefined);
    expect(both.length).toBeGreaterThan(0);
    expect(rows).toEqual([{ anonymous_id: 'dev-1', user_id: 'user' }]);
  });

  test('tell which SDK sent them', async () => {
    for (const { platform, sdk } of await warehouse.query(`SELECT ${columns} FROM event_log`)) {
      expect([sdk, platform]).toEqual(platform === null ? [null, null] : ['growingio-python', 'python']);
    }
  });

  test('that were sent by one codec only show as resent in event_deliveries', async () => {
    const rows = await warehouse.query(
      "SELECT verdict, copies FROM event_deliveries WHERE verdict != 'possible_twin'",
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(Number(row.copies)).toBeGreaterThanOrEqual(3);
  });

  test('left nothing in quarantine', async () => {
    expect(await warehouse.number('SELECT COUNT(*) FROM quarantine_open')).toBe(0);
  });
});
