import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnalysysTracker, batch, GrowingTracker, type Issue, Tracker } from '../index.ts';
import { recordRequests } from '../record-requests-for-test.ts';
import { isPlainJson } from './plain-json.ts';
import { writeJson } from './write-json.ts';

/** What trackers of each dialect send of some calls, and the issues that they report. */
async function send(
  call: (trackers: { analysys: AnalysysTracker; growing: GrowingTracker; own: Tracker }) => void,
) {
  await using server = await recordRequests({ status: 200, body: '' });
  const issues: Issue[] = [];
  const collector = batch({ url: server.url });
  const options = { collector, onIssue: (issue: Issue) => issues.push(issue) };
  const analysys = new AnalysysTracker({ appId: 'shop', ...options });
  const growing = new GrowingTracker({ projectId: 'shop', dataSourceId: 'source', ...options });
  call({ analysys, growing, own: new Tracker({ key: 'shop', ...options }) });
  await collector.close();
  const sent = server.requests
    .filter(({ path }) => path !== '/v1/events')
    .flatMap(({ body }) => JSON.parse(body.toString()) as Record<string, Record<string, unknown>>[]);
  return { issues, sent, requests: server.requests };
}

/** Each issue in short. */
const brief = (issues: readonly Issue[]) =>
  issues.map(({ severity, rule, field }) => `${severity} ${rule} ${field}`);

describe('Analysys', () => {
  test('what its SDKs refuse is an error, and is not sent', async () => {
    const { issues, sent } = await send(({ analysys }) => {
      analysys.track('', 'paid');
      analysys.track('é'.repeat(256), 'paid');
      analysys.track('ada', '');
      analysys.track('ada', 'paid', {}, { time: 123 });
      analysys.track('ada', 'paid', { XWho: 1 });
      analysys.track('ada', 'paid', Object.fromEntries(Array.from({ length: 296 }, (_, n) => [`k${n}`, n])));
      analysys.alias('ada', '');
    });
    expect(sent).toEqual([]);
    expect(brief(issues)).toEqual([
      'error bad_id id',
      'error bad_id id',
      'error bad_name name',
      'error bad_time time',
      'error reserved_key properties.XWho',
      'error too_many_properties properties',
      'error bad_anonymousId anonymousId',
    ]);
  });

  test('what its SDKs only warn of is sent, as they send it', async () => {
    const long = 'x'.repeat(8193);
    const properties = {
      '9中文 bad': 1,
      empty: '',
      long,
      longish: 'y'.repeat(256),
      none: null,
      list: ['a', 1],
      many: Array(101).fill('a'),
      $lib: 'mine',
    };
    const before = structuredClone(properties);
    const { issues, sent } = await send(({ analysys }) => {
      analysys.track('ada', '9 bad', properties);
      analysys.profileIncrement('ada', { points: 'many' as unknown as number });
      analysys.profileAppend('ada', { tags: 'a' as unknown as string[] });
    });
    expect(properties).toEqual(before);
    expect(sent.map(({ xwhat }) => xwhat)).toEqual(['9 bad', '$profile_increment', '$profile_append']);
    expect(sent[0]?.xcontext).toMatchObject({
      ...properties,
      long: `${'x'.repeat(8191)}$`,
      $lib: 'Node',
    });
    expect(brief(issues)).toEqual([
      'warning bad_name name',
      'warning bad_key properties["9中文 bad"]',
      'warning empty_string properties.empty',
      'warning string_cut properties.long',
      'warning long_string properties.longish',
      'warning null_or_nested properties.none',
      'warning list_not_of_text properties.list',
      'warning long_list properties.many',
      'warning reserved_key properties.$lib',
      'warning increment_not_a_number properties.points',
      'warning append_not_a_list properties.tags',
    ]);
  });

  test('operations on profiles that say nothing are not sent', async () => {
    const { sent, issues } = await send(({ analysys, own }) => {
      analysys.profileSet('ada', {});
      analysys.profileIncrement('ada', {});
      analysys.profileUnset('ada', []);
      own.profileSet({ userId: 'ada' }, {});
      own.profileUnset({ userId: 'ada' }, []);
    });
    expect([sent, issues]).toEqual([[], []]);
  });

  test('super properties ride on tracks only, below the properties of the track', async () => {
    const { sent } = await send(({ analysys }) => {
      analysys.registerSuperProperties({ a: 1, b: 0 });
      analysys.registerSuperProperties({ b: 1 });
      analysys.track('ada', 'paid', { b: 2 });
      analysys.profileSet('ada', { c: 3 });
    });
    expect(sent[0]?.xcontext).toMatchObject({ a: 1, b: 2 });
    expect(Object.keys(sent[1]?.xcontext ?? {}).filter((key) => !key.startsWith('$'))).toEqual(['c']);
  });
});

test('GrowingIO: an event needs an id, and a key of an id that id', async () => {
  const { issues, sent } = await send(({ growing }) => {
    growing.trackCustomEvent('nobody', {});
    growing.trackCustomEvent('', { anonymousId: 'phone' });
    growing.setLoginUserAttributes('', { age: 1 });
    growing.submitItem('sku', '');
    growing.trackCustomEvent('看', { anonymousId: 'phone', loginUserKey: 'email' });
    growing.trackCustomEvent('numbers', { loginUserId: 7 as unknown as string });
  });
  expect(sent.map(({ eventName, userId }) => [eventName, userId])).toEqual([
    ['看', undefined],
    ['numbers', '7'],
  ]);
  expect(brief(issues)).toEqual([
    'error missing_id anonymousId',
    'error bad_name name',
    'error missing_id loginUserId',
    'error missing_id anonymousId',
    'error bad_id id',
    'warning bad_name name',
    'warning key_without_id loginUserKey',
    'warning bad_loginUserId loginUserId',
  ]);
});

