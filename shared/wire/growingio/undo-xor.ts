import type { WireRequest } from '../dialect.ts';
import { parseJson } from '../json/parse-json.ts';
import { readParameter } from '../read-parameter.ts';
import { measureSnappy } from './decode-snappy.ts';
import { requestBounds } from './limits.ts';

type Sent = Pick<WireRequest, 'query' | 'header' | 'body'>;

/**
 * The body as it was before the SDK XORed every byte with the time of sending, which a resend does with another time.
 * A body is XORed where only so it is a snappy block, whatever its headers say; where it is one neither way they decide.
 */
export function undoXor(request: Sent): Buffer {
  const { body, header } = request;
  const key = keyOf(request);
  if (key === 0 || body.length === 0) return body;
  const first = body[0];
  const saysXor = header('x-crypt-codec') !== undefined;
  const isXored = () => measureSnappy(body) === undefined && measureSnappy(body, key) !== undefined;
  if (saysXor) {
    if (measureSnappy(body) !== undefined) return body;
  } else if (!isXored() || (looksLikeJson(first) && parseJson(body, requestBounds).ok)) return body;
  const plain = Buffer.allocUnsafe(body.length);
  for (let at = 0; at < body.length; at++) plain[at] = (body[at] as number) ^ key;
  return plain;
}

/** Whether it is a bracket or a brace, which one XORed block in 128 begins with too. */
const looksLikeJson = (first: number | undefined): boolean => first === 0x5b || first === 0x7b;

/** The lowest byte of the time of sending: the parameter stm, or the header X-Timestamp where it has none. */
function keyOf({ query, header }: Sent): number {
  const time = readParameter(query, 'stm') ?? header('x-timestamp') ?? '';
  return /^\d{1,15}$/.test(time) ? Number(time) % 256 : 0;
}
