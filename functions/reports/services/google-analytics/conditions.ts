import type { analyticsdata_v1beta } from '@googleapis/analyticsdata';
import { z } from 'zod';
import type { Maps } from './configuration.ts';

type FilterExpression = analyticsdata_v1beta.Schema$FilterExpression;

const list = z.union([
  z.array(z.string()).min(1),
  z.string().regex(/^@\w+$/, 'must be a list or the @name of one'),
]);

/** One of them holds for each row that stays. */
export const conditionShape = z
  .strictObject({
    dimension: z.string(),
    in: list.optional(),
    notIn: list.optional(),
    /** RE2, of a part of the value. */
    matches: z.string().optional(),
    notMatches: list.optional(),
  })
  .refine(
    ({ dimension: _, ...tests }) => Object.values(tests).filter((test) => test !== undefined).length === 1,
    'must have exactly one of in, notIn, matches, notMatches',
  );

export type Condition = z.output<typeof conditionShape>;

/** A list as it is, or the one of maps that `@name` means; of a map its keys. */
export function resolveList(given: readonly string[] | string, maps: Maps): string[] {
  if (typeof given !== 'string') return [...given];
  const found: unknown = Object.entries(maps).find(([name]) => name === given.slice(1))?.[1];
  if (Array.isArray(found)) return found.map(String);
  return typeof found === 'object' && found !== null ? Object.keys(found) : [];
}

/** All conditions as the API wants them; undefined where there are none. */
export function writeFilter(conditions: readonly Condition[]): FilterExpression | undefined {
  const expressions = conditions.flatMap(writeCondition);
  return expressions.length > 1 ? { andGroup: { expressions } } : expressions[0];
}

function writeCondition({ dimension, ...test }: Condition): FilterExpression[] {
  const inList = (values: readonly string[] | string): FilterExpression => ({
    filter: { fieldName: dimension, inListFilter: { values: [...values], caseSensitive: true } },
  });
  const matching = (value: string): FilterExpression => ({
    filter: { fieldName: dimension, stringFilter: { matchType: 'PARTIAL_REGEXP', value } },
  });
  if (test.in !== undefined) return [inList(test.in)];
  // An empty list filters nothing, and the API takes none.
  if (test.notIn !== undefined) return test.notIn.length === 0 ? [] : [{ notExpression: inList(test.notIn) }];
  if (test.matches !== undefined) return [matching(test.matches)];
  return [...(test.notMatches ?? [])].map((value) => ({ notExpression: matching(value) }));
}
