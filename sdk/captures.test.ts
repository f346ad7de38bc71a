import { uncompress } from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { type Element, readList } from '../test/growingio-protobuf.ts';
import { type Capture, growingioElements, readCaptures } from '../test/replay-captures.ts';
import { AnalysysTracker, GrowingTracker, immediate } from './index.ts';
import { protobuf } from './protobuf.ts';
import { recordRequests } from './record-requests-for-test.ts';
import { snappy } from './snappy.ts';

// What the vendors' own SDKs sent, and what ours sends of the same calls.

test('Analysys: each request is to the byte what the Node SDK sent', async () => {
  await using server = await recordRequests({ status: 200, body: '{"code":200}' });
  const captures = readCaptures('analysys').filter(({ file }) => file === 'analysys-node-4.0.5.json');
  const times = captures.map(({ decoded }) => decoded[0]?.xwhen ?? 0);
  let call = 0;
  const at = (platform: string, isLogin = true) => ({ platform, isLogin, time: times[call++] ?? 0 });
  const tracker = new AnalysysTracker({
    appId: 'fangzhouargo',
    collector: immediate({ url: server.url }),
    debug: 1,
  });
  const commodity = { commodity_name: '跑步机', price: 5000, q: true, f: ['run', '记录'] };
  await tracker.track('ABCD123456', 'SearchCommodity', commodity, at('android', false));
  await tracker.track('ABCD123456', 'register', undefined, at('js', false));
  await tracker.track('ABCD123456', 'hist', { a: 1.5 }, at('', false));
  await tracker.alias('zhangsan', 'ABCD123456', at('Android'));
  await tracker.profileSet('zhangsan', { sex: '男', hobby: ['a', 'b'] }, at('WeChat'));
  await tracker.profileSetOnce('zhangsan', { reg: '1' }, at('IOS'));
  await tracker.profileIncrement('zhangsan', { p: 20 }, at('node'));
  await tracker.profileAppend('zhangsan', { i: ['x'] }, at('mine'));
  await tracker.profileUnset('zhangsan', 'hobby', at('Android'));
  await tracker.profileDelete('zhangsan', at('Android'));
  tracker.registerSuperProperties({ member: 'X' });
  await tracker.track('zhangsan', 'purchase', { Referer: 'g' }, at('Android'));
  await tracker.close();

  const sent = server.requests.map(({ method, path, headers, body }) => ({
    method,
    path,
    type: headers['content-type'],
    body: body.toString(),
  }));
  const recorded = captures.map(({ method, path, headers, body_base64: body }) => ({
    method,
    path,
    type: headers.find(([name]) => name === 'content-type')?.[1],
    body: Buffer.from(body, 'base64').toString(),
  }));
  expect(sent).toEqual(recorded);
});

