import { gzipSync } from 'node:zlib';
import { caseOf, elementsOf, made, plain, reference, zipped } from './bodies.ts';
import type { Family } from './cases.ts';
import { soundElement } from './events.ts';
import type { Outcome } from './reference-decoder.ts';

/** Bodies that ask for more memory, depth or time than their length would show. */

/** Nested as deep as a body of 5 MB allows; the first event is sound. */
const deep: Family = (context) => {
  const { dice } = context;
  const depth = dice.pick([500, 5_000, 20_000, 100_000, 1_000_000]);
  const [sound, other] = elementsOf(context, soundElement, 2);
  const abyss = dice.pick([
    `${'['.repeat(depth)}1${']'.repeat(depth)}`,
    `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
    '['.repeat(depth),
  ]);
  const isClosed = !abyss.endsWith('[');
  const text = `[${sound!.text},${other!.text.replace('"mark":', `"abyss":${abyss},"mark":`)}]`;
  const outcome: Outcome = isClosed
    ? { kind: 'items', items: [{ kind: 'either' }, { kind: 'refused' }] }
    : { kind: 'undecodable' };
  const wrap = text.length > 4_000_000 ? zipped : dice.pick([plain, zipped]);
  return reference('deep JSON', context, wrap(Buffer.from(text)), { outcome });
};

const many: Family = (context) => {
  const { dice } = context;
  const sort = dice.random();
  if (sort < 0.1) {
    // As many events as a request may hold.
    return caseOf('10,000 events', context, made(elementsOf(context, soundElement, 10_000)), zipped);
  }
  const text = dice.pick([
    () =>
      `[${Array.from({ length: 10_001 }, () => soundElement(dice, context.mark, context.nowMs).text).join(',')}]`,
    () => `[${'1,'.repeat(10_000)}1]`,
    () => `[${'[],'.repeat(600_000)}[]]`,
  ])();
  return caseOf('too many events', context, { text, truth: 'undecodable' }, zipped);
};

const manyValues: Family = (context) => {
  const sound = soundElement(context.dice, context.mark, context.nowMs).text;
  const text = `[${sound.replace('"mark":', `"list":[${'1,'.repeat(1_100_000)}1],"mark":`)}]`;
  const outcome: Outcome = { kind: 'undecodable' };
  return reference('too many values', context, zipped(Buffer.from(text)), { outcome });
};

/** Numbers, keys and escapes as many and as long as a body can hold: what costs more than its length would show. */
const costly: Family = (context) => {
  const { dice } = context;
  const size = dice.pick([10_000, 100_000, 1_000_000]);
  const value = dice.pick<() => string>([
    () => `1.${'0'.repeat(size * 4)}1`,
    () => `1${'0'.repeat(size * 4)}1.5`,
    () => `-${'9'.repeat(size * 4)}`,
    () => `0.${'3'.repeat(size)}`,
    () => `1e${'9'.repeat(size)}`,
    () => `1e-${'0'.repeat(size)}1`,
    () => `[${'123456789012345678901234,'.repeat(size / 50)}1]`,
    () => `"${'\\ud83d'.repeat(size / 6)}"`,
    () => `"${'\\u0000'.repeat(size / 6)}"`,
    () => `{${Array.from({ length: size / 40 }, (_, key) => `"k${key}":1`).join(',')}}`,
    () =>
      `{${Array.from({ length: size / 40 }, (_, key) => `"${(key * 7919) % 4_294_967_290}":1`).join(',')}}`,
    () => `[${'[[]],'.repeat(size / 40)}[]]`,
  ])();
  const text = `[${soundElement(dice, context.mark, context.nowMs).text.replace('"mark":', `"costly":${value},"mark":`)}]`;
  return caseOf('costly values', context, { text, truth: [true] }, zipped);
};

/** Bombs cost their maker seconds, so each is made once. */
const bombs = [
  () => zipped(Buffer.alloc(60_000_000)),
  () => zipped(Buffer.alloc(60_000_000, '[')),
  () => zipped(Buffer.alloc(60_000_000, ' ')),
  () => zipped(Buffer.concat([Buffer.from('["'), Buffer.alloc(30_000_000, 'a'), Buffer.from('"]')])),
  () => zipped(gzipSync(Buffer.alloc(60_000_000))),
  () => gzipSync(Buffer.alloc(60_000_000)),
].map((make) => {
  let once: Buffer | undefined;
  return () => {
    once ??= make();
    return once;
  };
});

const bomb: Family = (context) => {
  const body = context.dice.pick(bombs)();
  const isRaw = body[0] === 0x1f;
  return reference('zip bombs', context, body, { outcome: { kind: isRaw ? 'unsure' : 'undecodable' } });
};

/** A string that fills the body; an event larger than a row may be. */
const huge: Family = (context) => {
  const { dice, mark, nowMs } = context;
  const sound = soundElement(dice, mark, nowMs).text;
  if (dice.chance(0.5)) {
    const text = `[${sound.replace('"mark":', `"long":"${'x'.repeat(500_000 + dice.below(4_000_000))}","mark":`)}]`;
    return caseOf('huge strings', context, { text, truth: [true] }, plain);
  }
  const members = Array.from({ length: 1_300 }, (_, key) => `"k${key}":"${'y'.repeat(8_000)}"`).join(',');
  const text = `[${sound.replace('"mark":', `${members},"mark":`)}]`;
  return reference('events too large for a row', context, zipped(Buffer.from(text)), {
    outcome: { kind: 'items', items: [{ kind: 'refused' }] },
  });
};

export const strain: readonly (readonly [weight: number, family: Family])[] = [
  [4, deep],
  [0.5, many],
  [0.3, manyValues],
  [1, bomb],
  [0.7, huge],
  [2, costly],
];
