import { bucketOf } from '../../../functions/fold/bucket.ts';
import { type Folded, foldItems, foldProfiles } from '../../reference/fold.ts';
import { writeJson } from '../../reference/json-numbers.ts';
import { createRandom } from '../random.ts';
import type { FoldWarehouse } from './fold-warehouse.ts';
import { type History, makeHistory } from './histories.ts';

export interface FoldFigures {
  histories: number;
  rows: number;
  persons: number;
  items: number;
  values: number;
  differences: readonly Difference[];
}

/** A person or item of which the two folds say different things; absent where one has no such row. */
export interface Difference {
  readonly project: string;
  readonly subject: string;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** The history of a seed and a number, always the same. */
export const historyOf = (seed: number, number: number, most: number): History =>
  makeHistory(`p${number}`, most, createRandom(seed * 1_000_003 + number));

/**
 * Loads the histories in two parts, as late rows come, and folds them by the reference and by the shipped SQL, each in one
 * query: the views, and `persons` anew and in two steps.
 */
export async function proveFold(
  warehouse: FoldWarehouse,
  histories: readonly History[],
): Promise<FoldFigures> {
  const rows = histories.flatMap((history) => history.rows);
  const isEarly = (_: unknown, index: number) => index % 2 === 0;
  const isLate = (_: unknown, index: number) => index % 2 === 1;
  const bindings = histories.flatMap((history) => history.bindings);
  for (const part of [isEarly, isLate]) {
    await warehouse.load(rows.filter(part));
    await warehouse.bind(bindings.filter(part));
    await warehouse.mergePersons(...touchedBy(histories));
  }
  const persons = histories.flatMap((history) => foldProfiles(history.rows, history.bindings));
  const items = histories.flatMap((history) => foldItems(history.rows));
  return {
    histories: histories.length,
    rows: rows.length,
    persons: persons.length,
    items: items.length,
    values: [...persons, ...items].reduce((sum, { properties }) => sum + Object.keys(properties).length, 0),
    differences: [
      ...compareFolds(persons, await warehouse.profiles()),
      ...compareFolds(persons, await warehouse.persons()),
      ...compareFolds(persons, await warehouse.rebuiltPersons()),
      ...compareFolds(items, await warehouse.items()),
    ],
  };
}

/** Every person that the rows or the bindings name, and the buckets of their ids. */
function touchedBy(histories: readonly History[]): [(string | null)[][], number[]] {
  const persons = histories.flatMap(({ rows, bindings }) =>
    [...rows, ...bindings].flatMap(({ project, user_key, user_id, anonymous_id }) => [
      ...(user_id === null ? [] : [[project, user_key, user_id, null]]),
      ...(anonymous_id === null ? [] : [[project, null, null, anonymous_id]]),
    ]),
  );
  const unique = [...new Map(persons.map((person) => [JSON.stringify(person), person])).values()];
  const buckets = unique.map(([project, , user_id, anonymous_id]) =>
    bucketOf(project!, user_id ?? anonymous_id!),
  );
  return [unique, [...new Set(buckets)]];
}

/** Values and types: 1 is not 1.0. */
export function compareFolds(expected: readonly Folded[], actual: readonly Folded[]): Difference[] {
  const wanted = new Map(expected.map((one) => [JSON.stringify(one.subject), write(one)]));
  const found = new Map(actual.map((one) => [JSON.stringify(one.subject), write(one)]));
  const twice = actual.length - found.size;
  if (twice > 0) throw new Error(`${twice} subjects have more than one row`);
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((subject) => wanted.get(subject) !== found.get(subject))
    .map((subject) => ({
      project: JSON.parse(subject)[0],
      subject,
      expected: wanted.get(subject),
      actual: found.get(subject),
    }));
}

const write = ({ properties, first_seen_at, updated_at }: Folded): string =>
  `${writeJson(properties)} from ${first_seen_at} to ${updated_at}`;
