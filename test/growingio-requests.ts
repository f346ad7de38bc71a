import LZString from 'lz-string';
import { compress } from 'snappyjs';
import { writeList } from './growingio-protobuf.ts';

/** A request as an SDK of GrowingIO would send it. */
export interface SdkRequest {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What a caller measures, in the words of the SDKs' callers. Values are text, since some SDKs make all of them that. */
export interface Measured {
  readonly name: string;
  readonly anonymousId: string;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** One request, or one for each event, of events of a project. */
export type Way = (events: readonly Measured[], project: string) => readonly SdkRequest[];

const source = 'ab555003531e0fd1';
const custom = ({ name, anonymousId, userId, at, attributes }: Measured) => ({
  eventType: 'CUSTOM',
  timestamp: at,
  eventName: name,
  deviceId: anonymousId,
  userId,
  attributes,
});

/** Lower than what the SDK saw when it measured, and another at each resend: its lowest byte keys the XOR. */
const sendingTime = (): number => Date.now();
const xor = (bytes: Buffer, time: number): Buffer => Buffer.from(bytes.map((byte) => byte ^ (time % 256)));
const jsonOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const post = (
  path: string,
  headers: Record<string, string>,
  body: Buffer | Uint8Array | string,
): SdkRequest => ({
  method: 'POST',
  path,
  headers,
  body: Buffer.from(body),
});

const python = { 'User-Agent': 'python-requests/2.28.1', 'content-type': 'application/json' };
const webEvent = (event: Measured) => ({
  ...custom(event),
  appVersion: '1.0.0',
  dataSourceId: source,
  domain: 'shop.example',
  language: 'zh-cn',
  path: '/cart',
  platform: 'web',
  screenHeight: 1080,
  screenWidth: 1920,
  sdkVersion: '4.3.1',
  sessionId: 'c0ffee',
  timezoneOffset: -480,
});
const webEach =
  (requestOf: (json: string, path: string) => SdkRequest): Way =>
  (events, project) =>
    events.map((event) =>
      requestOf(JSON.stringify([webEvent(event)]), `/v3/projects/${project}/collect?stm=${sendingTime()}`),
    );

/** By the SDK: what it sends, as its source builds it. */
export const ways: Readonly<Record<string, Way>> = {
  // 1.0.1: protobuf in snappy, XORed with the milliseconds that header and query both tell.
  go: (events, project) => {
    const time = sendingTime();
    const values = events.map((event) => ({
      ...custom(event),
      dataSourceId: source,
      projectKey: project,
      platform: 'go',
      sdkVersion: '1.0.1',
      sendTime: event.at,
    }));
    return [
      post(
        `/v3/projects/${project}/collect?stm=${time}`,
        {
          'Content-Type': 'application/protobuf',
          Accept: 'application/json',
          'X-Compress-Codec': '2',
          'X-Crypt-Codec': '1',
          'X-Timestamp': `${time}`,
          'User-Agent': 'Go-http-client/1.1',
        },
        xor(compress(writeList('EventV3List', values)), time),
      ),
    ];
  },
  // 1.0.14-cdp: bare protobuf, with neither stm nor platform.
  java: (events, project) => [
    post(
      `/v3/projects/${project}/collect`,
      { 'Content-Type': 'application/protobuf', 'User-Agent': 'Java/17.0.9', Accept: '*/*' },
      writeList(
        'EventV3List',
        events.map((event) => ({
          ...custom(event),
          gioId: event.userId,
          dataSourceId: source,
          projectKey: project,
        })),
      ),
    ),
  ],
  'java-saas': (events, project) => [
    post(
      `/v3/${project}/s2s/cstm?stm=${sendingTime()}`,
      { 'Content-Type': 'application/json', 'X-Compress-Codec': '2', 'User-Agent': 'Java/1.8.0_392' },
      compress(
        jsonOf(
          events.map((event) => ({
            t: 'cstm',
            tm: event.at,
            n: event.name,
            var: event.attributes,
            cs1: event.userId,
          })),
        ),
      ),
    ),
  ],
  'python-saas': (events, project) => [
    post(
      `/v3/${project}/s2s/cstm/`,
      python,
      jsonOf(
        events.map(({ at, userId, name, attributes }) => ({
          t: 'cstm',
          tm: at,
          cs1: userId,
          n: name,
          num: 1,
          var: attributes,
          av: '1.0.0',
          b: 'python',
        })),
      ),
    ),
  ],
  'python-2017': (events, project) => [
    post(
      `/custom/${project}/events?stm=${sendingTime()}`,
      { 'Content-Type': 'text/plain', charset: 'utf-8', 'X-Client-Id': 'client' },
      compress(
        jsonOf(
          events.map(({ at, userId, anonymousId, name, attributes }) => ({
            sdk_type: 'python',
            sdk_version: '1.0.1',
            tm: at,
            cs1: `user:${userId}`,
            s: 'c0ffee',
            u: anonymousId,
            ai: project,
            t: 'cstm',
            n: name,
            e: attributes,
          })),
        ),
      ),
    ),
  ],
  // Its host ends in a slash, and its snappy holds a string that holds the array.
  'python-older': (events, project) => [
    post(
      `//v3/projects/${project}/collect?stm=${sendingTime()}`,
      { ...python, 'X-Compress-Codec': '2' },
      compress(
        jsonOf(
          JSON.stringify(
            events.map((event) => ({ ...custom(event), projectKey: project, platform: 'python' })),
          ),
        ),
      ),
    ),
  ],
  // 1.0.3: the path alone names the project.
  php: (events, project) => [
    post(
      `/v3/projects/${project}/collect?stm=${sendingTime()}`,
      { 'Content-Type': 'application/json', 'Accept-Encoding': 'deflate, gzip, br, zstd' },
      jsonOf(
        events.map((event) => ({
          ...custom(event),
          userKey: 'email',
          dataSourceId: source,
          resourceItem: { id: 'isbn-1', key: 'book' },
          sendTime: event.at,
        })),
      ),
    ),
  ],
  'web-xhr': webEach((json, path) =>
    post(
      `${path}&compress=1`,
      { 'Content-Type': 'text/plain;charset=UTF-8' },
      LZString.compressToUint8Array(json),
    ),
  ),
  'web-beacon': webEach((json, path) => post(`${path}&compress=1`, {}, LZString.compressToUint8Array(json))),
  'web-plain': webEach((json, path) =>
    post(`${path}&compress=0`, { 'Content-Type': 'text/plain;charset=UTF-8' }, json),
  ),
  'web-image': webEach((json, path) => ({
    method: 'GET',
    path: `${path}&compress=11&data=${LZString.compressToEncodedURIComponent(json)}`,
    headers: { Accept: 'image/avif,image/webp,*/*;q=0.8' },
    body: Buffer.alloc(0),
  })),
  'web-image-plain': webEach((json, path) => ({
    method: 'GET',
    path: `${path}&compress=0&data=${encodeURI(json)}`,
    headers: { Accept: 'image/avif,image/webp,*/*;q=0.8' },
    body: Buffer.alloc(0),
  })),
  'mini-program': (events, project) => [
    post(
      `/v3/projects/${project}/collect?stm=${sendingTime()}&compress=1`,
      { 'Content-Type': 'application/json;charset=UTF-8', 'X-Compress-Codec': '1' },
      LZString.compressToUTF16(
        JSON.stringify(events.map((event) => ({ ...webEvent(event), platform: 'MinP' }))),
      ),
    ),
  ],
};

/** Items and user mappings, which only servers send. */
export const itemWays: Readonly<Record<string, (items: readonly object[], project: string) => SdkRequest>> = {
  php: (items, project) =>
    post(
      `/projects/${project}/collect/item?stm=${sendingTime()}`,
      { 'Content-Type': 'application/json' },
      jsonOf(items),
    ),
  java: (items, project) =>
    post(
      `/projects/${project}/collect/item`,
      { 'Content-Type': 'application/protobuf' },
      writeList('ItemDtoList', [...items.map((it) => ({ ...it }))]),
    ),
  'python-older': (items, project) =>
    post(
      `//projects/${project}/collect/item`,
      { ...python, 'content-type': 'application/protobuf' },
      writeList(
        'EventV3List',
        items.map((resourceItem) => ({ resourceItem })),
      ),
    ),
};

export const userMapping = (identifies: Readonly<Record<string, string>>, project: string): SdkRequest =>
  post(
    `/projects/${project}/collect/user-mapping`,
    { 'Content-Type': 'application/protobuf', 'User-Agent': 'Java/17.0.9' },
    writeList('UserMappingDtoList', [{ projectKey: project, identifies, dataSourceId: source }]),
  );
