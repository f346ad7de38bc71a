import { expect, test } from 'vitest';
import type { SeedInput } from '../../local/reports/seed.ts';
import { proveYear } from './year/prove-year.ts';

// The proof of `npm run proof:year` in small: the day on which the clocks go forward, restated soon after.

const restless = { lateRate: 0.6, movedRate: 0.6, removedRate: 0.6, afterDay28Rate: 0 };

const seed: SeedInput = {
  seed: 4,
  properties: [
    {
      id: '1',
      host: 'www.example.com',
      timeZone: 'Europe/London',
      viewsPerHour: 20,
      shape: 'flat',
      restatements: restless,
    },
  ],
  contentOwners: [{ id: 'Network', displayName: 'Network', restatedRate: 0.5 }],
  channels: [{ id: 'UCproof00000000001', title: 'One', owner: 'Network', viewsPerDay: 200 }],
  credentials: [
    { clientId: 'c', clientSecret: 's', refreshToken: 'r', email: 'o@example.com', owners: ['Network'] },
  ],
};

test('each attempt is the truth as of its pull, and each change afterwards is recorded', async () => {
  const { figures, told } = await proveYear({
    seed,
    from: '2025-03-30',
    to: '2025-03-30',
    afterDays: 5,
    faultRate: 0.01,
  });
  expect(told.filter((line) => !line.startsWith('first not final'))).toEqual([]);
  expect(figures).toMatchObject({ wrong: 0, missing: 0 });
  expect(figures.slices).toBeGreaterThanOrEqual(8 + 5);
  expect(figures.restated).toBeGreaterThan(0);
});
