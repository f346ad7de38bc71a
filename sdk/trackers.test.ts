import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { untilDelivered, type Warehouse, warehouseOf } from '../test/warehouse-of.ts';
import {
  AnalysysTracker,
  batch,
  type CloseReport,
  type GrowingCodec,
  GrowingTracker,
  type Issue,
  immediate,
  Tracker,
} from './index.ts';
import { protobuf } from './protobuf.ts';
import { snappy } from './snappy.ts';

// Every method of the trackers, used as the vendors' manuals use theirs, to what analysts find in the warehouse.
const folder = mkdtempSync(join(tmpdir(), 'tributary-sdk-'));
let cloud: LocalCloud;
let warehouse: Warehouse;

beforeAll(async () => {
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'fold'],
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
  const { ingest } = cloud.urls;
  const reports = await Promise.all([
    trackAsAnalysys(ingest),
    ...growingCodecs.map(({ project, codec }) => trackAsGrowing(ingest, project, codec)),
    trackOwn(ingest),
  ]);
  expect(reports.flatMap(({ undelivered }) => undelivered)).toEqual([]);
  await untilDelivered(cloud);
  // The schedule would do it within seconds.
  await cloud.runJob('fold');
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

const eventsOf = async (project: string) =>
  (
    await warehouse.query(
      `SELECT name, user_id, user_key, anonymous_id, platform, sdk, sdk_version, TO_JSON_STRING(properties) AS properties
       FROM events WHERE project = '${project}' ORDER BY occurred_at, name`,
    )
  ).map(({ properties, ...row }) => ({ ...row, properties: JSON.parse(String(properties)) as unknown }));
const profilesOf = async (project: string) =>
  Object.fromEntries(
    (
      await warehouse.query(
        `SELECT COALESCE(user_id, anonymous_id) AS id, TO_JSON_STRING(properties) AS properties
         FROM profiles WHERE project = '${project}'`,
      )
    ).map(({ id, properties }) => [id, JSON.parse(String(properties))]),
  );
const itemsOf = async (project: string) =>
  Object.fromEntries(
    (
      await warehouse.query(
        `SELECT item_key, item_id, TO_JSON_STRING(properties) AS properties FROM items WHERE project = '${project}'`,
      )
    ).map(({ item_key: key, item_id: id, properties }) => [`${key}/${id}`, JSON.parse(String(properties))]),
  );
const bindingsOf = (project: string) =>
  warehouse.query(
    `SELECT anonymous_id, user_key, user_id FROM identity_bindings WHERE project = '${project}' ORDER BY anonymous_id`,
  );
const soon = { timeout: 60_000, interval: 250 };

/** Times one after the other, so that the order of events is that of the calls. */
const createClock = () => {
  let time = Date.now() - 3_600_000;
  return () => ({ time: time++ });
};

const commodity = {
  commodity_name: '跑步机',
  commodity_price: 5000,
  commodity_quality: true,
  commodity_function: ['run', '记录心率'],
};

async function trackAsAnalysys(url: string): Promise<CloseReport> {
  const now = createClock();
  const tracker = new AnalysysTracker({
    appId: 'fangzhouargo',
    collector: batch({ url }),
  });
  tracker.track('ABCD123456', 'SearchCommodity', commodity, { platform: 'android', ...now() });
  tracker.track('ABCD123456', 'register', undefined, { platform: 'js', ...now() });
  tracker.alias('zhangsan', 'ABCD123456', { platform: 'js', ...now() });
  const login = { platform: 'js', isLogin: true };
  tracker.profileSet(
    'zhangsan',
    { sex: '男', hobby: ['basketball'], email: 'xxx@163.com' },
    { ...login, ...now() },
  );
  tracker.profileSetOnce('zhangsan', { registerTime: '20180101101010', sex: '女' }, { ...login, ...now() });
  tracker.profileIncrement('zhangsan', { userPoint: 20, level: 1 }, { ...login, ...now() });
  tracker.profileIncrement('zhangsan', { userPoint: 1.5 }, { ...login, ...now() });
  tracker.profileAppend('zhangsan', { hobby: ['听音乐'] }, { ...login, ...now() });
  tracker.profileUnset('zhangsan', 'level', { ...login, ...now() });
  tracker.profileUnset('zhangsan', ['email', 'phone'], { ...login, ...now() });
  tracker.profileSet('lisi', { sex: '女' }, { ...login, ...now() });
  tracker.profileDelete('lisi', { ...login, ...now() });
  tracker.registerSuperProperties({ member: 'VIP', Referer: 'super', gone: 1 });
  tracker.unregisterSuperProperty('gone');
  expect(tracker.getSuperProperties()).toEqual({ member: 'VIP', Referer: 'super' });
  expect(tracker.getSuperProperty('member')).toBe('VIP');
  tracker.track('zhangsan', 'purchase', { Referer: 'gouwuche' }, { ...login, ...now() });
  tracker.profileSet('zhangsan', { city: '北京' }, { ...login, ...now() });
  tracker.clearSuperProperties();
  tracker.setDebug(1);
  tracker.track('zhangsan', 'rehearsal', {}, { ...login, ...now() });
  tracker.setDebug(2);
  tracker.track('zhangsan', 'payment', { pay_usage: 'Wechat' }, { ...login, ...now() });
  return tracker.close();
}

const growingCodecs = [
  { project: 'gio-json', codec: undefined },
  { project: 'gio-snappy', codec: snappy({ xor: true }) },
  { project: 'gio-protobuf', codec: protobuf },
];

async function trackAsGrowing(
  url: string,
  project: string,
  codec: GrowingCodec | undefined,
): Promise<CloseReport> {
  const now = createClock();
  const eventTime = () => ({ eventTime: now().time });
  const tracker = new GrowingTracker({
    projectId: project,
    dataSourceId: 'ab555003531e0fd1',
    collector: batch({ url }),
    ...(codec && { codec }),
  });
  const attributes = { name: 'cpacm', age: '100', education: ['本科', '硕士'] };
  tracker.trackCustomEvent('test', {
    loginUserId: 'cpacm',
    loginUserKey: 'email',
    attributes,
    ...eventTime(),
  });
  tracker.trackCustomEvent('both', {
    loginUserId: 'user',
    loginUserKey: 'email',
    anonymousId: 'python',
    ...eventTime(),
  });
  tracker.setLoginUserAttributes('user', attributes, { loginUserKey: 'email', ...eventTime() });
  tracker.submitItem('item_key', 'item_name', { attr: 'item' });
  tracker.submitItem('tracker_consumer', 'python');
  return tracker.close();
}

const exact = { big: 2n ** 63n - 1n, at: new Date(0), nested: { list: [1, null, { deep: true }] } };

async function trackOwn(url: string): Promise<CloseReport> {
  const now = createClock();
  const tracker = new Tracker({
    key: 'shop',
    collector: batch({ url }),
    platform: 'Server',
    superProperties: { store: 7n },
  });
  const who = { userId: 'ada', userKey: 'email' };
  tracker.track({ anonymousId: 'phone' }, 'view_item', exact, now());
  tracker.track({ anonymousId: 'phone', ...who }, 'login', {}, now());
  tracker.alias('ada', 'laptop', now());
  tracker.profileSet(who, { plan: 'gold', old: 1 }, now());
  tracker.profileSetOnce(who, { plan: 'free', city: 'Turin' }, now());
  tracker.profileIncrement(who, { visits: 2 }, now());
  tracker.profileAppend(who, { tags: ['a'] }, now());
  tracker.profileUnset(who, ['old'], now());
  tracker.profileSet({ userId: 'bob' }, { plan: 'free' }, now());
  tracker.profileDelete({ userId: 'bob' }, now());
  tracker.itemSet('sku', 'book-1', { price: 9.9 }, now());
  return tracker.close();
}

describe('AnalysysTracker', () => {
  test('every method appears in the warehouse as the manual says', async () => {
    const sdk = { sdk: 'Node', sdk_version: '4.0.5', user_key: null };
    const anonymous = { ...sdk, anonymous_id: 'ABCD123456', user_id: null };
    const user = { ...sdk, anonymous_id: null, user_id: 'zhangsan', platform: 'JS' };
    await expect
      .poll(() => eventsOf('fangzhouargo'), soon)
      .toEqual([
        { ...anonymous, name: 'SearchCommodity', platform: 'Android', properties: commodity },
        { ...anonymous, name: 'register', platform: 'JS', properties: {} },
        { ...user, name: 'purchase', properties: { member: 'VIP', Referer: 'gouwuche' } },
        { ...user, name: 'payment', properties: { pay_usage: 'Wechat' } },
      ]);
    await expect
      .poll(() => bindingsOf('fangzhouargo'), soon)
      .toEqual([{ anonymous_id: 'ABCD123456', user_key: null, user_id: 'zhangsan' }]);
    await expect
      .poll(async () => (await profilesOf('fangzhouargo')).zhangsan, soon)
      .toEqual({
        sex: '男',
        hobby: ['basketball', '听音乐'],
        registerTime: '20180101101010',
        userPoint: 21.5,
        city: '北京',
      });
    expect((await profilesOf('fangzhouargo')).lisi ?? {}).toEqual({});
  });
});

describe('GrowingTracker', () => {
  test.each(growingCodecs)(
    'every method appears in the warehouse as the manual says: $project',
    async ({ project }) => {
      const joined = { name: 'cpacm', age: '100', education: '本科||硕士' };
      const sdk = { platform: 'python', sdk: 'growingio-python', sdk_version: '1.0.5', user_key: 'email' };
      await expect
        .poll(() => eventsOf(project), soon)
        .toEqual([
          { ...sdk, name: 'test', user_id: 'cpacm', anonymous_id: null, properties: joined },
          { ...sdk, name: 'both', user_id: 'user', anonymous_id: 'python', properties: {} },
        ]);
      await expect
        .poll(() => bindingsOf(project), soon)
        .toEqual([{ anonymous_id: 'python', user_key: 'email', user_id: 'user' }]);
      await expect.poll(() => profilesOf(project), soon).toMatchObject({ user: joined });
      await expect
        .poll(() => itemsOf(project), soon)
        .toEqual({
          'item_key/item_name': { attr: 'item' },
          'tracker_consumer/python': {},
        });
    },
  );
});

describe('Tracker', () => {
  test('every method appears in the warehouse, and events keep what only JSON of our own can say', async () => {
    const sdk = { platform: 'Server', sdk: 'tributary-sdk', sdk_version: '0.1.0' };
    const exactly = { at: '1970-01-01T00:00:00.000Z', nested: exact.nested, store: 7 };
    await expect
      .poll(() => eventsOf('shop'), soon)
      .toMatchObject([
        { ...sdk, name: 'view_item', anonymous_id: 'phone', user_id: null, properties: exactly },
        {
          ...sdk,
          name: 'login',
          anonymous_id: 'phone',
          user_id: 'ada',
          user_key: 'email',
          properties: { store: 7 },
        },
      ]);
    const digits =
      "SELECT JSON_VALUE(properties, '$.big') AS big FROM events WHERE project = 'shop' AND name = 'view_item'";
    expect(await warehouse.query(digits)).toEqual([{ big: '9223372036854775807' }]);
    await expect
      .poll(async () => (await bindingsOf('shop')).map((row) => `${row.anonymous_id} ${row.user_id}`), soon)
      .toEqual(['laptop ada', 'phone ada']);
    await expect
      .poll(async () => (await profilesOf('shop')).ada, soon)
      .toEqual({
        plan: 'gold',
        city: 'Turin',
        visits: 2,
        tags: ['a'],
      });
    expect((await profilesOf('shop')).bob ?? {}).toEqual({});
    expect(await itemsOf('shop')).toEqual({ 'sku/book-1': { price: 9.9 } });
  });

  test('each call answers the verdict on its event, and an id of your own makes copies single', async () => {
    const issues: Issue[] = [];
    const tracker = new Tracker({
      key: 'verdicts',
      collector: immediate({ url: cloud.urls.ingest }),
      onIssue: (issue) => issues.push(issue),
    });
    const track = () =>
      tracker.track({ userId: 'ada' }, 'paid', { amount: 5 }, { id: 'order-1', time: 1_790_000_000_000 });
    const [first, second] = [await track(), await track()];
    expect(first).toMatchObject({
      kind: 'delivered',
      eventId: expect.any(String),
      verdict: { verdict: 'accepted' },
    });
    expect(second).toMatchObject({
      kind: 'delivered',
      eventId: first?.kind === 'delivered' && first.eventId,
    });
    expect(await tracker.track({ userId: 'ada' }, 'ancient', {}, { time: 1_000_000_000_000 })).toMatchObject({
      verdict: { verdict: 'quarantined', reason: 'occurred_at_outside_window' },
    });
    expect(issues).toEqual([]);
    expect(await tracker.track({}, 'nobody')).toEqual({
      kind: 'refused',
      detail: 'an event needs an anonymousId or a userId',
    });
    expect(issues).toMatchObject([{ severity: 'error', rule: 'missing_id', field: 'who', event: 'nobody' }]);
    await untilDelivered(cloud);
    await expect.poll(() => eventsOf('verdicts'), soon).toMatchObject([{ name: 'paid' }]);
    await tracker.close();
  });
});
