import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRow } from './encode-row.ts';
import { decodeEventBatch, encodeEventBatch } from './event-batch.ts';
import { rowDescriptors } from './generated/row-descriptors.ts';
import { readRow } from './read-row-for-test.ts';
import { createRowBuffer } from './row-buffer.ts';
import { currentSchemaVersion, schemaVersions } from './schema-versions.ts';
import {
  accessTables,
  eventLog,
  identityDecisions,
  quarantine,
  quarantineOutcomes,
  reportTables,
} from './tables/index.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ minLength: 60, maxLength: 70 }),
  fc.constantFrom(
    'x'.repeat(127),
    'x'.repeat(128),
    '跑'.repeat(43),
    '跑'.repeat(63),
    '跑'.repeat(6000),
    'x'.repeat(16_384),
  ),
);

describe('a row of any table', () => {
  test('comes back as it was through the published proto', () => {
    const row = fc.record({
      quarantine_id: text,
      dialect: text,
      batch_id: text,
      request_hash: text,
      method: text,
      path: text,
      query: fc.option(text, { nil: undefined }),
      unit: text,
      body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      body_bytes: fc.oneof(fc.maxSafeInteger(), fc.integer()),
      received_at: fc.maxSafeInteger(),
      reason: text,
      replayable: fc.boolean(),
    });
    const buffer = createRowBuffer(16);
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (rows) => {
        buffer.reset();
        for (const one of rows) {
          const start = buffer.length;
          encodeRow(buffer, quarantine, one);
          const { query, ...rest } = one;
          expect(readRow('QuarantineRow', buffer.bytes(start, buffer.length))).toEqual({
            ...rest,
            ...(query === undefined ? {} : { query }),
            body: one.body.toString('base64'),
            body_bytes: String(one.body_bytes),
            received_at: String(one.received_at),
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('without a required column, or with a value that does not fit, is refused by name', () => {
    expect(() => encodeRow(createRowBuffer(), eventLog, {})).toThrow('event_id is required');
    expect(() => encodeRow(createRowBuffer(), eventLog, { event_id: 5 })).toThrow(
      'event_id: cannot encode number as STRING',
    );
  });
});

describe('a batch', () => {
  const rows = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 });
  const some = fc.record({ events: rows, quarantine: rows, stateOnly: rows });
  const batches = some.chain(({ events, quarantine: refused, stateOnly }) =>
    fc.record({
      events: fc.constant(events),
      quarantine: fc.constant(refused),
      stateOnly: fc.constant(stateOnly),
      state: events.length === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(events.length - 1)),
    }),
  );

  test('comes back as it was', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const back = decodeEventBatch(encodeEventBatch(batch));
        expect(back.events.map((row) => [...row])).toEqual(batch.events.map((row) => [...row]));
        expect(back.quarantine.map((row) => [...row])).toEqual(batch.quarantine.map((row) => [...row]));
        expect(back.stateOnly.map((row) => [...row])).toEqual(batch.stateOnly.map((row) => [...row]));
        expect(back.state).toEqual(batch.state);
      }),
    );
  });

  test('cut off anywhere or overwritten is a RangeError or another batch, never a hang or a crash', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.nat(255), (batch, at, byte) => {
        const bytes = encodeEventBatch(batch);
        if (bytes.length === 0) return;
        const cut = bytes.subarray(0, at % bytes.length);
        const overwritten = Buffer.from(bytes);
        overwritten[at % bytes.length] = byte;
        for (const broken of [cut, overwritten]) {
          try {
            decodeEventBatch(broken);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of a later version with fields unknown to us is still read', () => {
    const later = Buffer.concat([
      encodeEventBatch({ events: [Buffer.from('row')], quarantine: [], state: [0], stateOnly: [] }),
      Buffer.from([0x2a, 1, 9, 0x30, 7]),
    ]);
    expect(decodeEventBatch(later)).toMatchObject({ events: [Buffer.from('row')], state: [0] });
  });

  test('is what the published proto says it is', () => {
    const buffer = createRowBuffer();
    encodeRow(buffer, eventLog, {
      event_id: 'e',
      request_hash: 'r',
      project: 'p',
      dialect: 'd',
      kind: 'k',
      occurred_at: 1,
      time_source: 's',
      received_at: 2,
      debug: 0,
      batch_id: 'b',
      batch_index: 0,
    });
    const batch = encodeEventBatch({
      events: [buffer.bytes(0, buffer.length)],
      quarantine: [],
      state: [0],
      stateOnly: [buffer.bytes(0, buffer.length)],
    });
    expect(readRow('EventBatch', batch)).toMatchObject({
      events: [{ event_id: 'e', occurred_at: '1' }],
      state: [0],
      state_only: [{ event_id: 'e' }],
    });
  });
});

test('the current version holds every column; one more column needs one more version', () => {
  const current = schemaVersions.find(({ version }) => version === currentSchemaVersion)!;
  expect(current.columns).toEqual({
    event_log: eventLog.columns.length,
    quarantine: quarantine.columns.length,
    quarantine_outcomes: quarantineOutcomes.columns.length,
    identity_decisions: identityDecisions.columns.length,
    ...Object.fromEntries(
      Object.entries({ ...reportTables, ...accessTables }).map(([name, { columns }]) => [
        name,
        columns.length,
      ]),
    ),
  });
  expect(rowDescriptors[currentSchemaVersion].event_log.field.map(({ name }) => name)).toEqual(
    eventLog.columns.map(({ name }) => name),
  );
});
