import { hash } from 'node:crypto';
import type { Operation } from '../../functions/fold/start-for-test.ts';

/** What the visitors of a shop do to their profiles: every second has logged in on a device, the others are devices. */
export interface Shop {
  /** What a person does at one visit, a second between any two; received at its end, in microseconds since 1970. */
  visit(person: number, count: number, receivedAt: number): Operation[];
}

/** The same operations for the same seed. */
export function createShop(seed: number): Shop {
  const random = randomFrom(seed);
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
  let visits = 0;

  const properties = (kind: Operation['kind']): Readonly<Record<string, unknown>> => {
    switch (kind) {
      case 'profile_increment':
        return { spent: Math.round(random() * 10_000) / 100, visits: 1 };
      case 'profile_append':
        return { seen: [pick(words)] };
      case 'profile_unset':
        return { coupon: '' };
      case 'profile_set_once':
        return { first_page: `/${pick(words)}`, source: pick(words) };
      default:
        return {
          age: 18 + Math.floor(random() * 60),
          city: pick(words),
          coupon: pick(words),
          plan: pick(words),
        };
    }
  };

  return {
    visit(person, count, receivedAt) {
      const batchId = hash('md5', `${seed}:${visits++}`);
      const isUser = person % 2 === 0;
      return Array.from({ length: count }, (_, place) => {
        // Who logs in says so first.
        const kind = isUser && place === 0 ? 'alias' : pick(kinds);
        return {
          event_id: hash('md5', `${batchId}:${place}`),
          project: 'shop',
          dialect: 'analysys',
          kind,
          ...(isUser && { user_id: `user-${person}` }),
          ...((!isUser || kind === 'alias') && { anonymous_id: `JS${hash('md5', `${person}`)}` }),
          occurred_at: receivedAt - (count - place) * 1_000_000,
          received_at: receivedAt,
          platform: 'JS',
          sdk: 'JS',
          sdk_version: '4.5.3',
          properties: JSON.stringify(kind === 'alias' ? {} : properties(kind)),
          context: '{"$lib":"JS","$lib_version":"4.5.3","$platform":"JS"}',
          batch_id: batchId,
          batch_index: place,
        };
      });
    },
  };
}

const kinds = [
  'profile_set',
  'profile_set',
  'profile_set_once',
  'profile_increment',
  'profile_increment',
  'profile_append',
  'profile_unset',
] as const;

const words = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'harbour', 'island', 'juniper'];

/** Mulberry32: even enough for made-up visitors. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