describe('GrowingIO: requests are those of the Python SDK, but for what its version 1.0.5 changed', () => {
  const growing = (file: string) =>
    readCaptures('growingio', growingioElements).filter((capture) => capture.file === file);

  /** The calls that were recorded. Where the vendor took the time itself, so do we. */
  async function track(tracker: GrowingTracker) {
    const attributes = {
      name: 'cpacm',
      age: 100,
      price: 1.5,
      ok: true,
      education: ['本科', '', '硕士'],
      nums: [1, 2.5, null],
    };
    await tracker.trackCustomEvent('test', { loginUserId: 'cpacm', loginUserKey: 'email', attributes });
    await tracker.trackCustomEvent('anon', { anonymousId: 'dev-1', eventTime: 1_648_620_000_000 });
    await tracker.setLoginUserAttributes(
      'user',
      { name: 'cpacm', age: '100', tags: ['a', 'b'] },
      { loginUserKey: 'email' },
    );
    await tracker.setLoginUserAttributes('user', {}, { anonymousId: 'dev-1', eventTime: 1_648_620_000_001 });
    await tracker.submitItem('item_key', 'item_id_1', { attr: 'item', n: 3, l: ['x', 'y'] });
    await tracker.submitItem('item_key', 'item_id_2');
    await tracker.close();
  }

  const options = { projectId: '91eaf9b283361032', dataSourceId: 'ab555003531e0fd1' };
  const withoutTime = (path: string) => path.replace(/stm=\d+/, 'stm=');
  const headersOf = (headers: Readonly<Record<string, string | undefined>>) => ({
    type: headers['content-type'],
    compressed: headers['x-compress-codec'],
    crypted: headers['x-crypt-codec'],
  });
  const targetOf = ({ method, path, headers }: Capture<unknown>) => ({
    method,
    path: withoutTime(path),
    ...headersOf(Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))),
  });

  /** Version 1.0.5 has its number, and leaves both fields out of items; times without sendTime are the clock's. */
  const asOf105 = (text: string, isItem: boolean) =>
    text
      .replace(
        /,"sdkVersion":"1.0.4","platform":"python"/,
        isItem ? '' : ',"sdkVersion":"1.0.5","platform":"python"',
      )
      .replace(/"timestamp":\d+(?!.*"sendTime")/, '"timestamp":0');

  test.each([
    { file: 'growingio-python-json.json', codec: undefined },
    { file: 'growingio-python-snappy.json', codec: snappy() },
    { file: 'growingio-python-snappy-xor.json', codec: snappy({ xor: true }) },
  ])('$file', async ({ file, codec }) => {
    await using server = await recordRequests({ status: 204, body: '' });
    const collector = immediate({ url: server.url });
    await track(new GrowingTracker({ ...options, collector, ...(codec && { codec }) }));

    const textOf = (path: string, body: Uint8Array) => {
      const key = file.includes('xor') ? Number(/stm=(\d+)/.exec(path)?.[1]) % 256 : 0;
      const plain = body.map((byte) => byte ^ key);
      const text = Buffer.from(file.includes('snappy') ? uncompress(plain) : plain).toString();
      return asOf105(text, path.includes('/item'));
    };
    const recorded = growing(file);
    expect(
      server.requests.map(({ method, path, headers }) => ({
        method,
        path: withoutTime(path),
        ...headersOf(headers),
      })),
    ).toEqual(recorded.map(targetOf));
    expect(server.requests.map(({ path, body }) => textOf(path, body))).toEqual(
      recorded.map(({ path, body_base64: body }) => textOf(path, Buffer.from(body, 'base64'))),
    );
  });

  test('growingio-python-protobuf.json: by the vendor’s messages, with text as JavaScript and not Python writes it', async () => {
    await using server = await recordRequests({ status: 204, body: '' });
    await track(
      new GrowingTracker({ ...options, collector: immediate({ url: server.url }), codec: protobuf }),
    );
    const elementsOf = (path: string, body: Uint8Array): Element[] =>
      readList(path.includes('/collect/item') ? 'ItemDtoList' : 'EventV3List', Buffer.from(body));
    const pythonic = (elements: Element[]) => {
      const text = JSON.stringify(elements)
        .replaceAll('"True"', '"true"')
        .replace(`"['x', 'y']"`, '"x||y"')
        .replace('"sdkVersion":"1.0.4"', '"sdkVersion":"1.0.5"')
        .replace(/"timestamp":("?)\d+\1(?!.*"sendTime")/, '"timestamp":0');
      return JSON.parse(text) as unknown;
    };
    const recorded = growing('growingio-python-protobuf.json');
    expect(
      server.requests.map(({ method, path, headers }) => ({ method, path, ...headersOf(headers) })),
    ).toEqual(recorded.map(targetOf));
    expect(server.requests.map(({ path, body }) => pythonic(elementsOf(path, body)))).toEqual(
      recorded.map(({ path, body_base64: body }) => pythonic(elementsOf(path, Buffer.from(body, 'base64')))),
    );
  });
});
