import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parsePushEnvelope } from './push-envelope.ts';

/** What the hand-written check must agree with. */
const schema = z.object({
  message: z.object({
    data: z.base64().default(''),
    attributes: z.record(z.string(), z.string()).default({}),
    messageId: z.string().min(1),
    publishTime: z.string().optional().catch(undefined),
  }),
  subscription: z.string(),
  deliveryAttempt: z.number().optional().catch(undefined),
});

function parseWithSchema(text: string) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { message, subscription, deliveryAttempt } = parsed.data;
  const { data, attributes, messageId, publishTime } = message;
  return {
    data: Buffer.from(data, 'base64'),
    attributes,
    messageId,
    publishTime,
    subscription,
    deliveryAttempt,
  };
}

const base64 = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** Strings that could mislead a search for the data. */
const trap = fc.constantFrom(
  '"data":"',
  '\\"data\\":\\"',
  'data',
  '","data":"QUJD',
  '{"data":"QUJD"}',
  'QUJD',
);
const text = fc.oneof(trap, fc.string({ unit: 'grapheme', maxLength: 12 }), base64);
/** Zod leaves this one key out, and the reader keeps it as any other. */
const key = text.filter((it) => it !== '__proto__');
const anything = fc.oneof(
  text,
  fc.integer(),
  fc.constant(null),
  fc.boolean(),
  fc.array(text),
  fc.dictionary(key, text),
);

/** Nearly envelopes: mostly right, each part sometimes wrong or missing, keys in any order. */
const envelope = fc
  .record(
    {
      message: fc.oneof(
        {
          weight: 9,
          arbitrary: fc.record(
            {
              attributes: fc.oneof(
                { weight: 5, arbitrary: fc.dictionary(fc.oneof(fc.constant('data'), key), text) },
                anything,
              ),
              data: fc.oneof({ weight: 8, arbitrary: base64 }, anything),
              messageId: fc.oneof({ weight: 8, arbitrary: fc.string({ minLength: 1 }) }, anything),
              publishTime: fc.oneof(fc.constant('2026-11-21T00:00:00Z'), anything),
              extra: anything,
            },
            { requiredKeys: ['messageId'] },
          ),
        },
        { weight: 1, arbitrary: anything },
      ),
      subscription: fc.oneof({ weight: 8, arbitrary: text }, anything),
      deliveryAttempt: fc.oneof(fc.integer(), anything),
      data: anything,
    },
    { requiredKeys: ['message', 'subscription'] },
  )
  .chain((value) => fc.shuffledSubarray(Object.entries(value), { minLength: Object.keys(value).length }))
  .map((entries) => Object.fromEntries(entries));

describe('the envelope of a push', () => {
  test('reads as the schema does, whatever its parts', () => {
    fc.assert(
      fc.property(envelope, fc.constantFrom(undefined, 2), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(parsePushEnvelope(Buffer.from(json))).toEqual(parseWithSchema(json));
      }),
      { numRuns: 3_000 },
    );
  });

  test('reads as the schema does where its text is broken', () => {
    const cut = fc.tuple(envelope, fc.nat(), fc.constantFrom('', '"', '\\', '\n', '{', '}', ',', '=', 'A'));
    fc.assert(
      fc.property(cut, ([value, place, insert]) => {
        const whole = JSON.stringify(value);
        const at = place % whole.length;
        const body = Buffer.from(whole.slice(0, at) + insert + whole.slice(at + 1));
        expect(parsePushEnvelope(body)).toEqual(parseWithSchema(body.toString()));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['data given twice', '{"message":{"data":"QUJD","data":"REVG","messageId":"1"},"subscription":"s"}'],
    ['an escaped slash', '{"message":{"data":"QUJ\\/","messageId":"1"},"subscription":"s"}'],
    ['an escaped key', '{"message":{"d\\u0061ta":"QUJD","messageId":"1"},"subscription":"s"}'],
    [
      'an attribute named data',
      '{"message":{"attributes":{"data":"QUJD"},"messageId":"1"},"subscription":"s"}',
    ],
    ['data outside the message', '{"data":"QUJD","message":{"messageId":"1"},"subscription":"s"}'],
  ])('is not misread with %s', (_, json) => {
    const parsed = parsePushEnvelope(Buffer.from(json));
    expect(parsed).toBeDefined();
    expect(parsed).toEqual(parseWithSchema(json));
  });
});
