import { gunzipSync } from 'node:zlib';

/** Inflates where needed and parses: the least that any server must do with such a body. */
export function parseAnyBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const json = body[0] === 0x5b ? body : gunzipSync(Buffer.from(body.toString('latin1'), 'base64'));
  return JSON.parse(json.toString());
}
