import { createDecipheriv, hash } from 'node:crypto';
import type { Refusal } from '../../events/event.ts';
import type { WireRequest } from '../dialect.ts';
import { readParameter } from '../read-parameter.ts';
import { decodeBase64 } from './decode-base64.ts';
import { mendUtf8 } from './mend-utf8.ts';

/** What an encrypting SDK says of its key: the web and mini-program SDKs in the query, the mobile ones in headers. */
export interface Envelope {
  /** Base64 of `lib|appid|libVersion|policyVersion|appVersion`; the mobile SDKs send it with plain bodies too. */
  readonly spv: string | undefined;
  /** The time of sending as the SDK wrote it: a part of the key. */
  readonly reqt: string | undefined;
  /** 1 is AES-128-ECB, 2 is AES-128-CBC. */
  readonly reqv: string | undefined;
}

export function readEnvelope({ query, header }: Pick<WireRequest, 'query' | 'header'>): Envelope {
  // No form parser touches a header, so spaces there are line ends that Android's base64 has.
  const say = (name: string) => readParameter(query, name) || header(name)?.replace(/\s+/g, '') || undefined;
  return { spv: say('spv'), reqt: say('reqt'), reqv: say('reqv') };
}

/** The appid in an spv. */
export const projectOf = ({ spv }: Envelope): string | undefined =>
  (spv === undefined ? undefined : readSender(spv)?.appid.slice(0, 255)) || undefined;

export type Decrypted =
  | { readonly ok: true; readonly text: Buffer }
  | { readonly ok: false; readonly refusal: Refusal };

/** Opens hexadecimal ciphertext, upper or lower case; JSON must come out, since that alone tells a right key from a wrong one. */
export function decrypt(hexadecimal: Buffer, envelope: Envelope): Decrypted {
  const { spv, reqt, reqv } = envelope;
  if (reqv === undefined)
    return refuse('it looks encrypted, but neither query nor headers name reqv; a proxy may have dropped it');
  if (reqv !== '1' && reqv !== '2')
    return refuse(`reqv is ${quote(reqv)}; 1 (AES-128-ECB) and 2 (AES-128-CBC) are known`);
  if (spv === undefined || reqt === undefined)
    return refuse(
      `it is encrypted, but neither query nor headers name ${spv === undefined ? 'spv' : 'reqt'}, which makes its key; a proxy may have dropped it`,
    );
  const sender = readSender(spv);
  if (sender === undefined)
    return refuse('spv should be base64 of "lib|appid|lib_version||", from which the key is made; it is not');

  const digits = hexadecimal.toString('latin1').trim();
  const ciphertext = Buffer.from(digits, 'hex');
  if (ciphertext.length * 2 !== digits.length)
    return refuse('the ciphertext should be hexadecimal; it is not, or it was cut off');
  if (ciphertext.length % blockBytes !== 0)
    return refuse(`the ciphertext has ${ciphertext.length} bytes, no multiple of 16: it was cut off`);

  for (const source of keySources(`${sender.lib}${sender.appid}${sender.libVersion}${reqt}`)) {
    const text = open(ciphertext, makeKey(source, sender.libVersion), reqv);
    if (text !== undefined) return { ok: true, text };
  }
  return refuse(
    `the key that spv and reqt make does not open it with reqv ${reqv}; lib, appid and version in spv should be those it was encrypted with`,
  );
}

const blockBytes = 16;
const initialVector = 'Analysys_315$CBC';

function open(ciphertext: Buffer, key: string, reqv: '1' | '2'): Buffer | undefined {
  const decipher =
    reqv === '1'
      ? createDecipheriv('aes-128-ecb', key, null)
      : createDecipheriv('aes-128-cbc', key, initialVector);
  try {
    const text = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    return text[0] === 0x5b || text[0] === 0x7b ? text : undefined;
  } catch {
    // The padding is wrong.
    return undefined;
  }
}

interface Sender {
  readonly lib: string;
  readonly appid: string;
  readonly libVersion: string;
}

function readSender(spv: string): Sender | undefined {
  const decoded = decodeBase64(Buffer.from(spv));
  if (decoded === undefined) return undefined;
  const parts = mendUtf8(decoded).toString().split('|');
  // An appid may hold the separator itself: what is more than five parts belongs to it.
  const extra = Math.max(0, parts.length - 5);
  const [lib = '', libVersion] = [parts[0], parts[2 + extra]];
  return libVersion === undefined
    ? undefined
    : { lib, appid: parts.slice(1, 2 + extra).join('|'), libVersion };
}

/**
 * The first 16 letters of every other letter of base64(MD5 as upper-case hexadecimal): of those at even places where the
 * last number of the version is odd, else at odd ones, backwards where the last number but one is odd. There are always
 * 22 of them, so the vendor's rule for shorter keys never applies.
 */
function makeKey(source: Buffer, libVersion: string): string {
  const letters = Buffer.from(hash('md5', source, 'hex').toUpperCase()).toString('base64');
  const numbers = libVersion.split('.').map(Number);
  // As in the vendor's JavaScript, what is no number counts as even for the direction and as odd for the places.
  const isBackwards = Math.abs((numbers.at(-2) ?? 0) % 2) === 1;
  const first = (numbers.at(-1) ?? 0) % 2 === 0 ? 1 : 0;
  const ordered = isBackwards ? [...letters].reverse() : [...letters];
  return ordered
    .filter((_, place) => place % 2 === first)
    .slice(0, blockBytes)
    .join('');
}

/** The mobile SDKs hash UTF-8. The web SDK's own MD5 takes UTF-16 units for bytes, which differs beyond ASCII only. */
function* keySources(text: string): Generator<Buffer> {
  const utf8 = Buffer.from(text);
  yield utf8;
  if (utf8.length === text.length) return;
  // Within each word of four units, a unit's upper byte runs into the next unit's lower one.
  yield Buffer.from(
    Array.from({ length: text.length }, (_, place) => {
      const before = place % 4 === 0 ? 0 : text.charCodeAt(place - 1) >> 8;
      return (text.charCodeAt(place) & 0xff) | before;
    }),
  );
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 40));

const refuse = (detail: string): Decrypted => ({
  ok: false,
  refusal: { reason: 'undecryptable', field: undefined, detail },
});
