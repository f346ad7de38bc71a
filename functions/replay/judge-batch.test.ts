import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage } from '../../shared/batches/decode-message.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { type EventBatch, encodeEventBatch } from '../../shared/warehouse/event-batch.ts';
import { readRow } from '../../shared/warehouse/read-row-for-test.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { analysys } from '../../shared/wire/analysys/decode.ts';
import type { WireDialect } from '../../shared/wire/dialect.ts';
import { type JudgedBatch, type JudgeOptions, judgeBatch } from './judge-batch.ts';
import {
  accepting,
  event,
  ingest,
  received,
  refusing,
  settingsOf,
  toQuarantined,
} from './quarantined-for-test.ts';
import type { QuarantinedRow } from './quarantined-row.ts';

const options: JudgeOptions = {
  dialects: [analysys],
  settings: accepting,
  caps: { inflated: 20_000_000, events: 10_000 },
  replayId: 'replay-1',
};

const all = () => true;

/** What the messages carry, as load will read it. */
function carried(messages: readonly Message[]): EventBatch & { versions: number[] } {
  const events: Uint8Array[] = [];
  const quarantine: Uint8Array[] = [];
  const state: number[] = [];
  const stateOnly: Uint8Array[] = [];
  const versions: number[] = [];
  for (const message of messages) {
    const decoded = decodeMessage(message);
    if (decoded.kind !== 'batch') throw new Error(decoded.kind);
    state.push(...decoded.batch.state.map((place) => place + events.length));
    events.push(...decoded.batch.events);
    quarantine.push(...decoded.batch.quarantine);
    stateOnly.push(...decoded.batch.stateOnly);
    versions.push(decoded.schemaVersion);
  }
  return { events, quarantine, state, stateOnly, versions };
}

const hex = (rows: readonly Uint8Array[]) => rows.map((row) => Buffer.from(row).toString('hex'));
const outcomes = ({ verdicts }: JudgedBatch) =>
  verdicts.map((one) => (one.kind === 'accepted' ? one.events : one.refusal.reason));
const quarantined = (body: string, settings = refusing): QuarantinedRow[] =>
  ingest(body, settings).quarantine.map(toQuarantined);
const judge = (rows: readonly QuarantinedRow[], given: Partial<JudgeOptions> = {}) =>
  judgeBatch(rows, all, { ...options, ...given });

