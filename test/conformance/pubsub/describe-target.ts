import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../pubsub-differences.ts';
import { casesByTheme } from './cases.ts';
import { runCases } from './run-cases.ts';
import type { Target } from './target.ts';

/** Registers a test for each case: the target does what is documented, or what the list of differences says of it. */
export function describeTarget(side: 'google' | 'ours', title: string, start: () => Promise<Target>): void {
  describe(title, () => {
    let target: Target | undefined;
    let run: ReturnType<typeof runCases> | undefined;

    beforeAll(async () => {
      target = await start();
      run = runCases(target, Object.values(casesByTheme).flat());
    });

    afterAll(async () => {
      await run?.close();
      await target?.close();
    });

    describe.each(Object.entries(casesByTheme))('%s', (_, cases) => {
      test.each(cases.map((one) => [one.name, one.from, one] as const))('%s (%s)', async (name, _, one) => {
        const listed = differences[name]?.[side];
        const observed = await run?.observationOf(one);
        expect(
          observed,
          `expected by ${listed === undefined ? one.from : 'pubsub-differences.ts'}`,
        ).toStrictEqual(listed ?? one.documented);
      });
    });
  });
}
