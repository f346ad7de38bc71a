import { type Case, cases } from '../../../local/bigquery/sql/cases.ts';
import {
  clauseRequirements,
  functionRequirements,
  notEvaluated,
  type ValueKind,
  valueKinds,
} from './required-values.ts';
import type { ShippedQuery } from './shipped-sql.ts';
import { featuresOf, type SqlFeatures } from './sql-features.ts';

/** A function, written `NAME()`, or a clause that lacks cases. */
export interface Lack {
  readonly feature: string;
  readonly lacks: string;
}

/** What the shipped queries use that has no row in `required-values.ts`, or no case, as `file:line: what`. */
export function findUncovered(queries: readonly ShippedQuery[], known: readonly Case[] = cases): string[] {
  const covered = readCovered(known);
  return queries.flatMap(({ file, line, sql }) =>
    namesOf(featuresOf(sql)).flatMap((feature) => {
      const lacks = lackOf(feature, covered);
      return lacks === undefined ? [] : [`${file}:${line}: ${feature} ${lacks}`];
    }),
  );
}

/** Every function and clause of `required-values.ts` for which a kind of value has no case. */
export function findLacks(known: readonly Case[] = cases): Lack[] {
  const covered = readCovered(known);
  return [...requirements.keys()].flatMap((feature) => {
    const lacks = lackOf(feature, covered);
    return lacks === undefined ? [] : [{ feature, lacks }];
  });
}

type Covered = ReadonlyMap<string, ReadonlySet<ValueKind>>;

const requirements: ReadonlyMap<string, readonly ValueKind[]> = new Map([
  ...functionRequirements.flatMap(({ names, values }) =>
    names.split(' ').map((name) => [`${name}()`, values] as const),
  ),
  ...Object.entries(clauseRequirements),
]);

function lackOf(feature: string, covered: Covered): string | undefined {
  if (notEvaluated.has(feature)) return undefined;
  const values = requirements.get(feature);
  if (values === undefined) return 'has no row in required-values.ts';
  const found = covered.get(feature);
  if (found === undefined) return 'has no case';
  const missing = values.filter((value) => !found.has(value));
  return missing.length === 0 ? undefined : `has no case with values of these kinds: ${missing.join(', ')}`;
}

function readCovered(known: readonly Case[]): Covered {
  const covered = new Map<string, Set<ValueKind>>();
  for (const { sql } of known) {
    const features = tryFeaturesOf(sql);
    if (features === undefined) continue;
    const values = kinds.filter((kind) => valueKinds[kind].test(sql));
    for (const feature of namesOf(features)) {
      const found = covered.get(feature) ?? new Set();
      covered.set(feature, found);
      for (const value of values) found.add(value);
    }
  }
  return covered;
}

const kinds = Object.keys(valueKinds) as ValueKind[];

/** Undefined for a case of what no token begins with. */
function tryFeaturesOf(sql: string): SqlFeatures | undefined {
  try {
    return featuresOf(sql);
  } catch {
    return undefined;
  }
}

const namesOf = ({ functions, clauses }: SqlFeatures): string[] => [
  ...[...functions].map((name) => `${name}()`),
  ...clauses,
];
