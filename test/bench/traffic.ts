import { gzipSync } from 'node:zlib';
import { type Codec, encodeEvents } from '../../shared/wire/growingio/encode.ts';
import { encodeEvents as encodeOurs } from '../../shared/wire/tributary/encode.ts';
import { compressBody } from '../../shared/wire/tributary/encode-compressed.ts';

/** One form in which one dialect's SDKs send. */
export interface Traffic {
  readonly name: string;
  readonly eventsPerRequest: number;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodies: readonly Buffer[];
}

/** Every form that `bench:ingest` measures, each of `count` requests of `perRequest` events of the same shop. */
export function allTraffic(count: number, perRequest: number): readonly Traffic[] {
  const analysys = analysysBodies(count, perRequest);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const ndjson = requestsOf(count, perRequest, ourEvent).map((events) => encodeOurs(events));
  const ours = { path: '/v1/events', headers: { Authorization: 'Bearer shop' } };
  const eventsPerRequest = perRequest;
  return [
    { name: 'analysys', eventsPerRequest, path: '/up', headers: form, bodies: analysys.plain },
    { name: 'analysys-gzip', eventsPerRequest, path: '/up', headers: form, bodies: analysys.gzip },
    growingioTraffic('growingio-json', 'json', count, perRequest),
    growingioTraffic('growingio-snappy-xor', 'snappy_xor', count, perRequest),
    growingioTraffic('growingio-protobuf', 'protobuf', count, perRequest),
    segmentTraffic('segment', 'shop', requestsOf(count, perRequest, segmentMessage)),
    { name: 'tributary', eventsPerRequest, ...ours, bodies: ndjson.map((body) => Buffer.from(body)) },
    {
      name: 'tributary-gzip',
      eventsPerRequest,
      path: ours.path,
      headers: { ...ours.headers, 'Content-Encoding': 'gzip' },
      bodies: ndjson.map((body) => compressBody(body, 'gzip').body),
    },
  ];
}

/** Requests of an Analysys back end: `perRequest` events of about 370 bytes each, all different. */
export function analysysBodies(count: number, perRequest: number): { plain: Buffer[]; gzip: Buffer[] } {
  const plain = requestsOf(count, perRequest, analysysEvent).map((events) =>
    Buffer.from(JSON.stringify(events)),
  );
  return { plain, gzip: plain.map((body) => Buffer.from(gzipSync(body).toString('base64'))) };
}

/**
 * As `segment`, of events that are `eventBytes` of JSON each: what is missing is text in their properties. Each form has
 * a project of its own, its name, so that what became of it can be told apart.
 */
export function sizedTraffic(count: number, eventsPerRequest: number, eventBytes: number): SizedTraffic {
  const name = `sized-${eventsPerRequest}x${eventBytes}`;
  const requests = requestsOf(count, eventsPerRequest, (number) => sizedMessage(number, eventBytes));
  return { ...segmentTraffic(name, name, requests), eventBytes };
}

export interface SizedTraffic extends Traffic {
  /** Of JSON, each event. */
  readonly eventBytes: number;
}

/** What `npm run cost` is fitted to: events a request, and bytes of an event. */
export const sizes: readonly (readonly [number, number])[] = [1, 20, 100].flatMap((events) =>
  [600, 1200, 2400].map((bytes) => [events, bytes] as const),
);

function segmentTraffic(name: string, key: string, requests: readonly (readonly object[])[]): Traffic {
  return {
    name,
    eventsPerRequest: requests[0]?.length ?? 0,
    path: '/v1/batch',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
    },
    bodies: requests.map((batch) =>
      Buffer.from(JSON.stringify({ batch, sentAt: new Date(started).toISOString() })),
    ),
  };
}

function growingioTraffic(name: string, codec: Codec, count: number, perRequest: number): Traffic {
  // One path for all of them, and a time whose lowest byte is none that leaves a byte as it is.
  const options = { project: 'shop', codec, sentAt: started - (started % 256) + 77 };
  const requests = requestsOf(count, perRequest, growingioEvent).map((events) =>
    encodeEvents(events, options),
  );
  const [first] = requests;
  return {
    name,
    eventsPerRequest: perRequest,
    path: first?.path ?? '',
    headers: first?.headers ?? {},
    bodies: requests.map(({ body }) => Buffer.from(body)),
  };
}

