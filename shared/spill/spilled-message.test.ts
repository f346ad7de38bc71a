import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSpilledObject, toSpilledObject } from './spilled-message.ts';

const batchId = '0123456789abcdef0123456789abcdef';
const attributes = fc
  .dictionary(fc.stringMatching(/^[a-z_]{1,20}$/), fc.string({ unit: 'grapheme' }))
  .map((some) => ({ ...some, batch_id: batchId }));

test('a message is the same after its way through an object, whatever its attributes hold', () => {
  fc.assert(
    fc.property(attributes, fc.uint8Array(), fc.nat({ max: 999_999 }), (given, bytes, part) => {
      const message = { data: Buffer.from(bytes), attributes: given };
      const object = toSpilledObject(message, part);
      expect(object.name).toBe(`${batchId}/${part}`);
      expect(readSpilledObject(object)).toEqual(message);
    }),
  );
});

test('its metadata is what a header may hold, and readable where it can be', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (project) => {
      const { metadata } = toSpilledObject(
        { data: Buffer.alloc(0), attributes: { batch_id: batchId, project } },
        0,
      );
      expect(metadata.project).toMatch(/^$|^[\x21-\x7e]$|^[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]$/);
    }),
  );
  const plain = { data: Buffer.alloc(0), attributes: { batch_id: batchId, project: 'a shop' } };
  expect(toSpilledObject(plain, 0).metadata).toEqual({ batch_id: batchId, project: 'a shop' });
  const cut = { data: Buffer.alloc(0), attributes: { batch_id: batchId, project: 'shop \ud83d' } };
  expect(readSpilledObject(toSpilledObject(cut, 0))?.attributes.project).toBe('shop \ufffd');
});

test('an object that is no message of ours is not taken for one', () => {
  const object = toSpilledObject({ data: Buffer.alloc(0), attributes: { batch_id: batchId } }, 0);
  expect(readSpilledObject(object)).toBeDefined();
  expect(readSpilledObject({ ...object, name: 'notes.txt' })).toBeUndefined();
  expect(readSpilledObject({ ...object, name: `${batchId}/0/1` })).toBeUndefined();
  expect(readSpilledObject({ ...object, name: `${'f'.repeat(32)}/0` })).toBeUndefined();
  expect(readSpilledObject({ ...object, metadata: {} })).toBeUndefined();
  expect(readSpilledObject({ ...object, metadata: { batch_id: batchId, project: '%zz' } })).toBeUndefined();
});