describe('values that JSON cannot carry', () => {
  const cycle: Record<string, unknown> = { name: 'cycle' };
  cycle.self = cycle;
  const hard = {
    call: () => 1,
    symbol: Symbol('s'),
    nan: Number.NaN,
    list: [1, Number.POSITIVE_INFINITY, undefined, 2],
    cycle,
    huge: 2n ** 64n,
    big: 2n ** 64n - 1n,
    map: new Map([[1, 2]]),
    bytes: new Uint8Array(2),
    never: new Date(Number.NaN),
    get broken(): unknown {
      throw new Error('no');
    },
    date: new Date(0),
    absent: undefined,
    boxed: Object('text'),
  };

  test('are left out and told by their paths, while the rest is sent', () => {
    const told: string[] = [];
    const text = writeJson(hard, 'properties', (severity, rule, field) =>
      told.push(`${severity} ${rule} ${field}`),
    );
    expect(text).toBe(
      '{"list":[1,2],"cycle":{"name":"cycle"},"big":18446744073709551615,"date":"1970-01-01T00:00:00.000Z","boxed":"text"}',
    );
    expect(told).toEqual([
      'warning unsupported properties.call',
      'warning unsupported properties.symbol',
      'warning not_finite properties.nan',
      'warning not_finite properties.list[1]',
      'warning unsupported properties.list[2]',
      'warning cycle properties.cycle.self',
      'warning beyond_64_bits properties.huge',
      'warning unsupported properties.map',
      'warning unsupported properties.bytes',
      'warning invalid_date properties.never',
      'warning unreadable properties.broken',
    ]);
  });

  test('do so in every dialect, and in super properties too', async () => {
    const { issues, sent, requests } = await send(({ analysys, growing, own }) => {
      const { broken: _broken, ...given } = Object.getOwnPropertyDescriptors(hard);
      const properties = Object.defineProperties({}, given);
      analysys.track('ada', 'paid', properties);
      growing.trackCustomEvent('paid', { anonymousId: 'ada', attributes: properties });
      own.registerSuperProperties({ nan: Number.NaN, huge: 2n ** 64n });
      own.track({ userId: 'ada' }, 'paid', { kept: 1 });
      own.clearSuperProperties();
      own.track(
        { userId: 'ada' },
        'paid',
        { deep: { price: Number.NaN } },
        { context: { page: Number.NaN } },
      );
    });
    expect(sent).toHaveLength(2);
    expect(requests).toHaveLength(3);
    expect(brief(issues)).toEqual(
      expect.arrayContaining(['warning not_finite properties.deep.price', 'warning not_finite context.page']),
    );
    for (const field of ['call', 'nan', 'cycle.self', 'huge', 'map'])
      expect(
        issues.filter((issue) => issue.field.endsWith(`.${field}`)).length,
        field,
      ).toBeGreaterThanOrEqual(2);
  });

  test('none: the quick look and the close one write the same', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (object) => {
        fc.pre(isPlainJson(object));
        const told: string[] = [];
        const text = writeJson(object, 'properties', (_severity, rule) => told.push(rule));
        expect(text).toBe(JSON.stringify(object));
        expect(told).toEqual([]);
      }),
    );
  });

  test('any: what is written is JSON, nothing throws, and what is given stays as it is', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.anything({
            withBigInt: true,
            withDate: true,
            withMap: true,
            withTypedArray: true,
            withNullPrototype: true,
            withBoxedValues: true,
          }),
        ),
        (object) => {
          const keys = Object.keys(object);
          expect(() => JSON.parse(writeJson(object, 'properties', () => {}))).not.toThrow();
          expect(Object.keys(object)).toEqual(keys);
        },
      ),
    );
  });
});

test('an id of the own dialect is one per event, and its request gzips to 35 bytes an event at most', async () => {
  await using server = await recordRequests({ status: 200, body: '' });
  const tracker = new Tracker({ key: 'shop', collector: batch({ url: server.url }) });
  for (let n = 0; n < 1000; n++) {
    const properties = {
      price: 9.9 + (n % 50),
      quantity: n % 5,
      currency: 'EUR',
      category: `c${n % 3}`,
      sku: `sku-${n % 700}`,
      page: '/product',
      referrer: 'https://example.com/',
      coupon: n % 7 === 0,
      campaign: 'spring',
      position: n % 40,
    };
    tracker.track({ userId: `user-${n % 300}` }, 'view_item', properties);
  }
  await tracker.close();
  const bytes = server.requests.reduce((sum, { body }) => sum + body.length, 0);
  expect(bytes / 1000).toBeLessThanOrEqual(35);
});

test('without onIssue a kind of issue is told once, and what onIssue throws does not reach the caller', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  await using server = await recordRequests({ status: 200, body: '' });
  const collector = batch({ url: server.url });
  const silent = new Tracker({ key: 'shop', collector });
  const angry = new Tracker({
    key: 'shop',
    collector,
    onIssue: () => {
      throw new Error('angry');
    },
  });
  for (const tracker of [silent, silent, angry]) await tracker.track({}, 'nobody');
  await collector.close();
  await new Promise(setImmediate);
  process.off('warning', hear);
  expect(warnings.map(({ message }) => message)).toEqual([
    'nobody is not sent: an event needs an anonymousId or a userId',
    'onIssue threw Error: angry',
  ]);
});
