import { gzipSync } from 'node:zlib';
import { makeEarlierDays } from './earlier-days.ts';

/** One request as an SDK sends it, and what should become of it. */
export interface SampleRequest {
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Rows that it adds to event_log, and of those the ones that state_log gets too. */
  events: number;
  state: number;
  quarantined: number;
}

/** How many devices of the sample have somebody sign in. */
export const boundDevices = 3;

export const sampleProjects = ['sample-web', 'sample-app', 'sample-server'] as const;

/**
 * A shop of sports goods in the last hour, and its site in the nine days before, as the Analysys SDKs for the web, iOS,
 * Android, Java and Node send it. Everything but the times is the same in every run; `now` is in milliseconds.
 */
export function makeSampleTraffic(now: number): SampleRequest[] {
  return [...makeEarlierDays(now), ...webVisit(now), ...appVisits(now), ...backEnd(now), ...mistakes(now)];
}

type Context = Readonly<Record<string, unknown>>;

interface AnalysysEvent {
  appid: string;
  xwho: string;
  xwhat: string;
  xwhen: number;
  xcontext: Context;
}

const MINUTE = 60_000;
const isStateOperation = (xwhat: string) => /^\$(alias|profile_)/.test(xwhat);
const device = 'JS7c0d41f2a98b4be5a6d3c1f09e2b7744d1c2';

/** A visitor of the site who looks around, signs in, and buys. */
function webVisit(now: number): SampleRequest[] {
  const start = now - 50 * MINUTE;
  const event = (minute: number, xwho: string, xwhat: string, given: Context): AnalysysEvent => ({
    appid: 'sample-web',
    xwho,
    xwhat,
    xwhen: start + minute * MINUTE,
    xcontext: {
      $lib: 'JS',
      $lib_version: '4.5.5',
      $platform: 'JS',
      $debug: 0,
      $is_login: xwho !== device,
      // The SDK adds these to tracks only.
      ...(isStateOperation(xwhat) ? {} : { $session_id: '0487b5b7826eac55' }),
      ...given,
    },
  });
  const page = (path: string, title: string) => ({
    $url: `https://shop.example${path}`,
    $title: title,
    $language: 'zh-CN',
    $screen_width: 1440,
    $screen_height: 900,
  });
  const visit = [
    event(0, device, '$startup', { ...page('/', '首页'), $is_first_time: true, $utm_source: 'newsletter' }),
    event(0, device, '$profile_set_once', {
      $first_visit_time: '2026-01-15 09:30:00.000',
      $first_visit_language: 'zh-CN',
    }),
    event(0, device, '$pageview', page('/', '首页')),
    event(2, device, '$pageview', page('/treadmills', '跑步机')),
    event(3, device, 'view_item', {
      item: 'treadmill-200',
      name: '家用跑步机',
      price: 4999.9,
      currency: 'CNY',
    }),
  ];
  const signIn = [
    event(5, 'customer-1001', '$alias', { $original_id: device }),
    event(5, 'customer-1001', '$profile_set', { nickname: '小明', city: '上海', member: true }),
    event(6, 'customer-1001', 'add_to_cart', { item: 'treadmill-200', quantity: 1, price: 4999.9 }),
    event(8, 'customer-1001', 'purchase', {
      order: 'W-20001',
      total: 4999.9,
      currency: 'CNY',
      items: ['treadmill-200'],
    }),
    event(8, 'customer-1001', '$profile_increment', { orders: 1, spent: 4999.9 }),
  ];
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const second = {
    path: '/up?appid=sample-web',
    headers,
    body: base64(signIn),
    events: 5,
    state: 3,
    quarantined: 0,
  };
  return [
    { path: '/up?appid=sample-web', headers, body: base64(visit), events: 5, state: 1, quarantined: 0 },
    second,
    // The connection broke before the answer came: the same request again, which `events` shows once.
    second,
  ];
}

const visitOf = { iOS: '5d1f0c44b1aa9e02', Android: 'c3aa71e9008d4f6b' };

