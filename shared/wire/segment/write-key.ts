import type { RequestHead } from '../dialect.ts';
import type { JsonValue } from '../json/parse-json.ts';
import { readParameter } from '../read-parameter.ts';

/**
 * The write key of a request, which is its project: the user name of the basic authentication, as all SDKs have it; else
 * `writeKey` of the body, which needs no header and goes with OAuth's; else that of the query, as beacons have it.
 */
export const readWriteKey = (head: RequestHead, inBody: JsonValue | undefined): string | undefined =>
  readUserName(head.header('authorization')) ??
  head.project ??
  keyOf(inBody) ??
  keyOf(readParameter(head.query, 'writeKey'));

/** Undefined for what is no key. */
export const keyOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value.toWellFormed() : undefined;

function readUserName(authorization: string | undefined): string | undefined {
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  // A key without the colon after it is understood as well.
  const [name] = decoded.split(':', 1);
  return keyOf(name);
}
