import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EventBatch, encodeEventBatch } from '../warehouse/event-batch.ts';
import { decodeMessage } from './decode-message.ts';
import { packMessages, splitBatch } from './pack-messages.ts';

const rows = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 12 });
const batches: fc.Arbitrary<EventBatch> = fc
  .record({ events: rows, quarantine: rows, stateOnly: rows })
  .chain((batch) =>
    fc
      .subarray([...batch.events.keys()])
      .map((state) => ({ ...batch, state: [...state].sort((a, b) => a - b) })),
  );

test('a batch that is split comes to the same rows, in their order, each part under the limit', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 100, max: 400 }), (batch, limit) => {
      const parts = splitBatch(batch, limit);
      for (const field of ['events', 'quarantine', 'stateOnly'] as const) {
        expect(parts.flatMap((part) => part[field])).toEqual(batch[field]);
      }
      const isState = parts.flatMap(({ events, state }) => events.map((_, place) => state.includes(place)));
      expect(isState).toEqual(batch.events.map((_, place) => batch.state.includes(place)));
      for (const part of parts) expect(encodeEventBatch(part).length).toBeLessThanOrEqual(limit);
    }),
  );
});

test('a batch of nothing is no message, and one of rows for state_log alone is one', () => {
  const none: EventBatch = { events: [], quarantine: [], state: [], stateOnly: [] };
  const facts = { batchId: 'b', dialect: 'tributary', project: 'shop' };
  expect(packMessages(none, facts)).toEqual([]);
  const [message, ...more] = packMessages({ ...none, stateOnly: [Buffer.from('row')] }, facts);
  expect(more).toEqual([]);
  expect(decodeMessage(message!)).toMatchObject({
    kind: 'batch',
    batch: { events: [], stateOnly: [Buffer.from('row')] },
  });
});
