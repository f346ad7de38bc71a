import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beacon,
  type Encryption,
  encryptedImage,
  encryptedMobile,
  encryptPlugin,
  image,
  type SdkRequest,
  type SentEvent,
} from '../../../test/analysys-requests.ts';
import { defaultTimeWindow } from '../../events/event.ts';
import type { Decoded, DecodedItem, WireRequest } from '../dialect.ts';
import { analysys } from './decode.ts';

// Images, beacons and encrypted bodies, which an encoder of the test writes by the vendor's recipe.

const receivedAt = Date.UTC(2026, 10, 21) * 1000;
const options = { window: defaultTimeWindow, inflatedBytes: 1_000_000, eventsPerRequest: 100 };

const sample: SentEvent = {
  appid: 'shop',
  xwho: 'JS2f9c',
  xwhat: '$pageview',
  xwhen: receivedAt / 1000 - 5000,
  xcontext: { $lib: 'JS', title: '跑步机 😀 a+b/c=?&', empty: '', price: 5.5 },
};

function toWire({ method, path, headers, body }: SdkRequest): WireRequest {
  const [file = '', query = ''] = path.split('?');
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { method, path: file, query, header: (name) => byName.get(name), body, receivedAt };
}

const decode = (request: SdkRequest): Decoded => analysys.decode(toWire(request), options);

function itemsOf(request: SdkRequest): readonly DecodedItem[] {
  const decoded = decode(request);
  if (decoded.kind !== 'items') throw new Error(`${decoded.refusal.reason}: ${decoded.refusal.detail}`);
  return decoded.items;
}

const plainly = (events: readonly SentEvent[]): readonly DecodedItem[] => itemsOf(beacon(events, 'shop'));

const get = (path: string): SdkRequest => ({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });

/** Events of any content, as an SDK's JSON.stringify would hand them on. */
const anyEvent: fc.Arbitrary<SentEvent> = fc
  .record({
    appid: fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }),
    xwho: fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }),
    xwhat: fc.string({ minLength: 1, maxLength: 50 }),
    xwhen: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((offset) => receivedAt / 1000 + offset),
    xcontext: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'grapheme' })),
  })
  .map((event) => JSON.parse(JSON.stringify(event)));

