import { createCipheriv } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  type Context,
  type Expected,
  expectReference,
  type Family,
  type FuzzCase,
  type Headers,
  type Post,
  toBytes,
} from './cases.ts';
import { anyElement, type Element, soundElement } from './events.ts';
import { initialVector, keyOf, type Outcome } from './reference-decoder.ts';

/** A body of Analysys events whose truth is known from how it was made, not from any decoder. */
interface Made {
  readonly text: string;
  readonly truth: readonly boolean[] | 'undecodable';
}

const targetOf = ({ dice, mark }: Context): string =>
  `${dice.pick(['/up', '/up', '/up', '/up/', '//up', '/up/up', '///up//up'])}?n=${mark}${dice.chance(0.3) ? '&appid=fuzz' : ''}`;

/** What SDKs claim of their bodies, and what nobody should. */
export const misleadingHeaders = ({ dice }: Context): Headers => {
  const headers: [string, string][] = [];
  const type = dice.pick([
    undefined,
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain; charset=ISO-8859-1',
    'text/plain;charset=UTF-16',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'image/gif',
    'application/json; charset=shift_jis',
    ';;;',
    '',
  ]);
  if (type !== undefined) headers.push(['Content-Type', type]);
  const encoding = dice.pick([
    undefined,
    undefined,
    'UTF-8',
    'gzip',
    'br',
    'deflate',
    'identity',
    'gzip, gzip',
    'zstd',
    '\xff',
  ]);
  if (encoding !== undefined) headers.push(['Content-Encoding', encoding]);
  if (dice.chance(0.2)) headers.push(['X-Compress-Codec', '2'], ['X-Crypt-Codec', '1']);
  if (dice.chance(0.1)) headers.push(['Authorization', 'Bearer sekret'], ['Cookie', 'a=sekret']);
  if (dice.chance(0.1)) headers.push(['Expect', '100-continue']);
  if (dice.chance(0.1))
    headers.push(['traceparent', '00-zzzz-1-01'], ['X-Cloud-Trace-Context', '\u00ff/;o=9']);
  if (dice.chance(0.05)) headers.push(['User-Agent', 'u'.repeat(5000)]);
  return headers;
};

function elementsOf(context: Context, make: typeof anyElement, count: number): Element[] {
  const { dice, mark, nowMs } = context;
  return Array.from({ length: count }, (_, place) => make(dice, `${mark}.${place}`, nowMs));
}

const made = (elements: readonly Element[]): Made => ({
  text: `[${elements.map(({ text }) => text).join(',')}]`,
  truth: elements.map(({ isEvent }) => isEvent),
});

type Wrap = (bytes: Buffer) => Buffer;
const plain: Wrap = (bytes) => bytes;
const zipped: Wrap = (bytes) => Buffer.from(gzipSync(bytes, { level: 1 }).toString('base64'));
const wraps: readonly Wrap[] = [
  plain,
  plain,
  zipped,
  zipped,
  (bytes) => Buffer.from(bytes.toString('base64')),
  (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]),
  (bytes) => Buffer.concat([Buffer.from(' \r\n\t\n'), bytes, Buffer.from('\n\n ')]),
  (bytes) => zipped(Buffer.concat([Buffer.from('\ufeff '), bytes])),
  (bytes) => Buffer.from(gzipSync(bytes, { level: 1 }).toString('base64').replace(/.{76}/g, '$&\r\n')),
];

/** A case of a body whose truth is known; the reference decoder has to come to the same. */
function caseOf(family: string, context: Context, { text, truth }: Made, wrap: Wrap): FuzzCase {
  const post: Post = {
    target: targetOf(context),
    headers: misleadingHeaders(context),
    body: wrap(Buffer.from(text)),
  };
  const expected = expectReference(post, context.nowMs);
  checkTruth(family, expected.outcome, truth);
  return { family, steps: [{ write: toBytes(post) }], expected: [expected] };
}

/** The reference decoder is judged here: a difference is a fault of the proof. */
function checkTruth(family: string, outcome: Outcome, truth: Made['truth']): void {
  const isSame =
    truth === 'undecodable'
      ? outcome.kind === 'undecodable'
      : outcome.kind === 'items' &&
        outcome.items.length === truth.length &&
        outcome.items.every(({ kind }, place) => kind === 'either' || (kind === 'event') === truth[place]);
  if (isSame) return;
  throw new Error(
    `The reference decoder and the maker of ${family} disagree: ${JSON.stringify(truth)} and ${JSON.stringify(outcome).slice(0, 500)}`,
  );
}

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

/** Odd bodies of any kind, by the reference decoder's word. */
function reference(family: string, context: Context, body: Buffer, change: Partial<Expected> = {}): FuzzCase {
  const post: Post = { target: targetOf(context), headers: misleadingHeaders(context), body };
  return {
    family,
    steps: [{ write: toBytes(post) }],
    expected: [{ ...expectReference(post, context.nowMs), ...change }],
  };
}

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
  [4, deep],
  [0.5, many],
  [0.3, manyValues],
  [1, bomb],
  [0.7, huge],
  [2, costly],
  [40, encrypted],
  [40, image],
];
