import fc from 'fast-check';
import LZString from 'lz-string';
import protobuf from 'protobufjs';
import { compress, uncompress } from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { decodeLzString } from './decode-lz-string.ts';
import { decodeSnappy, measureSnappy } from './decode-snappy.ts';
import {
  collect,
  decode,
  eventsOf,
  idsOf,
  itemsOf,
  refusalOf,
  textOf,
  timestamp,
} from './requests-for-test.ts';

describe('snappy', () => {
  test('is decoded as the library decodes what it has compressed', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom('abcdef', 'xyz', '0'), { maxLength: 2000 })
        .map((it) => Buffer.from(it.join(''))),
    );
    fc.assert(
      fc.property(content, (bytes) => {
        const block = compress(Buffer.from(bytes));
        expect(measureSnappy(block)).toBe(bytes.length);
        expect(decodeSnappy(block, bytes.length).equals(uncompress(block))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['a literal whose length is negative to JavaScript', [10, 63 << 2, 0xfa, 0xff, 0xff, 0xff]],
    ['a copy from before its beginning', [4, 0x01, 0x01]],
    ['a copy from nowhere', [5, 0, 65, 0x01, 0x00]],
    ['a literal that runs past its end', [5, 4 << 2, 65]],
    ['more than it claims', [1, 1 << 2, 65, 66]],
    ['less than it claims', [9, 0, 65]],
    ['a length without an end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['nothing', []],
  ])('is not %s', (_, bytes) => {
    expect(measureSnappy(Buffer.from(bytes))).toBeUndefined();
  });
});

describe('LZString', () => {
  test('is decoded in each of its forms as the library writes it', () => {
    const content = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
      fc.array(fc.constantFrom('abc', 'x', '文'), { minLength: 1, maxLength: 500 }).map((it) => it.join('')),
    );
    fc.assert(
      fc.property(content, (sent) => {
        const whole = { kind: 'text', text: Buffer.from(sent) };
        const bytes = Buffer.from(LZString.compressToUint8Array(sent));
        expect(decodeLzString(bytes, 'bytes', 10_000)).toEqual(whole);
        expect(decodeLzString(LZString.compressToUTF16(sent), 'utf16', 10_000)).toEqual(whole);
        expect(decodeLzString(LZString.compressToEncodedURIComponent(sent), 'uri', 10_000)).toEqual(whole);
        const cut = decodeLzString(bytes.subarray(0, bytes.length / 4), 'bytes', 10_000);
        expect(cut.kind === 'text' && cut.text.equals(whole.text)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('ends where its text would be larger than the bound', () => {
    const bomb = Buffer.from(LZString.compressToUint8Array('a'.repeat(100_001)));
    expect(decodeLzString(bomb, 'bytes', 100_001).kind).toBe('text');
    expect(decodeLzString(bomb, 'bytes', 100_000)).toEqual({ kind: 'too_large' });
  });
});

describe('protobuf', () => {
  const { root } = protobuf.parse(`syntax = "proto3";
    message Item { string id = 1; string key = 2; map<string, string> attributes = 3; }
    message Event { string device_id = 1; int32 event_type = 6; int64 timestamp = 8; int32 event_sequence_id = 15;
      map<string, string> extra_sdk = 21; string event_name = 22; map<string, string> attributes = 24;
      Item resource_item = 25; double latitude = 44; string timezone_offset = 57; int64 newer = 60; bytes more = 61; }
    message Events { repeated Event values = 1; }
    message Items { repeated Item values = 2; }`);
  const write = (type: string, list: object): Uint8Array => {
    const message = root.lookupType(type);
    return message.encode(message.fromObject(list)).finish();
  };

  test('written by another library is read to the value, and what is newer than the shapes is kept', () => {
    const values = [
      {
        deviceId: 'd',
        eventType: 11,
        timestamp,
        eventSequenceId: -7,
        extraSdk: { __proto__x: '1' },
        attributes: { a: '文' },
        resourceItem: { id: 'i', key: 'k' },
        latitude: 31.25,
        timezoneOffset: '-480',
        newer: 5,
        more: Buffer.from([0xff]),
      },
    ];
    const [one] = eventsOf(decode(collect, write('Events', { values })));
    expect(one).toMatchObject({
      name: '$activate',
      anonymousId: 'd',
      occurredAt: timestamp * 1000,
      project: 'shop',
    });
    expect(JSON.parse(textOf(one?.context ?? new Uint8Array()))).toEqual({
      eventType: 'ACTIVATE',
      eventSequenceId: -7,
      extraSdk: { __proto__x: '1' },
      resourceItem: { id: 'i', key: 'k' },
      latitude: 31.25,
      timezoneOffset: '-480',
      unknownFields: { 60: 5, 61: '/w==' },
    });
  });

  test('cannot tell a default that is written from one that is not', () => {
    const written = Buffer.from([0x0a, 0x0b, 0x0a, 1, 0x64, 0x78, 0, 0x40, 0, 0x12, 0, 0x30, 0]);
    const [one] = eventsOf(decode(collect, written));
    const [other] = eventsOf(decode(collect, write('Events', { values: [{ deviceId: 'd' }] })));
    expect(one).toEqual(other);
  });

  test('without a type is a visit, and an empty item in an event is none', () => {
    const [one] = eventsOf(
      decode(collect, write('Events', { values: [{ deviceId: 'd', resourceItem: {} }] })),
    );
    expect(one?.name).toBe('$visit');
    expect(textOf(one?.context ?? new Uint8Array())).toBe('{"eventType":"VISIT"}');
  });

  test('holds items in a list of their own, or as events of the older SDK, with the one id', () => {
    const inner = { id: 'i', key: 'k', attributes: { a: '1' } };
    const target = '/projects/shop/collect/item';
    const lists = [
      write('Items', { values: [inner] }),
      write('Events', { values: [{ resourceItem: inner }] }),
    ];
    const [own, older] = lists.map((body) => eventsOf(decode(target, body)));
    expect(own).toMatchObject([{ kind: 'item_set', name: 'k', itemId: 'i' }]);
    expect(idsOf(older ?? [])).toEqual(idsOf(own ?? []));
  });

  test('is bounded in its values before they are made', () => {
    const attributes = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'v']));
    expect(
      itemsOf(decode(collect, write('Events', { values: [{ deviceId: 'd', attributes }] }))),
    ).toHaveLength(1);
    const many = Buffer.concat(Array(1_000_001).fill(Buffer.from([0xc2, 0x01, 0x00])));
    const length = [];
    for (let left = many.length; ; left >>>= 7) {
      length.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
      if (left <= 0x7f) break;
    }
    expect(refusalOf(decode(collect, Buffer.concat([Buffer.from([0x0a, ...length]), many])))).toBe(
      'too_many_values',
    );
  });
});
