import LZString from 'lz-string';
import { writeList } from '../../growingio-protobuf.ts';
import type { Context, Family, Post } from './cases.ts';
import { claims, makeList, makeProtobuf, pathOf, snappy, xor, xorHashes } from './growingio.ts';
import { gzip, once, tell } from './posts.ts';
import type { Item, Outcome } from './reference-decoder.ts';

/** Codecs of GrowingIO that are cut, lie, or unpack to far more than they are. */

const unsure: Outcome = { kind: 'unsure' };
const undecodable: Outcome = { kind: 'undecodable' };

function send(family: string, context: Context, body: Buffer, outcome: Outcome, stm?: string) {
  const post: Post = {
    target: `${pathOf('collect', 'fuzz-gio')}?n=${context.mark}${stm === undefined ? '' : `&stm=${stm}`}`,
    headers: claims(context),
    body,
  };
  return tell({ family, dialect: 'growingio', post, outcome, otherHashes: xorHashes(post) });
}

const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return [...bytes, Number(left)];
};

const sound = (context: Context): Buffer => Buffer.from(makeList(context, 'collect', 2, 0).text);

const cutSnappy: Family = (context) => {
  const whole = snappy(sound(context));
  return send(
    'truncated snappy',
    context,
    whole.subarray(0, 2 + context.dice.below(whole.length - 3)),
    undecodable,
  );
};

/** A block whose length, literals or copies claim what is not there. */
const lyingSnappy: Family = (context) => {
  const { dice } = context;
  const whole = snappy(sound(context));
  const content = whole.subarray(whole.findIndex((byte) => byte < 0x80) + 1);
  const body = dice.pick<() => Buffer>([
    () =>
      Buffer.concat([Buffer.from(varint(BigInt(dice.pick([1, 2 ** 31, 2 ** 32 - 1, 2 ** 40])))), content]),
    () => Buffer.concat([Buffer.from(varint(0xffff_ffff_ffff_ffffn)), content]),
    // A literal whose length of four bytes is negative to who reads it signed, and a copy from before the beginning.
    () => Buffer.from([...varint(1000n), 0xfc, 0xff, 0xff, 0xff, 0xff, ...dice.bytes(20)]),
    () => Buffer.from([...varint(1000n), 0xfe, 0xff, 0xff, ...dice.bytes(20)]),
    () => Buffer.from([...varint(8n), 0x00, 0x5b, 0x11, 0x00]),
  ])();
  return send('snappy that lies', context, body, undecodable);
};

/** XORed with another time than the one that is named. */
const wrongTime: Family = (context) => {
  const { dice, nowMs } = context;
  const key = 1 + dice.below(255);
  const stm = dice.pick([
    `${nowMs - (nowMs % 256) + ((key + 1 + dice.below(254)) % 256)}`,
    '',
    'abc',
    undefined,
  ]);
  const isSame = stm !== undefined && /^\d+$/.test(stm) && Number(stm) % 256 === key;
  return send(
    'XOR with another time',
    context,
    xor(snappy(sound(context)), key),
    isSame ? unsure : undecodable,
    stm,
  );
};

