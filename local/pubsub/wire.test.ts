import { createRequire } from 'node:module';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pushEnvelope } from './envelope.ts';
import {
  addAttributes,
  encodePublishResponse,
  encodePullResponse,
  readMessage,
  readPublishRequest,
} from './wire.ts';

// Google's own protos decode what is written here and encode what is read here.
const json: object = createRequire(import.meta.url)('@google-cloud/pubsub/build/protos/protos.json');
const loaded = fromJSON(json, { longs: String, defaults: true });
const publish = (loaded['google.pubsub.v1.Publisher'] as ServiceDefinition).Publish!;
const pull = (loaded['google.pubsub.v1.Subscriber'] as ServiceDefinition).Pull!;

// Google's JavaScript client cannot send an attribute named __proto__; others can, see below.
const key = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text !== '__proto__');
const attributes = fc.dictionary(key, fc.string({ unit: 'grapheme' }), { noNullPrototype: true, maxKeys: 5 });
const data = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const message = fc.record({ data, attributes });

const encode = (request: object): Buffer => publish.requestSerialize(request);

describe('the bytes of a message', () => {
  test('are read as Google encodes them', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        const request = encode({ topic: 'projects/p/topics/t', messages });
        const scanned = readPublishRequest(request);
        expect(scanned.topic).toBe('projects/p/topics/t');
        expect(scanned.size).toBe(request.length);
        expect(scanned.messages.map((one) => readMessage(one.bytes))).toEqual(messages);
        expect(scanned.messages.map((one) => [one.dataLength, one.attributeCount])).toEqual(
          messages.map((one) => [one.data.length, Object.keys(one.attributes).length]),
        );
      }),
    );
  });

  test('are written as Google decodes them, with the id and the time of the server and not the publisher', () => {
    const delivery = fc.record({
      message,
      ackId: fc.stringMatching(/^[a-z0-9-]{1,40}$/),
      messageId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      published: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      deliveryAttempt: fc.nat(200),
    });
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 5 }), (deliveries) => {
        const forged = { messageId: 'forged', publishTime: { seconds: '7', nanos: 7 } };
        const request = encode({ messages: deliveries.map((one) => ({ ...one.message, ...forged })) });
        const bytes = readPublishRequest(request).messages.map((one) => one.bytes);
        // Not only overridden: decoders other than JavaScript's would merge the two times.
        const honest = encode({ messages: deliveries.map((one) => one.message) });
        expect(bytes).toEqual(readPublishRequest(honest).messages.map((one) => one.bytes));
        const response = encodePullResponse(
          deliveries.map((one, index) => ({ ...one, bytes: bytes[index]! })),
        );
        expect(pull.responseDeserialize(response).receivedMessages).toEqual(
          deliveries.map((one) => ({
            ackId: one.ackId,
            deliveryAttempt: one.deliveryAttempt,
            message: {
              ...one.message,
              messageId: String(one.messageId),
              publishTime: {
                seconds: String(Math.floor(one.published / 1000)),
                nanos: (one.published % 1000) * 1_000_000,
              },
              orderingKey: '',
            },
          })),
        );
      }),
    );
  });

  test('take further attributes, which replace those of the same name', () => {
    fc.assert(
      fc.property(message, attributes, (original, added) => {
        const [scanned] = readPublishRequest(encode({ messages: [original] })).messages;
        expect(readMessage(addAttributes(scanned!.bytes, added))).toEqual({
          data: original.data,
          attributes: { ...original.attributes, ...added },
        });
      }),
    );
  });

  test('keep an attribute named __proto__', () => {
    const bytes = addAttributes(Buffer.alloc(0), JSON.parse('{"__proto__":"kept"}'));
    expect(pushEnvelope({ id: 1, published: 0, bytes }, 's', 0)).toContain(
      '"attributes":{"__proto__":"kept"}',
    );
  });

  test('make a push whose JSON holds the same', () => {
    fc.assert(
      fc.property(message, (original) => {
        const [scanned] = readPublishRequest(encode({ messages: [original] })).messages;
        const envelope = pushEnvelope(
          { id: 1, published: 0, bytes: scanned!.bytes },
          'projects/p/subscriptions/s',
          0,
        );
        const parsed = JSON.parse(envelope);
        expect(Buffer.from(parsed.message.data ?? '', 'base64')).toEqual(original.data);
        expect(parsed.message.attributes ?? {}).toEqual(original.attributes);
      }),
    );
  });

  test('that are cut off are no request', () => {
    const request = encode({ topic: 'projects/p/topics/t', messages: [{ data: Buffer.from('some data') }] });
    expect(() => readPublishRequest(request.subarray(0, request.length - 3))).toThrow('out of range');
  });

  test('of the answer to a publish hold the ids in order', () => {
    const response = encodePublishResponse([3, 1795293770310001]);
    expect(publish.responseDeserialize(response)).toEqual({ messageIds: ['3', '1795293770310001'] });
  });
});
