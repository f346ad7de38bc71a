import { createCipheriv } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  caseOf,
  checkTruth,
  elementsOf,
  made,
  misleadingHeaders,
  plain,
  reference,
  targetOf,
  wraps,
  zipped,
} from './bodies.ts';
import { type Context, expectReference, type Family, type Post, toBytes } from './cases.ts';
import { anyElement, soundElement } from './events.ts';
import { initialVector, keyOf } from './reference-decoder.ts';

const events: Family = (context) =>
  caseOf(
    'events',
    context,
    made(elementsOf(context, anyElement, 1 + context.dice.below(8))),
    context.dice.pick(wraps),
  );

const singleEvent: Family = (context) => {
  const element = anyElement(context.dice, context.mark, context.nowMs);
  const isObject = element.text.startsWith('{');
  const text = isObject ? element.text : `[${element.text}]`;
  return caseOf('one object', context, { text, truth: [element.isEvent] }, context.dice.pick(wraps));
};

/** Each of these makes the whole body none. */
const spoilers: readonly ((text: string, context: Context) => string)[] = [
  (text, { dice }) => text.slice(0, 1 + dice.below(text.length - 1)),
  (text) => text.replace('"mark":', '"n":NaN,"mark":'),
  (text) => text.replace('"mark":', '"n":Infinity,"mark":'),
  (text) => text.replace('"mark":', '"n":-Infinity,"mark":'),
  (text) => text.replace('"mark":', '"n":undefined,"mark":'),
  (text) => text.replace('"mark":', '"n":01,"mark":'),
  (text) => text.replace('"mark":', '"n":.5,"mark":'),
  (text) => text.replace('"mark":', '"n":+5,"mark":'),
  (text) => text.replace('"mark":', '"n":0x10,"mark":'),
  (text) => text.replace('"mark":', '"n":1e,"mark":'),
  (text) => text.replace('"mark":', '"n":"it says "no"","mark":'),
  (text) => text.replace('"mark":', '"n":"a\nb","mark":'),
  (text) => text.replace('"mark":', '"n":"\\x41","mark":'),
  (text) => text.replace('"mark":', '"n":"\\ud8","mark":'),
  (text) => text.replace('"mark":', 'mark:1,"mark":'),
  (text) => text.replace('"mark":', '\'mark\':1,"mark":'),
  (text) => text.replace('}]', '},]'),
  (text) => text.replace('[{', '[,{'),
  (text) => `${text}x`,
  (text) => `${text}${text}`,
  (text) => `// no comments\n${text}`,
  (text) => `${text}/* none */`,
  (text) => `callback(${text})`,
  (text) => `data=${encodeURIComponent(text)}`,
  (text) => `\ufeff\ufeff${text}`,
];

const spoiled: Family = (context) => {
  const { dice } = context;
  const { text } = made(elementsOf(context, soundElement, 1 + dice.below(4)));
  const wrap = dice.pick([plain, zipped]);
  return caseOf('no JSON', context, { text: dice.pick(spoilers)(text, context), truth: 'undecodable' }, wrap);
};

const notUtf8: Family = (context) => {
  const { dice } = context;
  const [before = '', after = ''] = made(elementsOf(context, soundElement, 2)).text.split('sekret', 2);
  const wrong = dice.pick(['ff', 'c3', 'c0af', 'f4908080', 'f8888080', 'e28c', '80']);
  const text = Buffer.concat([Buffer.from(before), Buffer.from(wrong, 'hex'), Buffer.from(`${after}"}}]`)]);
  return reference('not UTF-8', context, dice.pick([plain, zipped])(text));
};

const strange: Family = (context) => {
  const { dice } = context;
  const body = dice.pick<() => Buffer>([
    () => Buffer.alloc(0),
    () => Buffer.from('[]'),
    () =>
      Buffer.from(
        dice.pick([
          'null',
          'true',
          '0',
          '"x"',
          '{}',
          '[',
          ']',
          '[[]]',
          '[{}]',
          '\ufeff',
          '   ',
          '\r\n',
          '=',
          '====',
          'A',
          '%5B%5D',
        ]),
      ),
    () => dice.bytes(1 + dice.below(400)),
    () => Buffer.alloc(1 + dice.below(70_000), dice.pick(['[', '{', ' ', 'A', '\u0000', '"', '\\'])),
    () => gzipSync(made(elementsOf(context, soundElement, 2)).text),
    () => zipped(zipped(Buffer.from(made(elementsOf(context, soundElement, 2)).text))),
    () => zipped(Buffer.alloc(0)),
    () => Buffer.from('H4sIAAAAAAAA'),
    () => Buffer.from(made(elementsOf(context, soundElement, 1)).text, 'utf16le'),
  ])();
  return reference('strange bodies', context, body);
};

