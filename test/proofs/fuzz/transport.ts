import { misleadingHeaders } from './bodies.ts';
import {
  type Context,
  type Expected,
  expectReference,
  type Family,
  type FuzzCase,
  type Headers,
  hashOf,
  neverWhole,
  type Post,
  toBytes,
} from './cases.ts';
import { soundElement } from './events.ts';

/** What clients do to HTTP itself: requests that are cut, crawl, lie or are none. */

function soundPost(context: Context, count = 2, place = ''): Post {
  const { dice, mark, nowMs } = context;
  const texts = Array.from(
    { length: count },
    (_, at) => soundElement(dice, `${mark}${place}.${at}`, nowMs).text,
  );
  return { target: `/up?n=${mark}${place}`, body: Buffer.from(`[${texts.join(',')}]`) };
}

const chunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

const chunkedHeaders: Headers = [['Transfer-Encoding', 'chunked']];

function slices(context: Context, bytes: Buffer, most: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + context.dice.below(most);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

const pieces: Family = (context) => {
  const post = { ...soundPost(context), headers: misleadingHeaders(context) };
  const bytes = toBytes(post);
  const steps = slices(context, bytes, Math.ceil(bytes.length / 3)).flatMap((write) => [
    { write },
    { pauseMs: context.dice.below(20) },
  ]);
  return { family: 'in pieces', steps, expected: [expectReference(post, context.nowMs)] };
};

const chunked: Family = (context) => {
  const post = { ...soundPost(context), headers: chunkedHeaders };
  const head = toBytes({ ...post, body: Buffer.alloc(0) });
  const body = slices(context, post.body, 200).map(chunk);
  const write = Buffer.concat([head, ...body, Buffer.from('0\r\n\r\n')]);
  return { family: 'chunked', steps: [{ write }], expected: [expectReference(post, context.nowMs)] };
};

/** The upload stops in its middle: torn, closed, or cut within a chunk. */
const aborted: Family = (context) => {
  const { dice } = context;
  const isChunked = dice.chance(0.3);
  const post = { ...soundPost(context), headers: isChunked ? chunkedHeaders : [] };
  const bytes = isChunked
    ? Buffer.concat([toBytes({ ...post, body: Buffer.alloc(0) }), chunk(post.body)])
    : toBytes(post);
  // The head at least, so that the server is reading the body.
  const least = bytes.indexOf('\r\n\r\n') + 4;
  const write = bytes.subarray(0, least + dice.below(bytes.length - least));
  return {
    family: 'aborted uploads',
    steps: [{ write }, { pauseMs: dice.below(30) }, { end: dice.pick(['half', 'reset'] as const) }],
    expected: [neverWhole(post)],
  };
};

/** Everything was sent, and nobody waits for the answer. */
const gone: Family = (context) => {
  const post = soundPost(context);
  const expected: Expected = { ...expectReference(post, context.nowMs), answer: 'any', mayBeAbsent: true };
  return {
    family: 'gone before the answer',
    steps: [{ write: toBytes(post) }, { end: context.dice.pick(['half', 'reset'] as const) }],
    expected: [expected],
  };
};

const pipelined: Family = (context) => {
  const count = 2 + context.dice.below(20);
  const posts = Array.from({ length: count }, (_, place) => soundPost(context, 1, `-${place}`));
  return {
    family: 'pipelined',
    steps: [{ write: Buffer.concat(posts.map(toBytes)) }],
    expected: posts.map((post) => expectReference(post, context.nowMs)),
  };
};

/** Content-Length says less than there is: the request is what it says, and the rest is the next request, and none. */
const shortLength: Family = (context) => {
  const whole = soundPost(context);
  const body = whole.body.subarray(0, context.dice.below(whole.body.length - 1));
  const post = { ...whole, body };
  const write = toBytes({ ...whole, headers: [['Content-Length', String(body.length)]] });
  return {
    family: 'Content-Length too small',
    steps: [{ write }],
    expected: [{ ...expectReference(post, context.nowMs), answer: 'any', mayBeAbsent: true }],
  };
};

const longLength: Family = (context) => {
  const post = soundPost(context);
  const length = post.body.length + 1 + context.dice.below(100_000);
  return {
    family: 'Content-Length too large',
    steps: [
      { write: toBytes({ ...post, headers: [['Content-Length', String(length)]] }) },
      { pauseMs: context.dice.below(50) },
      { end: context.dice.pick(['half', 'reset'] as const) },
    ],
    expected: [neverWhole(post)],
  };
};

/** Framing that no two parsers agree on: never stored. */
const brokenFraming: Family = (context) => {
  const { dice } = context;
  const post = soundPost(context);
  const { body } = post;
  const length: readonly [string, string] = ['Content-Length', String(body.length)];
  const write = dice.pick<() => Buffer>([
    () => toBytes({ ...post, headers: [length, ['Content-Length', String(body.length + 1)]] }),
    () => toBytes({ ...post, headers: [length, ['Transfer-Encoding', 'chunked']] }),
    () =>
      toBytes({
        ...post,
        headers: [['Content-Length', dice.pick(['-1', 'abc', '1e3', '0x10', '99999999999999999999', '+5'])]],
      }),
    () => toBytes({ ...post, headers: chunkedHeaders, body: Buffer.concat([Buffer.from('zz\r\n'), body]) }),
    () => toBytes({ ...post, headers: chunkedHeaders, body: Buffer.from('ffffffffffffffffff\r\nx') }),
    () =>
      toBytes({
        ...post,
        headers: chunkedHeaders,
        body: Buffer.concat([chunk(body).subarray(0, -2), Buffer.from('xx0\r\n\r\n')]),
      }),
    () => toBytes({ ...post, headers: [['Transfer-Encoding', 'gzip, chunked, gzip']] }),
    () => toBytes({ ...post, headers: [length, ['Bad Header', 'x']] }),
    () => toBytes({ ...post, headers: [length, ['X-Nul', 'a\u0000b']] }),
  ])();
  return {
    family: 'broken framing',
    steps: [{ write }, { pauseMs: 30 }, { end: 'half' }],
    expected: [{ ...neverWhole(post), answer: 'refused' }],
  };
};

/** Lines that begin no request of HTTP/1.1. */
const garbage: Family = (context) => {
  const { dice } = context;
  const post = soundPost(context);
  const write = dice.pick<() => Buffer>([
    () => dice.bytes(1 + dice.below(2000)),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    () => Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
    () => Buffer.from(`POST /up HTTP/9.9\r\n\r\n`),
    () => Buffer.from(`post /up HTTP/1.1\r\nHost: x\r\n\r\n`),
    () => Buffer.from(`GET\r\n\r\n`),
    () => Buffer.from('\r\n\r\n\r\n\u0000\u0000'),
    () => toBytes({ ...post, headers: [['X-Huge', 'h'.repeat(1_000_000)]] }),
    () =>
      toBytes({
        ...post,
        headers: Array.from({ length: 30_000 }, (_, at) => [`X-${at}`, 'many of them'] as const),
      }),
    () => toBytes({ ...post, target: `/up?${'q'.repeat(1_000_000)}` }),
    () => Buffer.from('CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n'),
    () => Buffer.from('*'.repeat(100_000)),
  ])();
  return {
    family: 'garbage for HTTP',
    steps: [{ write }, { pauseMs: 30 }, { end: 'half' }],
    expected: [{ ...neverWhole(post), answer: 'refused' }],
  };
};

/** Well-formed requests that no SDK sends. */
const noRequest: Family = (context) => {
  const { dice, mark } = context;
  const sound = soundPost(context);
  const method = dice.pick(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'POST', 'GET']);
  const path = dice.pick([
    '/up%00',
    '/%75p',
    '/up/../up/x',
    '/UP',
    '/up;x',
    '/up/up/up',
    '/admin',
    '/.env',
    '/up\\',
    '/a//b',
    '/%ff%fe',
    '/upload',
    'http://127.0.0.1/up',
    '/\u00ff',
  ]);
  const target = ['POST', 'GET'].includes(method)
    ? `${path}?n=${mark}`
    : dice.pick([sound.target, `${path}?n=${mark}`]);
  const post: Post = { ...sound, method, target };
  // CORS may answer OPTIONS, and HEAD may be what GET is without its body.
  const isLenient = method === 'OPTIONS' || method === 'HEAD';
  return {
    family: 'no SDK’s request',
    steps: [{ write: toBytes(post) }, { pauseMs: 5 }, { end: 'half' }],
    expected: [
      isLenient
        ? { ...neverWhole(post), answer: 'any', outcome: { kind: 'unsure' } }
        : { ...neverWhole(post), answer: 'refused' },
    ],
  };
};

