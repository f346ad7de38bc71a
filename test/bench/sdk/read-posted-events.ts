import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

export interface PostedEvent {
  readonly n: number;
  /** By which copies can be told; undefined where the sender gives none. */
  readonly id: string | undefined;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** The events of a request of any of the senders, whose wire forms all differ. `url` is the path with the query. */
export function readPostedEvents(url: string, body: Buffer): PostedEvent[] {
  const posted = body.length === 0 ? fromForm(url.slice(url.indexOf('?') + 1)) : readBody(body);
  return listEvents(posted).flatMap((event) => {
    const n = numberOf(event);
    return n === undefined ? [] : [{ n, id: idOf(event) }];
  });
}

function readBody(body: Buffer): Json {
  const text = (isGzip(body) ? gunzipSync(body) : body).toString();
  if (/^[[{]/.test(text)) return text.includes('}\n{') ? readLines(text) : parse(text);
  return fromForm(text);
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
const parse = (text: string): Json => JSON.parse(text) as Json;
const readLines = (text: string): Json => text.trimEnd().split('\n').map(parse);

/** Mixpanel: `data` is base64. Sensors: `data_list` is base64 of gzip. */
function fromForm(text: string): Json {
  const form = new URLSearchParams(text);
  const encoded = form.get('data') ?? form.get('data_list');
  // Mixpanel does not escape the pluses.
  const bytes = Buffer.from((encoded ?? '').replaceAll(' ', '+'), 'base64');
  return bytes.length === 0 ? [] : readBody(bytes);
}

function listEvents(posted: Json): readonly JsonObject[] {
  if (Array.isArray(posted)) return posted.filter(isObject);
  if (!isObject(posted)) return [];
  const list = [posted.batch, posted.events, posted.data].find(Array.isArray);
  return list === undefined ? [posted] : list.filter(isObject);
}

function numberOf(event: JsonObject): number | undefined {
  const packed = typeof event.ue_px === 'string' ? unpack(event.ue_px) : undefined;
  const places = [event.properties, event.event_properties, event.xcontext, event.attributes, packed, event];
  for (const place of places) if (isObject(place) && 'n' in place) return Number(place.n);
  return undefined;
}

/** Snowplow's self-describing event: `data` within `data`, base64 for urls. */
function unpack(text: string): Json | undefined {
  const outer = parse(Buffer.from(text, 'base64url').toString());
  return isObject(outer) && isObject(outer.data) ? outer.data.data : undefined;
}

function idOf(event: JsonObject): string | undefined {
  const { id, messageId, uuid, insert_id, eid, _track_id, properties } = event;
  const inserted = isObject(properties) ? properties.$insert_id : undefined;
  const found = [id, messageId, uuid, insert_id, eid, _track_id, inserted].find((it) => it !== undefined);
  if (found !== undefined) return String(found);
  // Analysys' dialect has no ids: servers know an event by all that it says.
  if ('xwhat' in event) return createHash('sha1').update(JSON.stringify(event)).digest('hex');
  return undefined;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