describe('the image of the web SDK', () => {
  test.each(['/', '/up/', '//', '/up//'])('asked for from %s holds its event', (uploadPath) => {
    const request = image(sample, uploadPath);
    expect(itemsOf(request)).toEqual(plainly([sample]));
    const folded = request.path.split('?')[0]?.replace(/\/{2,}/g, '/') ?? '';
    expect(['GET', 'HEAD'].every((method) => analysys.matches(method, folded))).toBe(true);
  });

  test('of any event holds that event', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(itemsOf(image({ ...event, appid: 'shop' }))).toEqual(plainly([{ ...event, appid: 'shop' }]));
      }),
      { numRuns: 300 },
    );
  });

  test('with half a surrogate pair in a value holds what is left of it, with a warning', () => {
    // JSON.stringify of old browsers writes the half itself and not its escape.
    const data = Buffer.from(JSON.stringify([{ ...sample, xcontext: { half: 'a-b' } }])).toString('latin1');
    const halved = Buffer.from(data.replace('a-b', 'a\xed\xa0\xbdb'), 'latin1').toString('base64');
    expect(itemsOf(get(`/up?appid=shop&data=${encodeURIComponent(halved)}`))).toMatchObject([
      { event: { properties: Buffer.from('{"half":"a\ufffdb"}'), warnings: ['lone_surrogate: half'] } },
    ]);
  });

  const json = JSON.stringify([{ ...sample, xwho: '>>>???~~~' }]);
  const base64 = Buffer.from(json).toString('base64');
  test.each([
    ['percent-encoded', encodeURIComponent(base64)],
    ['as it is, with bare +, / and =', base64],
    ['without padding', base64.replace(/=+$/, '')],
    ['in the alphabet for URLs', base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')],
    ['with spaces that a form parser made of +', base64.replaceAll('+', '%20')],
    ['encoded twice', encodeURIComponent(encodeURIComponent(base64))],
    ['in lines', encodeURIComponent(base64.replace(/.{76}/g, '$&\r\n'))],
    ['of gzip', encodeURIComponent(gzipSync(json).toString('base64'))],
    ['that is no base64 but JSON', encodeURIComponent(json)],
  ])('may have its data %s', (_, data) => {
    expect(base64).toMatch(/[+]/);
    const expected = [{ kind: 'event', event: { anonymousId: '>>>???~~~' } }];
    for (const query of [`appid=shop&data=${data}&send_type=123`, `data=${data}`, `appid=shop&data=${data}`])
      expect(itemsOf(get(`/up?${query}`))).toMatchObject(expected);
  });

  test('is stored whatever its checksum says: a proxy may have changed the path that it covers', () => {
    const { path } = image(sample);
    const wrong = path.replace(/send_type=.*/, 'send_type=zzz');
    expect(wrong).not.toBe(path);
    expect(itemsOf(get(wrong))).toEqual(plainly([sample]));
  });

  test('without data is undecodable, and says what is missing', () => {
    for (const query of ['appid=shop', 'appid=shop&data=&send_type=abc', 'appid=shop&data=%20%0a']) {
      expect(decode(get(`/up?${query}`))).toMatchObject({
        kind: 'undecodable',
        project: 'shop',
        refusal: { reason: 'empty_body', detail: expect.stringContaining('parameter data of the query') },
      });
    }
  });

  test('whose data was cut off is undecodable', () => {
    const { path } = image(sample);
    const cut = path.slice(0, path.length - 60);
    expect(decode(get(cut))).toMatchObject({ kind: 'undecodable', project: 'shop' });
  });

  test('that is the bare URL is how mobile SDKs read our clock: a request without events', () => {
    for (const method of ['GET', 'HEAD']) {
      const probe = { ...toWire(get('/up')), method };
      expect(analysys.decode(probe, options)).toMatchObject({ kind: 'items', items: [] });
    }
    const empty = { ...toWire(get('/up')), method: 'POST' };
    expect(analysys.decode(empty, options)).toMatchObject({ refusal: { reason: 'empty_body' } });
  });

  test('never throws, whatever stands in its query', () => {
    const piece = fc.oneof(
      fc.constantFrom('data=', 'appid=', 'spv=', 'reqv=1', 'reqv=2', 'reqt=1', '&', '%', '%E4', '+', 'H4sI'),
      fc.constant(base64),
      fc.constant(gzipSync('A1'.repeat(16)).toString('base64')),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const query = pieces.join('').replaceAll('?', '');
        expect(['items', 'undecodable']).toContain(decode(get(`/up?${query}`)).kind);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a beacon', () => {
  test.each([true, false])('holds an array of one, of none or of many (text/plain: %s)', (isTyped) => {
    expect(itemsOf(beacon([], 'shop', isTyped))).toEqual([]);
    expect(itemsOf(beacon([sample], 'shop', isTyped))).toMatchObject([{ kind: 'event' }]);
    expect(itemsOf(beacon([sample, sample], 'shop', isTyped))).toHaveLength(2);
  });
});

const anyEncryption: fc.Arbitrary<Encryption> = fc.record({
  lib: fc.oneof(
    fc.constantFrom('JS', 'WeChat', 'Android', 'iOS'),
    fc.string({ unit: 'grapheme' }).map((lib) => lib.replaceAll('|', '')),
  ),
  appid: fc.oneof(
    fc.uuid().map((id) => id.replaceAll('-', '')),
    fc.constantFrom('a|b', '|', 'a||1.2.3|x'),
    fc.string({ unit: 'grapheme' }),
  ),
  libVersion: fc.oneof(
    fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }).map((numbers) => numbers.join('.')),
    fc.constantFrom('4.5.5', '4.5.4.1', '4.4.beta', '', '4.x.1', '10.11.12'),
    fc.string().map((version) => version.replaceAll('|', '')),
  ),
  type: fc.constantFrom(1, 2),
  reqt: fc.nat(2 ** 41),
});

const web: Encryption = { lib: 'JS', appid: 'shop', libVersion: '4.5.5', type: 1, reqt: 1_795_287_694_310 };