const tooLarge: Family = (context) => {
  const { dice, mark } = context;
  const bytes = dice.pick([5 * 1024 * 1024 + 1, 6_000_000, 10_000_000, 19_000_000, 50_000_000]);
  const fill = dice.pick(['[', 'A', ' ', '\u0000']);
  const body = Buffer.alloc(bytes, fill);
  const post: Post = { target: `/up?n=${mark}`, body };
  // Only the beginning is kept, and hashed; of 50 MB not all is read, so the sender may find the connection closed.
  const hash = hashOf({ ...post, body: body.subarray(0, 64 * 1024) });
  return {
    family: 'bodies too large',
    steps: [{ write: toBytes(post) }],
    expected: [{ answer: 'too_large', outcome: { kind: 'undecodable' }, hash, mayBeAbsent: false }],
  };
};

/** The front page that probes ask for. */
const frontPage: Family = (context) => {
  const post: Post = {
    method: 'GET',
    target: context.dice.pick(['/', '//', '/?x=1']),
    body: Buffer.alloc(0),
  };
  return {
    family: 'front page',
    steps: [{ write: toBytes(post) }],
    expected: [{ ...neverWhole(post), answer: 'any' }],
  };
};

export const transport: readonly (readonly [weight: number, family: Family])[] = [
  [40, pieces],
  [40, chunked],
  [40, aborted],
  [20, gone],
  [20, pipelined],
  [20, shortLength],
  [20, longLength],
  [20, brokenFraming],
  [30, garbage],
  [30, noRequest],
  [0.3, tooLarge],
  [3, frontPage],
];

/** For how long the server waits for a request, less than a machine in trouble may add to it. */
const patienceMs = 50_000;

/** A body that arrives a byte at a time: whole in the end, cut by its sender, or slower than the server waits. */
export function slowCase(context: Context, everyMs: number, length: number): FuzzCase {
  const { dice, nowMs } = context;
  const post = soundPost(context, 1);
  const bytes = toBytes(post);
  const whole = dice.chance(0.6);
  const from = Math.max(bytes.length - length, bytes.indexOf('\r\n\r\n') + 4);
  const end = whole ? bytes.length : bytes.length - 1 - dice.below(Math.min(length - 1, 20));
  const steps = [
    { write: bytes.subarray(0, from) },
    { drip: bytes.subarray(from, end), everyMs },
    ...(whole ? [] : [{ end: 'reset' } as const]),
  ];
  const isTooSlow = (end - from) * everyMs > patienceMs;
  const expected = expectReference(post, nowMs);
  return {
    family: isTooSlow ? 'slower than the server waits' : whole ? 'slow and whole' : 'slow and cut',
    steps,
    expected: [
      whole ? { ...expected, ...(isTooSlow && { answer: 'any', mayBeAbsent: true }) } : neverWhole(post),
    ],
  };
}
