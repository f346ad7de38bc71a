import { expect, test } from 'vitest';
import { proveCase } from './identity/identity.ts';

// The proof of `npm run proof:identity` in small: each of its shapes, and each way to arrive.

test.each([
  { shape: 'random', arrival: 'late into old slices' },
  { shape: 'chain', arrival: 'in shuffled slices' },
  { shape: 'one device', arrival: 'in shuffled slices' },
  { shape: 'one user', arrival: 'at once' },
] as const)('devices belong to whom the reference gives them: $shape, $arrival', async (one) => {
  const figures = await proveCase(one, { pairs: 40, seed: 5, runs: 3, progress: () => {} });
  expect(figures).toMatchObject({
    wrong: 0,
    untold: 0,
    wrongPairs: 0,
    wrongConflicts: 0,
    mostQueriesOfARun: 5,
  });
  expect(figures.bindings).toBeGreaterThan(6);
  expect(figures.contested).toBeGreaterThan(40);
});