describe('an encrypted body', () => {
  test('of any events, sender, version and mode decodes to what the plain body does', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 4 }), anyEncryption, (events, encryption) => {
        const expected = plainly(events);
        expect(itemsOf(encryptPlugin(events, encryption))).toEqual(expected);
        expect(itemsOf(encryptedMobile(events, encryption))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('may be an image, in which it is base64 twice', () => {
    fc.assert(
      fc.property(anyEvent, anyEncryption, (event, encryption) => {
        expect(itemsOf(encryptedImage(event, encryption))).toEqual(plainly([event]));
      }),
      { numRuns: 200 },
    );
  });

  test('opens whether the numbers of the version are odd or even', () => {
    for (const libVersion of ['4.4.4', '4.4.5', '4.5.4', '4.5.5']) {
      for (const type of [1, 2] as const)
        expect(itemsOf(encryptPlugin([sample], { ...web, libVersion, type }))).toEqual(plainly([sample]));
    }
  });

  test('opens with a header that stands in lines, in lower case, or without base64 and gzip around it', () => {
    const mobile = encryptedMobile([sample], { ...web, appid: 'x'.repeat(90) });
    const spv = mobile.headers.spv?.replace(/.{76}/, '$& ') ?? '';
    expect(itemsOf({ ...mobile, headers: { ...mobile.headers, spv } })).toEqual(plainly([sample]));
    const plugin = encryptPlugin([sample], web);
    const gzip = Buffer.from(plugin.body.toString(), 'base64');
    expect(itemsOf({ ...plugin, body: gzip })).toEqual(plainly([sample]));
    const inflated = gunzipSync(gzip);
    expect(itemsOf({ ...plugin, body: inflated })).toEqual(plainly([sample]));
    const lower = Buffer.from(inflated.toString().toLowerCase());
    expect(itemsOf({ ...plugin, body: lower })).toEqual(plainly([sample]));
  });

  test('is opened by what the query says, where the headers say something else', () => {
    const headers = { spv: 'AAAA', reqt: '1', reqv: '7' };
    expect(itemsOf({ ...encryptPlugin([sample], web), headers })).toEqual(plainly([sample]));
  });

  test.each(['reqv=1&reqt=1&spv=AAAA', 'reqv=9', 'reqv=2'])(
    'that is said to be one (%s) and is plain JSON is decoded',
    (query) => {
      for (const body of [
        JSON.stringify([sample]),
        Buffer.from(JSON.stringify([sample])).toString('base64'),
        gzipSync(JSON.stringify([sample])).toString('base64'),
      ])
        expect(
          itemsOf({ ...encryptPlugin([sample], web), path: `/up?${query}`, body: Buffer.from(body) }),
        ).toEqual(plainly([sample]));
    },
  );

  const good = encryptPlugin([sample], web);
  const other = encryptPlugin([sample], { ...web, reqt: web.reqt + 1 });
  const withPath = (change: (path: string) => string): SdkRequest => ({ ...good, path: change(good.path) });
  const withText = (text: string): SdkRequest => ({
    ...good,
    body: Buffer.from(gzipSync(text).toString('base64')),
  });
  const ciphertext = gunzipSync(Buffer.from(good.body.toString(), 'base64')).toString();
  test.each([
    ['without spv', withPath((path) => path.replace(/&spv=[^&]*/, '')), 'nor headers name spv'],
    ['without reqt', withPath((path) => path.replace(/&reqt=[^&]*/, '')), 'nor headers name reqt'],
    ['without reqv', withPath((path) => path.replace(/&reqv=[^&]*/, '')), 'nor headers name reqv'],
    ['with an unknown reqv', withPath((path) => path.replace('reqv=1', 'reqv=3')), 'reqv is "3"; 1 (AES'],
    [
      'with an spv that is no base64',
      withPath((path) => path.replace(/spv=[^&]*/, 'spv=!')),
      'spv should be',
    ],
    [
      'with an spv of too few parts',
      withPath((path) => path.replace(/spv=[^&]*/, 'spv=SlN8YQ')),
      'spv should be',
    ],
    ['under another key', { ...good, body: other.body }, 'the key that spv and reqt make does not open it'],
    [
      'in the other mode',
      withPath((path) => path.replace('reqv=1', 'reqv=2')),
      'does not open it with reqv 2',
    ],
    ['that is not hexadecimal', withText('G'.repeat(64)), 'should be hexadecimal'],
    ['that is neither JSON nor base64', { ...good, body: Buffer.from('<html>') }, 'should be hexadecimal'],
    [
      'that was cut off within a byte',
      withText(ciphertext.slice(0, -1)),
      'should be hexadecimal; it is not, or',
    ],
    [
      'that was cut off within a block',
      withText(ciphertext.slice(0, -6)),
      'no multiple of 16: it was cut off',
    ],
    [
      'whose last block is lost, so that its padding is wrong',
      withText(ciphertext.slice(0, -32)),
      'does not open',
    ],
  ])('%s is undecodable, with a reason of its own and what is wrong', (_, request, detail) => {
    expect(decode(request)).toMatchObject({
      kind: 'undecodable',
      project: 'shop',
      refusal: { reason: 'undecryptable', detail: expect.stringContaining(detail) },
    });
  });

  test('that inflates too far is not decrypted at all', () => {
    expect(decode(withText('AB'.repeat(600_000)))).toMatchObject({
      refusal: { reason: 'inflates_too_large' },
    });
  });

  test('that cannot be opened is of the project that spv names, where no appid does', () => {
    const mobile = encryptedMobile([sample], { ...web, appid: 'phone' });
    expect(decode({ ...mobile, body: other.body })).toMatchObject({ project: 'phone' });
  });
});
