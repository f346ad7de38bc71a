import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A request as an SDK of Analysys would send it. */
export interface SdkRequest {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface SentEvent {
  readonly appid: string;
  readonly xwho: string;
  readonly xwhat: string;
  readonly xwhen: number;
  readonly xcontext: Readonly<Record<string, unknown>>;
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const gzipped = (text: string): Buffer => Buffer.from(gzipSync(text).toString('base64'));

/** What the PHP, Go and Lua SDKs send, none of which was recorded. */
export const serverRequests = {
  php: (events: readonly SentEvent[], appid: string): SdkRequest => ({
    method: 'POST',
    path: `/up?appid=${appid}`,
    headers: { ...form, 'User-Agent': 'ANALYSYSAGENT PHP SDK' },
    body: gzipped(JSON.stringify(events)),
  }),
  go: (events: readonly SentEvent[]): SdkRequest => ({
    method: 'POST',
    path: '/up',
    headers: { ...form, 'User-Agent': 'Go-http-client/1.1', 'Accept-Encoding': 'gzip' },
    // Go's encoding/json escapes these three.
    body: Buffer.from(
      JSON.stringify(events).replace(/[<>&]/g, (it) => `\\u00${it.charCodeAt(0).toString(16)}`),
    ),
  }),
  lua: (events: readonly SentEvent[]): SdkRequest => ({
    method: 'POST',
    path: '/up',
    headers: { ...form, 'User-Agent': 'LuaSocket 3.0.0', TE: 'trailers', Connection: 'close, TE' },
    body: Buffer.from(JSON.stringify(events)),
  }),
} as const;

/** sendType `send`: navigator.sendBeacon, which names text as its type for a string and none for a blob. */
export const beacon = (events: readonly SentEvent[], appid: string, isTyped = true): SdkRequest => ({
  method: 'POST',
  path: `/up?appid=${appid}`,
  headers: isTyped ? { 'Content-Type': 'text/plain;charset=UTF-8' } : {},
  body: Buffer.from(JSON.stringify(events)),
});

/** The default sendType: an image whose URL holds one event. */
export const image = (event: SentEvent, uploadPath = '/'): SdkRequest =>
  imageOf(JSON.stringify([event]), `up?appid=${event.appid}`, uploadPath);

function imageOf(text: string, url: string, uploadPath: string): SdkRequest {
  const data = encodeURIComponent(webBase64(text));
  const digest = webMd5(`/${url}&data=${data}&send_type=`);
  const sendType = `${digest[2]}${digest[0]}${digest[4]}`;
  return {
    method: 'GET',
    path: `${uploadPath}${url}&data=${data}&send_type=${sendType}`,
    headers: { Accept: 'image/avif,image/webp,*/*;q=0.8', 'Sec-Fetch-Dest': 'image' },
    body: Buffer.alloc(0),
  };
}

export interface Encryption {
  readonly lib: string;
  readonly appid: string;
  readonly libVersion: string;
  readonly type: 1 | 2;
  /** Milliseconds since 1970. */
  readonly reqt: number;
}

const saying = ({ lib, appid, libVersion, type, reqt }: Encryption): string =>
  `spv=${encodeURIComponent(webBase64(`${lib}|${appid}|${libVersion}||`))}&reqt=${reqt}&reqv=${type}`;

/** The encrypt plugin of the web SDK, whose query says how; mini-programs send the same. */
export const encryptPlugin = (events: readonly SentEvent[], encryption: Encryption): SdkRequest => ({
  method: 'POST',
  path: `/up?appid=${encodeURIComponent(encryption.appid)}&${saying(encryption)}`,
  headers: form,
  body: gzipped(encrypt(JSON.stringify(events), encryption, webMd5)),
});

/** The encrypt plugin with the default sendType. */
export const encryptedImage = (event: SentEvent, encryption: Encryption): SdkRequest =>
  imageOf(
    gzipped(encrypt(JSON.stringify([event]), encryption, webMd5)).toString(),
    `up?appid=${encodeURIComponent(encryption.appid)}&${saying(encryption)}`,
    '/',
  );

/** Android and iOS, whose headers say how. Android writes base64 in lines. */
export const encryptedMobile = (events: readonly SentEvent[], encryption: Encryption): SdkRequest => {
  const { lib, appid, libVersion, type, reqt } = encryption;
  return {
    method: 'POST',
    path: '/up',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'User-Agent': 'Dalvik/2.1.0 (Linux; U; Android 13)',
      spv: Buffer.from(`${lib}|${appid}|${libVersion}|null|1.0.3`).toString('base64'),
      reqt: `${reqt}`,
      reqv: `${type}`,
    },
    body: Buffer.from(
      gzipped(encrypt(JSON.stringify(events), encryption, utf8Md5))
        .toString()
        .replace(/.{1,76}/g, '$&\n'),
    ),
  };
};

type Md5 = (text: string) => string;
const utf8Md5: Md5 = (text) => createHash('md5').update(text, 'utf8').digest('hex');

/** Upper-case hexadecimal of AES-128, by the recipe of the vendor. */
function encrypt(text: string, { lib, appid, libVersion, type, reqt }: Encryption, md5: Md5): string {
  let row = Buffer.from(md5(lib + appid + libVersion + reqt).toUpperCase()).toString('base64');
  const version = libVersion.split('.');
  const last = Number(version[version.length - 1]);
  const lastButOne = Number(version[version.length - 2]);
  if (lastButOne % 2) row = row.split('').reverse().join('');
  let key = '';
  for (let place = 0; place < row.length; place++) {
    if (place % 2 === 0 && last % 2 !== 0) key += row[place];
    if (place % 2 !== 0 && last % 2 === 0) key += row[place];
  }
  if (key.length < 16) key += key.split('').reverse().join('');
  key = key.slice(0, 16);
  const cipher =
    type === 1
      ? createCipheriv('aes-128-ecb', key, null)
      : createCipheriv('aes-128-cbc', key, 'Analysys_315$CBC');
  return (cipher.update(text, 'utf8', 'hex') + cipher.final('hex')).toUpperCase();
}

/** The web SDK's base64: of an UTF-8 that encodes every UTF-16 unit by itself. */
function webBase64(text: string): string {
  const bytes: number[] = [];
  for (let place = 0; place < text.length; place++) {
    const unit = text.charCodeAt(place);
    if (unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push((unit >> 6) | 192, (unit & 63) | 128);
    else bytes.push((unit >> 12) | 224, ((unit >> 6) & 63) | 128, (unit & 63) | 128);
  }
  return Buffer.from(bytes).toString('base64');
}

/** The web SDK's MD5, which shifts UTF-16 units into words as if they were bytes (RFC 1321 otherwise). */
function webMd5(text: string): string {
  const blocks = ((text.length + 8) >>> 6) + 1;
  const words = new Int32Array(blocks * 16);
  const add = (place: number, value: number) => {
    words[place >> 2] = (words[place >> 2] ?? 0) | (value << ((place % 4) * 8));
  };
  for (let place = 0; place < text.length; place++) add(place, text.charCodeAt(place));
  add(text.length, 0x80);
  words[blocks * 16 - 2] = text.length << 3;

  const turns = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
  ];
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476].map((word) => word | 0);
  for (let block = 0; block < words.length; block += 16) {
    let [a = 0, b = 0, c = 0, d = 0] = state;
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const [mixed, place] = [
        [(b & c) | (~b & d), step],
        [(d & b) | (~d & c), (5 * step + 1) % 16],
        [b ^ c ^ d, (3 * step + 5) % 16],
        [c ^ (b | ~d), (7 * step) % 16],
      ][round] as [number, number];
      const constant = Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32);
      const sum = (a + mixed + constant + (words[block + place] ?? 0)) | 0;
      const turn = turns[round]?.[step % 4] ?? 0;
      [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0];
    }
    [a, b, c, d].forEach((word, at) => {
      state[at] = ((state[at] ?? 0) + word) | 0;
    });
  }
  const digest = Buffer.alloc(16);
  state.forEach((word, at) => {
    digest.writeInt32LE(word, at * 4);
  });
  return digest.toString('hex');
}
