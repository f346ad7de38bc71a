/** The event that every sender sends: 10 properties of a shop, of which `n` is the number that the sink knows it by. */
export interface SampleEvent {
  readonly user: string;
  readonly name: string;
  readonly properties: Record<string, string | number | boolean>;
}

export const createSampleEvent = (n: number): SampleEvent => ({
  user: `user-${n % 5000}`,
  name: 'product_viewed',
  properties: {
    n,
    sku: `sku-${(n * 37) % 900}`,
    category: categories[n % categories.length] ?? '',
    price: ((n * 7919) % 500) / 10,
    currency: 'EUR',
    quantity: 1 + (n % 4),
    in_stock: n % 7 !== 0,
    campaign: 'spring',
    referrer: 'https://www.example.com/search',
    position: n % 20,
  },
});

const categories = ['shoes', 'shirts', 'hats', 'bags', 'toys'];
