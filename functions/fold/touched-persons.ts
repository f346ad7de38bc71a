import { z } from 'zod';
import { bucketOf } from './bucket.ts';
import { personsMerge } from './compose-sql.ts';
import { readSql } from './read-sql.ts';
import type { sliceParameters } from './slices.ts';
import type { Person } from './state.ts';
import type { TickContext } from './tick-context.ts';

/** A person as it must be folded anew. */
export interface TouchedPerson {
  readonly person: Person;
  /** Where its operations lie: in its own bucket, and in those of its devices. */
  readonly buckets: readonly number[];
}

/**
 * BigQuery takes a request of 10 MB: cloud.google.com/bigquery/quotas. A parameter is several times as long there as here.
 */
const mostTextOfPersons = 1_500_000;

/** The persons whom the slices and the dirty ones are about, or `too_many` to fold them one by one. */
export async function readTouched(
  during: ReturnType<typeof sliceParameters>,
  dirty: readonly Person[],
  { options, steps }: TickContext,
): Promise<readonly TouchedPerson[] | 'too_many'> {
  if (isTooMuch(dirty, options.mostPersons)) return 'too_many';
  const { rows } = await steps.query({
    query: readSql('touched-persons.sql', options.dataset),
    params: { ...during.params, dirty: dirty.map(toStruct), most: options.mostPersons + 1 },
    types: { ...during.types, dirty: [personType] },
  });
  const touched = z.array(touchedRow).parse(rows);
  const persons = touched.map(({ person }) => person);
  return isTooMuch(persons, options.mostPersons) ? 'too_many' : touched;
}

/** Makes the rows of the persons in `persons` what their operations say. */
export async function foldPersons(
  touched: readonly TouchedPerson[],
  { options, steps }: TickContext,
): Promise<void> {
  const buckets = new Set(touched.flatMap((one) => one.buckets));
  await steps.query({
    query: personsMerge(options.dataset),
    params: { persons: touched.map(({ person }) => toStruct(person)), buckets: [...buckets] },
    types: { persons: [personType], buckets: ['INT64'] },
  });
}

/** Each once. */
export const uniquePersons = (persons: readonly Person[]): Person[] => [
  ...new Map(persons.map((person) => [textOf(person), person])).values(),
];

const textOf = ({ project, userKey, userId, anonymousId }: Person): string =>
  JSON.stringify([project, userKey, userId, anonymousId]);

const isTooMuch = (persons: readonly Person[], most: number): boolean =>
  persons.length > most || persons.reduce((sum, one) => sum + textOf(one).length, 0) > mostTextOfPersons;

const personType = { project: 'STRING', user_key: 'STRING', user_id: 'STRING', anonymous_id: 'STRING' };
const toStruct = ({ project, userKey, userId, anonymousId }: Person) => ({
  project,
  user_key: userKey,
  user_id: userId,
  anonymous_id: anonymousId,
});

const touchedRow = z
  .object({
    project: z.string(),
    user_key: z.string().nullable(),
    user_id: z.string().nullable(),
    anonymous_id: z.string().nullable(),
    devices: z.array(z.string()),
  })
  .transform(({ project, user_key: userKey, user_id: userId, anonymous_id: anonymousId, devices }) => ({
    person: { project, userKey, userId, anonymousId },
    buckets: [userId ?? anonymousId ?? '', ...devices].map((id) => bucketOf(project, id)),
  }));
