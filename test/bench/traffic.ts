import { gzipSync } from 'node:zlib';

/** Requests of an Analysys back end: `perRequest` events of about 370 bytes each, all different. */
export function analysysBodies(count: number, perRequest: number): { plain: Buffer[]; gzip: Buffer[] } {
  const plain = Array.from({ length: count }, (_, request) =>
    Buffer.from(JSON.stringify(Array.from({ length: perRequest }, (_, place) => event(request, place)))),
  );
  return { plain, gzip: plain.map((body) => Buffer.from(gzipSync(body).toString('base64'))) };
}

const started = Date.now();

function event(request: number, place: number) {
  const number = request * 1000 + place;
  return {
    appid: 'shop',
    xwho: `customer-${(number * 7919) % 100_003}`,
    xwhat: ['view_item', 'add_to_cart', 'purchase', 'search'][number % 4],
    xwhen: started + number,
    xcontext: {
      item: `item-${(number * 31) % 5000}`,
      price: ((number * 37) % 100_000) / 100,
      quantity: (number % 5) + 1,
      currency: 'EUR',
      category: '跑步机',
      tags: ['spring', 'outdoor'],
      in_stock: number % 3 !== 0,
      $url: `https://shop.example/items/${number % 5000}`,
      $lib: 'python',
      $lib_version: '4.1.1',
      $platform: 'Android',
      $debug: 0,
      $is_login: number % 2 === 0,
    },
  };
}
