import { readFileSync } from 'node:fs';
import { z } from 'zod';

export const PRICES_FILE = new URL('../infra/prices.json', import.meta.url);

const price = z.strictObject({
  /** Dollars for one of `per`. */
  usd: z.number().nonnegative(),
  per: z.string(),
  /** How much of it costs nothing, each month. */
  free: z.number().nonnegative(),
  source: z.url(),
  /** How the price was checked, or that it was not. */
  checked: z.string(),
});

const names = [
  'requestCpu',
  'requestMemory',
  'requests',
  'instanceCpu',
  'instanceMemory',
  'pubsub',
  'write',
  'activeStorage',
  'longTermStorage',
  'query',
  'logs',
  'internet',
  'job',
] as const;

/** What is charged for, as infra/prices.json calls it. */
export type Resource = (typeof names)[number];

const pricesSchema = z.strictObject({
  on: z.iso.date(),
  currency: z.literal('USD'),
  region: z.string(),
  note: z.string(),
  prices: z.record(z.enum(names), price),
});

/** Google's list prices as of a day: infra/prices.json. */
export type Prices = z.infer<typeof pricesSchema>;

/** Reads the list prices. Throws what is wrong with the file, and where. */
export function readPrices(file: URL = PRICES_FILE): Prices {
  const parsed = pricesSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${file.pathname}:\n${z.prettifyError(parsed.error)}`);
}