/** Fields that no shape names belong to an event all the same. */
const unknownFields: Family = (context) => {
  const { dice } = context;
  const { bytes, items } = makeProtobuf(context, 1);
  const length = bytes.findIndex((byte, at) => at > 0 && byte < 0x80) + 1;
  const depth = dice.pick([1, 50, 5000]);
  let nested: Buffer = Buffer.from('deep');
  for (let left = depth; left > 0 && nested.length < 100_000; left--) {
    nested = Buffer.concat([Buffer.from([0x0a, ...varint(BigInt(nested.length))]), nested]);
  }
  const extra = Buffer.from(
    dice.pick<() => readonly number[]>([
      () => [...varint(8000n), ...varint(0xffff_ffff_ffff_ffffn)],
      () => [...varint(8000n), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      () => [...varint(8002n), ...varint(BigInt(nested.length)), ...nested],
      () => [...varint(8001n), ...dice.bytes(8)],
      () => [...varint(8005n), ...dice.bytes(4)],
      // A known field of another wire type, and the largest numbers of known ones.
      () => [...varint(6n * 8n + 2n), 2, 0x41, 0x42],
      () => [...varint(14n * 8n), ...varint(0x7fff_ffff_ffff_ffffn)],
    ])(),
  );
  const message = Buffer.concat([bytes.subarray(length), extra]);
  const body = Buffer.concat([Buffer.from([0x0a, ...varint(BigInt(message.length))]), message]);
  return send('protobuf with unknown fields', context, body, { kind: 'items', items });
};

const brokenProtobuf: Family = (context) => {
  const { dice } = context;
  const { bytes } = makeProtobuf(context, 1);
  const long = (last: number) => Buffer.from([...Array.from({ length: last }, () => 0xff), 0x01]);
  const body = dice.pick<() => Buffer>([
    () => bytes.subarray(0, 3 + dice.below(bytes.length - 4)),
    () => Buffer.concat([bytes, Buffer.from([0x0a]), long(4)]),
    () => Buffer.concat([bytes, long(10)]),
    () => Buffer.concat([bytes, long(11)]),
    () => Buffer.concat([bytes, Buffer.from([0x0b, 0x0c])]),
    () => Buffer.concat([bytes, Buffer.from([0x00, 0x00])]),
    () => Buffer.concat([Buffer.from([0x12]), bytes.subarray(1)]),
  ])();
  return send('broken protobuf', context, body, undecodable);
};

const rubbish: Family = (context) => {
  const { dice } = context;
  const text = sound(context).toString();
  const body = dice.pick<() => Buffer>([
    () => dice.bytes(1 + dice.below(400)),
    () => Buffer.alloc(1 + dice.below(70_000), dice.pick(['[', '{', ' ', 'A', '"', '\\', '\u00ff'])),
    () => {
      const lz = Buffer.from(LZString.compressToUint8Array(text));
      return lz.subarray(0, dice.below(lz.length));
    },
    () => Buffer.from(LZString.compressToBase64(text)),
    () => Buffer.from(LZString.compressToUTF16(text).slice(0, 5 + dice.below(50))),
    () => Buffer.from(LZString.compressToUint8Array(dice.bytes(50).toString('latin1'))),
    () => gzip(gzip(gzip(text))),
    () => gzip(dice.bytes(50)),
    () => Buffer.from(text, 'utf16le'),
  ])();
  return send('rubbish', context, body, unsure, `${context.nowMs}`);
};

/** LZString of one letter over and over, each entry one longer than the last: what the packages would write, in no time. */
function lzBomb(entries: number): Buffer {
  const bits: number[] = [];
  const write = (value: number, width: number) => {
    for (let bit = 0; bit < width; bit++) bits.push((value >>> bit) & 1);
  };
  write(0, 2);
  write(0x61, 8);
  let width = 3;
  let untilWider = 4;
  for (let entry = 4; entry < 4 + entries; entry++) {
    write(entry, width);
    untilWider--;
    if (untilWider === 0) untilWider = 2 ** width++;
  }
  write(2, width);
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [at, bit] of bits.entries()) bytes[at >>> 3]! |= bit << (7 - (at % 8));
  return bytes;
}

/** Gzip of gzip of gzip: what stands behind it is ignored, so that each may inflate to as much as is allowed. */
function nestedGzip(depth: number): Buffer {
  let inner: Buffer = gzip('[]');
  for (let left = depth; left > 0; left--) inner = gzip(Buffer.concat([inner, Buffer.alloc(19_000_000)]));
  return inner;
}

const bombs = [
  () => nestedGzip(30),
  () => gzip(Buffer.alloc(60_000_000, '[')),
  () => snappy(Buffer.alloc(60_000_000, '[')),
  () => snappy(Buffer.from(`["${'a'.repeat(25_000_000)}"]`)),
  () => lzBomb(30_000),
  () =>
    gzip(
      writeList(
        'EventV3List',
        Array.from({ length: 10_001 }, () => ({ deviceId: 'd' })),
      ),
    ),
].map(once);

const bomb: Family = (context) => send('bombs', context, context.dice.pick(bombs)(), undecodable);

/** As many fields as a protobuf body can hold, and as deep as JSON in snappy goes. */
const strained: Family = (context) => {
  const { dice, mark } = context;
  const list = (members: string) =>
    `[{"eventType":"CUSTOM","eventName":"b","deviceId":"d","attributes":{"mark":"${mark}",${members}}}]`;
  const refusedOne: readonly Item[] = [{ kind: 'refused' }];
  return dice.pick([
    () => {
      const fields = Buffer.concat(Array.from({ length: 300_000 }, () => Buffer.from([0x10, 0x01])));
      const body = Buffer.concat([Buffer.from([0x0a, ...varint(BigInt(fields.length))]), fields]);
      return send('many fields', context, gzip(body), unsure);
    },
    () => {
      const abyss = `${'['.repeat(900)}1${']'.repeat(900)}`;
      return send('deep JSON', context, snappy(Buffer.from(list(`"a":${abyss}`))), {
        kind: 'items',
        items: refusedOne,
      });
    },
    () => send('deep JSON', context, snappy(Buffer.from(list(`"a":${'['.repeat(1_000_000)}`))), undecodable),
  ])();
};

export const growingioBroken: readonly (readonly [weight: number, family: Family])[] = [
  [50, cutSnappy],
  [50, lyingSnappy],
  [50, wrongTime],
  [60, unknownFields],
  [60, brokenProtobuf],
  [60, rubbish],
  [2, bomb],
  [3, strained],
];
