import { gunzipSync } from 'node:zlib';
import { uncompress } from 'snappyjs';
import { readList } from '../growingio-protobuf.ts';

/** What of a request's head tells how its body is written. */
export interface BodyFacts {
  readonly stm: number | undefined;
  readonly isProtobuf: boolean;
}

/**
 * Undoes what the sender did to the body and parses it, with packages that anyone would take: the least that any server
 * must do with it.
 */
export function parseAnyBody(body: Buffer, facts?: BodyFacts): unknown {
  if (body.length === 0) return undefined;
  if (facts?.isProtobuf === true) return readList('EventV3List', body);
  const first = body[0];
  if (first === 0x5b) return JSON.parse(body.toString());
  if (first === 0x7b) return parseLines(body.toString());
  if (first === 0x1f) return parseLines(gunzipSync(body).toString());
  if (facts?.stm === undefined) {
    return JSON.parse(gunzipSync(Buffer.from(body.toString('latin1'), 'base64')).toString());
  }
  const key = facts.stm % 256;
  return JSON.parse(uncompress(body.map((byte) => byte ^ key)).toString());
}

/** One object, or one a line. */
const parseLines = (text: string): unknown =>
  text.endsWith('\n')
    ? text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : JSON.parse(text);