/** Two phones, one of them with a build that is being debugged. */
function appVisits(now: number): SampleRequest[] {
  const event = (
    phone: 'iOS' | 'Android',
    minutesAgo: number,
    xwho: string,
    xwhat: string,
    given: Context,
    debug = 0,
  ): AnalysysEvent => ({
    appid: 'sample-app',
    xwho,
    xwhat,
    xwhen: now - minutesAgo * MINUTE,
    xcontext: {
      $lib: phone,
      $lib_version: phone === 'iOS' ? '4.5.19' : '4.5.20',
      $platform: phone,
      $debug: debug,
      $is_login: xwho.startsWith('customer'),
      ...(isStateOperation(xwhat)
        ? {}
        : { $session_id: visitOf[phone], $app_version: '3.2.0', $network: 'WIFI' }),
      ...given,
    },
  });
  const phone = 'F2A1C7B4-6E0D-4A43-9C5E-0B7D2A9E4411';
  const ios = [
    event('iOS', 40, phone, '$startup', { $is_first_time: false }),
    event('iOS', 40, phone, '$pageview', { $title: 'Home', $url: 'HomeViewController' }),
    event('iOS', 38, phone, 'search', { keyword: 'running shoes 42', results: 17 }),
    event('iOS', 37, phone, 'view_item', { item: 'shoes-42', price: 129.95, currency: 'EUR' }),
    event('iOS', 37, phone, '$profile_append', { viewed: ['shoes-42'] }),
  ];
  const android = [
    event('Android', 12, 'customer-1002', '$startup', {}, 1),
    event('Android', 12, 'customer-1002', 'view_item', { item: 'mat-7', price: 35, currency: 'EUR' }, 1),
    event('Android', 11, 'customer-1002', 'add_to_cart', { item: 'mat-7', quantity: 2, price: 35 }, 2),
  ];
  const headers = { 'Content-Type': 'text/plain; charset=UTF-8' };
  return [
    { path: '/up', headers, body: gzipped(ios), events: 5, state: 1, quarantined: 0 },
    { path: '/up', headers, body: gzipped(android), events: 3, state: 0, quarantined: 0 },
  ];
}

/** What the shop's own servers say of orders and customers. */
function backEnd(now: number): SampleRequest[] {
  const event = (
    lib: string,
    minutesAgo: number,
    xwho: string,
    xwhat: string,
    given: Context,
  ): AnalysysEvent => ({
    appid: 'sample-server',
    xwho,
    xwhat,
    xwhen: now - minutesAgo * MINUTE,
    xcontext: {
      $lib: lib,
      $lib_version: lib === 'Java' ? '4.1.3' : '4.0.5',
      $platform: 'JS',
      $debug: 0,
      $is_login: true,
      ...given,
    },
  });
  const orders = [
    event('Java', 30, 'customer-1001', 'order_paid', { order: 'W-20001', method: 'alipay', total: 4999.9 }),
    event('Java', 20, 'customer-1001', 'order_shipped', { order: 'W-20001', carrier: '顺丰', parcels: 2 }),
    event('Java', 20, 'customer-1001', '$profile_set', { last_order: 'W-20001', level: 'gold' }),
  ];
  const clean = [
    event('Node', 9, 'customer-1003', '$profile_unset', { newsletter: '' }),
    event('Node', 9, 'customer-1004', '$profile_delete', {}),
    event('Node', 8, 'customer-1003', 'newsletter_left', { reason: 'too many' }),
  ];
  return [
    {
      path: '/up',
      headers: { 'Content-Type': 'text/plain; charset=ISO-8859-1', 'Content-Encoding': 'UTF-8' },
      body: gzipped(orders),
      events: 3,
      state: 1,
      quarantined: 0,
    },
    {
      path: '/up?appid=sample-server',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(clean),
      events: 3,
      state: 2,
      quarantined: 0,
    },
  ];
}

/** An event with a number for a visitor, beside a good one, and a body that was cut off on its way. */
function mistakes(now: number): SampleRequest[] {
  const good = {
    appid: 'sample-server',
    xwho: 'customer-1005',
    xwhat: 'review_written',
    xwhen: now - 5 * MINUTE,
    xcontext: { stars: 5, text: '很好' },
  };
  const bad = { ...good, xwho: 1005 };
  const headers = { 'Content-Type': 'application/json' };
  return [
    {
      path: '/up?appid=sample-server',
      headers,
      body: JSON.stringify([good, bad]),
      events: 1,
      state: 0,
      quarantined: 1,
    },
    {
      path: '/up?appid=sample-server',
      headers,
      body: JSON.stringify([good]).slice(0, -20),
      events: 0,
      state: 0,
      quarantined: 1,
    },
  ];
}

const base64 = (events: readonly AnalysysEvent[]): string =>
  Buffer.from(JSON.stringify(events)).toString('base64');
const gzipped = (events: readonly AnalysysEvent[]): string =>
  gzipSync(JSON.stringify(events)).toString('base64');