describe('events that were quarantined', () => {
  test('become the very rows that they would have been, had they been accepted at once', () => {
    const body = JSON.stringify([
      event(),
      event({ xwhat: '$profile_set', xcontext: { plan: 'gold' } }),
      event({ xwho: 'visitor-2', xcontext: { $lib: 'Java', long: 'x'.repeat(9_000) } }),
    ]);
    const direct = ingest(body, accepting);
    const judged = judge(quarantined(body));
    expect(outcomes(judged)).toEqual([1, 1, 1]);
    const { events, state } = carried(judged.messages);
    expect(hex(events)).toEqual(hex(direct.events));
    expect(state).toEqual([1]);
    expect(judged.messages).toMatchObject([
      {
        attributes: {
          batch_id: received.batchId,
          dialect: 'analysys',
          project: 'shop',
          count: '3',
          replay_id: 'replay-1',
          schema_version: String(currentSchemaVersion),
        },
      },
    ]);
  });

  test('that are true twins stay as many, however their keys are ordered and in how many replays they come', () => {
    const variants = [
      event(),
      // The same in another order of keys: another text and the same event.
      Object.fromEntries(Object.entries(event()).reverse()),
      event({ xcontext: { b: 1, a: 2 } }),
      event({ xcontext: { a: 2, b: 1 } }),
      event({ xwhat: '$profile_increment', xcontext: { visits: 1 } }),
      // Refused under any settings, so it takes no number.
      event({ xwho: 7 }),
    ];
    const requests = fc.array(fc.tuple(fc.constantFrom(...variants), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(requests, (sent) => {
        const body = JSON.stringify(sent.map(([one]) => one));
        const rows = quarantined(body);
        const replayOf = new Map(rows.map((row) => [row.id, sent[row.place]?.[1]]));
        const replayed = [0, 1, 2].flatMap((replay) => {
          const judged = judgeBatch(rows, ({ id }) => replayOf.get(id) === replay, options);
          return carried(judged.messages).events;
        });
        expect(hex(replayed).sort()).toEqual(hex(ingest(body, accepting).events).sort());
      }),
    );
  });

  test('beside accepted ones have the ids that the whole request would have given them', () => {
    const body = JSON.stringify([event(), event({ appid: 'blog' }), event(), event({ appid: 'blog' })]);
    const atFirst = settingsOf({ projects: { shop: {} } });
    const first = ingest(body, atFirst);
    const { events } = carried(judge(quarantined(body, atFirst)).messages);
    expect(hex([...first.events, ...events]).sort()).toEqual(hex(ingest(body, accepting).events).sort());
  });

  test('follow what the settings decide on debug and dedup now, with their own batch id', () => {
    const body = JSON.stringify([
      event(),
      event(),
      event({ xwhat: '$profile_set', xcontext: { plan: 'gold' } }),
    ]);
    for (const shop of [{ dedup: 'off' }, { debug: 1 }, { debug: 2, dedup: 'off' }]) {
      const settings = settingsOf({ projects: { shop } });
      const judged = judge(quarantined(body), { settings });
      expect(hex(carried(judged.messages).events)).toEqual(hex(ingest(body, settings).events));
    }
    const [first] = ingest(body, settingsOf({ projects: { shop: { dedup: 'off' } } })).events;
    expect(hex([first!])).not.toEqual(hex([ingest(body, accepting).events[0]!]));
  });

  test('are held to no rate limit', () => {
    const body = JSON.stringify([event(), event(), event()]);
    const settings = settingsOf({ projects: { shop: { rateLimit: { eventsPerSecond: 0.001, burst: 1 } } } });
    for (let time = 0; time < 2; time++) {
      expect(outcomes(judge(quarantined(body), { settings }))).toEqual([1, 1, 1]);
    }
  });

  test('are refused again for what is still wrong, each for its own reason', () => {
    const body = JSON.stringify([event({ xwho: 7 }), event({ appid: 'blog' }), event()]);
    const settings = settingsOf({ projects: { shop: {}, blog: { dialects: ['segment'] } } });
    const judged = judge(quarantined(body), { settings });
    expect(outcomes(judged)).toEqual(['bad_xwho', 'dialect_not_allowed', 1]);
    expect(carried(judged.messages).events).toHaveLength(1);
  });

  test('are judged by the time at which they were received, so that waiting changes no verdict', () => {
    const { receivedAt } = received;
    const days = (count: number) => receivedAt / 1_000 + count * 86_400_000;
    const body = JSON.stringify([event({ xwhen: days(0.9) }), event({ xwhen: days(1.1) })]);
    expect(outcomes(judge(quarantined(body)))).toEqual([1, 'xwhen_outside_window']);
    const settings = settingsOf({ timeWindow: { pastDays: 3640, futureDays: 2 } });
    expect(outcomes(judge(quarantined(body), { settings }))).toEqual([1, 1]);
  });

  test('of a dialect that is understood no more, or that decoding fails on, are refused without stopping the others', () => {
    const rows = quarantined(JSON.stringify([event(), event(), event()]));
    const [first, second, third] = rows as [QuarantinedRow, QuarantinedRow, QuarantinedRow];
    const failing = {
      ...analysys,
      dialect: 'growingio' as const,
      decodeElement(): never {
        throw new RangeError('secret');
      },
    };
    const judged = judge([{ ...first, dialect: 'segment' }, { ...second, dialect: 'growingio' }, third], {
      dialects: [analysys, failing],
    });
    expect(outcomes(judged)).toEqual(['unknown_dialect', 'replay_failed', 1]);
    expect(JSON.stringify(judged.verdicts.map((one) => one.kind === 'refused' && one.refusal))).not.toContain(
      'secret',
    );
  });
});

describe('requests that were quarantined', () => {
  test('are decoded whole, and become the rows that they would have been', () => {
    const body = JSON.stringify(Array.from({ length: 3 }, () => event()));
    const tooMany = { inflated: 20_000_000, events: 2 };
    const direct = ingest(body, accepting);
    const [row] = quarantined('{');
    const kept: QuarantinedRow = { ...row!, body: Buffer.from(body), reason: 'too_many_events' };
    expect(outcomes(judge([kept], { caps: tooMany }))).toEqual(['too_many_events']);
    const judged = judge([kept]);
    expect(outcomes(judged)).toEqual([3]);
    expect(hex(carried(judged.messages).events)).toEqual(hex(direct.events));
  });

  test('leave what is still wrong in quarantine event by event, as at ingest', () => {
    const [row] = quarantined('{');
    const body = JSON.stringify([event(), event({ xwho: 7 })]);
    const judged = judge([{ ...row!, body: Buffer.from(body) }]);
    expect(outcomes(judged)).toEqual([1]);
    const { events, quarantine } = carried(judged.messages);
    const direct = ingest(body, accepting);
    expect(hex(events)).toEqual(hex(direct.events));
    expect(hex(quarantine)).toEqual(hex(direct.quarantine));
    expect(readRow('QuarantineRow', quarantine[0]!)).toMatchObject({ unit: 'event', reason: 'bad_xwho' });
  });

  test('stay as they are where nothing of them passes', () => {
    const [row] = quarantined('{');
    const body = Buffer.from(JSON.stringify([event({ xwho: 7 }), event({ xwhat: '' })]));
    const judged = judge([{ ...row!, body }]);
    expect(outcomes(judged)).toEqual(['bad_xwho']);
    expect(judged.messages).toEqual([]);
  });

  test('stay open where an event cannot be cut out of them, though the others come onto the path', () => {
    const [row] = quarantined('{');
    const body = Buffer.from(JSON.stringify([event(), event({ xwho: 7 })]));
    const uncut: WireDialect = {
      ...analysys,
      decode(request, given) {
        const decoded = analysys.decode(request, given);
        return decoded.kind === 'items' ? { ...decoded, text: () => undefined } : decoded;
      },
    };
    const judged = judge([{ ...row!, body }], { dialects: [uncut] });
    expect(outcomes(judged)).toEqual(['bad_xwho']);
    const { events, quarantine } = carried(judged.messages);
    expect(hex(events)).toEqual(hex(ingest(String(body), accepting).events));
    expect(quarantine).toEqual([]);
  });
});

describe('rows that BigQuery refused', () => {
  const refusedRow = (table: string, body: Uint8Array, version: number | undefined) => ({
    ...quarantined('{')[0]!,
    unit: 'row' as const,
    method: 'APPEND',
    path: table,
    body: Buffer.from(body),
    reason: 'refused_by_bigquery',
    schemaVersion: version,
  });
  const [row] = ingest(JSON.stringify([event()]), accepting).events as [Buffer];

  test.each([
    ['event_log', 'events', 1],
    ['state_log', 'stateOnly', 1],
    ['quarantine', 'quarantine', 0],
  ])('of %s go to it alone, as their own bytes, in their own schema version', (table, field, count) => {
    const judged = judge([refusedRow(table, row, currentSchemaVersion)]);
    expect(outcomes(judged)).toEqual([count]);
    const { versions, state, ...rows } = carried(judged.messages);
    const hexes = Object.entries(rows).map(([name, some]) => [name, hex(some)]);
    const none = { events: [], quarantine: [], stateOnly: [] };
    expect(Object.fromEntries(hexes)).toEqual({ ...none, [field]: hex([row]) });
    expect(state).toEqual([]);
    expect(versions).toEqual([currentSchemaVersion]);
    expect(judged.messages[0]?.attributes.replay_id).toBe('replay-1');
  });

  test('of a version or a table that nobody knows are refused', () => {
    expect(outcomes(judge([refusedRow('event_log', row, 999)]))).toEqual(['unknown_schema_version']);
    expect(outcomes(judge([refusedRow('event_log', row, undefined)]))).toEqual(['unknown_schema_version']);
    expect(outcomes(judge([refusedRow('persons', row, currentSchemaVersion)]))).toEqual(['unknown_table']);
  });
});

describe('messages that load could not decode', () => {
  const published = (data: Buffer, attributes: Record<string, string>): QuarantinedRow => ({
    ...quarantined('{')[0]!,
    method: 'PUBLISH',
    dialect: 'unknown',
    headers: new Map(Object.entries(attributes)),
    body: data,
    reason: 'undecodable_message',
  });
  const batch = ingest(JSON.stringify([event(), event()]), accepting);
  const attributes = { encoding: 'gzip', schema_version: String(currentSchemaVersion), color: 'blue' };

  test('are published as they came once today’s code decodes them', () => {
    const data = gzipSync(encodeEventBatch(batch));
    const judged = judge([published(data, attributes)]);
    expect(outcomes(judged)).toEqual([2]);
    expect(judged.messages).toEqual([{ data, attributes: { ...attributes, replay_id: 'replay-1' } }]);
  });

  test('are refused while it does not', () => {
    const data = gzipSync(encodeEventBatch(batch)).subarray(0, 20);
    expect(outcomes(judge([published(data, attributes)]))).toEqual(['undecodable_message']);
    const newer = { ...attributes, schema_version: '999' };
    expect(outcomes(judge([published(data, newer)]))).toEqual(['unknown_schema_version']);
  });
});
