import type { SampleRequest } from './traffic.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * Who came to the shop's site in the nine days before `now`, in milliseconds, as the Analysys SDK for the web sends it, and
 * what the shop sells, over our own API: enough for the queries of docs/recipes to have something to tell.
 */
export function makeEarlierDays(now: number): SampleRequest[] {
  return [products(now), ...visits(now).map(({ daysAgo, steps }) => visit(now - daysAgo * DAY, steps))];
}

interface Visit {
  daysAgo: number;
  steps: readonly Step[];
}

/** Minutes into the visit, who, what, and what is given with it. */
type Step = readonly [number, string, string, Readonly<Record<string, unknown>>?];

/** The web SDK's ids of devices: these are of whoever has not signed in. */
const [mei, tom, eva, leo] = ['a1', 'b2', 'c3', 'd4'].map(
  (end) => `JS5e0f93c7a1d846b2905ce17f4a3b68d2c07${end}`,
) as [string, string, string, string];

function visits(now: number): Visit[] {
  const at = (daysAgo: number) => new Date(now - daysAgo * DAY).toISOString().slice(0, 10);
  return [
    {
      daysAgo: 9,
      steps: [
        [0, mei, '$startup', { $is_first_time: true, $utm_source: 'newsletter' }],
        [1, mei, 'view_item', { item: 'shoes-42', price: 129.95 }],
        [4, 'customer-1010', '$alias', { $original_id: mei }],
        [4, 'customer-1010', '$profile_set', { nickname: 'Mei', city: 'Berlin', level: 'silver' }],
        [5, 'customer-1010', 'add_to_cart', { item: 'shoes-42', quantity: 1 }],
        [7, 'customer-1010', 'purchase', { order: 'W-19001', total: 129.95, items: ['shoes-42'] }],
        [7, 'customer-1010', '$profile_increment', { orders: 1, spent: 129.95 }],
      ],
    },
    {
      daysAgo: 9,
      steps: [
        [2, tom, '$startup', { $is_first_time: true, $utm_source: 'search' }],
        [3, tom, 'view_item', { item: 'mat-7', price: 35 }],
        [6, tom, 'add_to_cart', { item: 'mat-7', quantity: 1 }],
      ],
    },
    { daysAgo: 9, steps: [[8, eva, '$startup', { $is_first_time: true }]] },
    {
      daysAgo: 8,
      steps: [
        // Signed out: the device tells that it is she.
        [0, mei, '$startup', { $is_first_time: false }],
        [1, mei, 'view_item', { item: 'treadmill-200', price: 4999.9 }],
      ],
    },
    {
      daysAgo: 8,
      steps: [
        [5, tom, '$startup', { $is_first_time: false, $utm_source: 'newsletter' }],
        [6, 'customer-1011', '$alias', { $original_id: tom }],
        [6, 'customer-1011', '$profile_set', { nickname: 'Tom', first_order_on: at(8) }],
        [8, 'customer-1011', 'purchase', { order: 'W-19002', total: 35, items: ['mat-7'] }],
      ],
    },
    {
      daysAgo: 8,
      steps: [
        [9, leo, '$startup', { $is_first_time: true, $utm_source: 'search' }],
        [10, leo, 'view_item', { item: 'mat-7', price: 35 }],
        [10, leo, '$profile_set_once', { $first_visit_language: 'en' }],
      ],
    },
    {
      daysAgo: 2,
      steps: [
        [0, 'customer-1010', 'view_item', { item: 'mat-7', price: 35 }],
        [2, 'customer-1010', 'add_to_cart', { item: 'mat-7', quantity: 2 }],
        [3, 'customer-1010', 'purchase', { order: 'W-19003', total: 70, items: ['mat-7'] }],
        [3, 'customer-1010', '$profile_increment', { orders: 1, spent: 70 }],
        [4, 'customer-1010', '$profile_set', { level: 'gold' }],
      ],
    },
    {
      daysAgo: 2,
      steps: [
        [0, leo, 'view_item', { item: 'shoes-42', price: 129.95 }],
        [12, leo, 'search', { keyword: 'mats', results: 3 }],
        // Over half an hour later: another session.
        [45, leo, 'view_item', { item: 'mat-7', price: 35 }],
      ],
    },
  ];
}

function visit(end: number, steps: readonly Step[]): SampleRequest {
  // An hour before the time of day that it is, so that nothing is in the future.
  const start = end - 60 * MINUTE;
  const events = steps.map(([minute, xwho, xwhat, given = {}]) => ({
    appid: 'sample-web',
    xwho,
    xwhat,
    xwhen: start + minute * MINUTE,
    xcontext: {
      $lib: 'JS',
      $lib_version: '4.5.5',
      $platform: 'JS',
      $debug: 0,
      $is_login: !xwho.startsWith('JS'),
      ...given,
    },
  }));
  return {
    path: '/up?appid=sample-web',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(JSON.stringify(events)).toString('base64'),
    events: steps.length,
    state: steps.filter(([, , xwhat]) => /^\$(alias|profile_)/.test(xwhat)).length,
    quarantined: 0,
  };
}

function products(now: number): SampleRequest {
  const of = (item_id: string, minutesAgo: number, properties: object) => ({
    kind: 'item_set',
    name: 'product',
    item_id,
    occurred_at: now - minutesAgo * MINUTE,
    properties,
  });
  const items = [
    of('shoes-42', 14_400, { title: 'Running shoes 42', category: 'shoes', price: 139.95 }),
    of('mat-7', 14_400, { title: 'Yoga mat', category: 'yoga', price: 35 }),
    of('treadmill-200', 14_400, { title: '家用跑步机', category: 'machines', price: 4999.9 }),
    of('shoes-42', 14_000, { price: 129.95 }),
  ];
  return {
    path: '/v1/events',
    headers: { Authorization: 'Bearer sample-web', 'Content-Type': 'application/x-ndjson' },
    body: items.map((item) => JSON.stringify(item)).join('\n'),
    events: items.length,
    state: items.length,
    quarantined: 0,
  };
}