const cutGzip: Family = (context) => {
  const { dice } = context;
  const whole = gzipSync(made(elementsOf(context, soundElement, 3)).text);
  const cut = whole.subarray(0, 2 + dice.below(whole.length - 2));
  const family = 'truncated gzip';
  const post: Post = { target: targetOf(context), body: Buffer.from(cut.toString('base64')) };
  const expected = expectReference(post, context.nowMs);
  checkTruth(family, expected.outcome, 'undecodable');
  return { family, steps: [{ write: toBytes(post) }], expected: [expected] };
};

/** The encryption of the vendor's plugin, with claims that are true or are rubbish. */
const encrypted: Family = (context) => {
  const { dice, mark } = context;
  const { text } = made(elementsOf(context, anyElement, 1 + dice.below(3)));
  const version = `4.${dice.below(10)}.${dice.below(10)}`;
  const lib = dice.pick(['JS', 'Android', 'iOS']);
  const reqt = String(context.nowMs - dice.below(1000));
  const reqv = dice.pick(['1', '2']);
  const key = keyOf(lib, 'fuzz', version, reqt);
  const cipher =
    reqv === '1'
      ? createCipheriv('aes-128-ecb', key, null)
      : createCipheriv('aes-128-cbc', key, initialVector);
  const secret = Buffer.concat([cipher.update(text), cipher.final()]);
  const isTrue = dice.chance(0.5);
  const claims = new URLSearchParams({
    n: mark,
    appid: 'fuzz',
    spv: Buffer.from(`${lib}|fuzz|${version}||`).toString('base64'),
    reqt,
    reqv,
  });
  let hex = secret.toString('hex').toUpperCase();
  if (!isTrue) {
    const spoil = dice.pick([
      () =>
        claims.set(
          'spv',
          dice.pick(['', '!!!', 'fHx8', dice.bytes(30).toString('base64'), 'A'.repeat(4000)]),
        ),
      () => claims.set('reqt', dice.pick(['', '0', '-1', 'NaN', '9'.repeat(400)])),
      () => claims.set('reqv', dice.pick(['', '0', '3', 'two', '1.0'])),
      () => claims.delete(dice.pick(['spv', 'reqt'])),
      () => {
        hex = hex.slice(0, dice.below(hex.length));
      },
      () => {
        hex = dice.bytes(dice.below(200)).toString('hex');
      },
      () => {
        hex = `${hex}ZZ`;
      },
    ]);
    spoil();
  }
  const post: Post = {
    target: `/up?${claims}`,
    headers: misleadingHeaders(context),
    body: zipped(Buffer.from(hex)),
  };
  return {
    family: 'encrypted',
    steps: [{ write: toBytes(post) }],
    expected: [expectReference(post, context.nowMs)],
  };
};

/** Events in the address of an image. */
const image: Family = (context) => {
  const { dice, mark } = context;
  const text = `[${anyElement(dice, mark, context.nowMs).text}]`;
  let data = encodeURIComponent(Buffer.from(text).toString('base64'));
  if (dice.chance(0.4)) {
    data = dice.pick([
      () => '',
      () => data.slice(0, dice.below(data.length)),
      () => '%',
      () => '%zz%00%ff',
      () => encodeURIComponent(text),
      () => data.replaceAll('%2B', '+'),
      () => `${data}&data=${data}`,
    ])();
  }
  if (data.length > 50_000) data = data.slice(0, 50_000);
  const post: Post = {
    method: 'GET',
    target: `/up?n=${mark}&appid=fuzz&data=${data}&send_type=${dice.pick(['abc', '', 'a%00b'])}`,
    headers: [['Accept', 'image/*']],
    body: Buffer.alloc(0),
  };
  return {
    family: 'image',
    steps: [{ write: toBytes(post) }],
    expected: [expectReference(post, context.nowMs)],
  };
};

/** Families whose truth is known from how they are made, each with how often it comes. */
export const structured: readonly (readonly [weight: number, family: Family])[] = [
  [300, events],
  [60, singleEvent],
  [120, spoiled],
  [30, notUtf8],
  [60, strange],
  [30, cutGzip],
  [40, encrypted],
  [40, image],
];