const started = Date.now();

const requestsOf = <Event>(
  count: number,
  perRequest: number,
  make: (number: number) => Event,
): readonly (readonly Event[])[] =>
  Array.from({ length: count }, (_, request) =>
    Array.from({ length: perRequest }, (_, place) => make(request * 1000 + place)),
  );

const nameOf = (number: number) => ['view_item', 'add_to_cart', 'purchase', 'search'][number % 4] ?? '';
const personOf = (number: number) => `customer-${(number * 7919) % 100_003}`;
const urlOf = (number: number) => `https://shop.example/items/${number % 5000}`;

const propertiesOf = (number: number) => ({
  item: `item-${(number * 31) % 5000}`,
  price: ((number * 37) % 100_000) / 100,
  quantity: (number % 5) + 1,
  currency: 'EUR',
  category: '跑步机',
  tags: ['spring', 'outdoor'],
  in_stock: number % 3 !== 0,
});

const analysysEvent = (number: number) => ({
  appid: 'shop',
  xwho: personOf(number),
  xwhat: nameOf(number),
  xwhen: started + number,
  xcontext: {
    ...propertiesOf(number),
    $url: urlOf(number),
    $lib: 'python',
    $lib_version: '4.1.1',
    $platform: 'Android',
    $debug: 0,
    $is_login: number % 2 === 0,
  },
});

/** As the Python SDK writes one: it joins lists and leaves other values as they are. */
const growingioEvent = (number: number) => ({
  eventType: 'CUSTOM',
  deviceId: personOf(number),
  timestamp: started + number,
  eventName: nameOf(number),
  attributes: { ...propertiesOf(number), tags: 'spring||outdoor' },
  path: urlOf(number),
  dataSourceId: 'ab555003531e0fd1',
  projectKey: 'shop',
  sdkVersion: '1.0.4',
  platform: 'python',
});

/** As analytics-node writes one. */
const segmentMessage = (number: number) => ({
  type: 'track',
  event: nameOf(number),
  anonymousId: personOf(number),
  properties: { ...propertiesOf(number), url: urlOf(number) },
  timestamp: new Date(started + number).toISOString(),
  messageId: `node-next-${started}-${number.toString(16).padStart(12, '0')}`,
  context: { library: { name: '@segment/analytics-node', version: '3.1.0' } },
  integrations: {},
  _metadata: { nodeVersion: '24.11.1', jsRuntime: 'node' },
});

function sizedMessage(number: number, bytes: number): object {
  const message = segmentMessage(number);
  const room = bytes - Buffer.byteLength(JSON.stringify(message)) - ',"note":""'.length;
  if (room < 0) throw new Error(`an event of Segment has more than ${bytes} bytes`);
  return { ...message, properties: { ...message.properties, note: writeNote(number, room) } };
}

/** Words in an order that is another for each event, of just as many characters. */
function writeNote(number: number, length: number): string {
  let text = '';
  for (let state = number + 1; text.length < length; ) {
    state = (state * 48_271) % 2_147_483_647;
    text += `${words[state % words.length]} `;
  }
  return text.slice(0, length);
}

const words = (
  'autumn basket checkout delivery evening festival garden harbour invoice jacket kitchen lantern morning number ' +
  'orange parcel quarter raincoat summer ticket umbrella voucher window yellow the of with from under at for blue ' +
  'large small visited opened closed returned newest cheapest 2026 17 42 180 XL campaign-7 ref-k2 utm page top left'
).split(' ');

const ourEvent = (number: number) => ({
  id: `${started.toString(16)}-${number}`,
  name: nameOf(number),
  anonymous_id: personOf(number),
  occurred_at: started + number,
  properties: propertiesOf(number),
  context: { url: urlOf(number) },
  platform: 'web',
  sdk: 'tributary-js',
  sdk_version: '1.0.0',
});
