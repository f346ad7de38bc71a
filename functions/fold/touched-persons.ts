import { z } from 'zod';
import type { Arrivals } from './arrivals.ts';
import { bucketOf } from './bucket.ts';
import type { Ways } from './carry-persons.ts';
import { personsMerge } from './compose-sql.ts';
import { readSql } from './read-sql.ts';
import type { Person } from './state.ts';
import type { TickContext } from './tick-context.ts';

/** A person about whom something came in, or whose devices changed. */
export interface TouchedPerson {
  readonly person: Person;
  /** Where its row lies. */
  readonly bucket: number;
  /** Where its operations lie: in its own bucket, and in those of its devices. */
  readonly buckets: readonly number[];
  /** What came in, where it might be added to what is folded: all of one dialect, with times of their sender's. */
  readonly arrived: Arrived | undefined;
}

export interface Arrived {
  /** When the first of it occurred, in microseconds since 1970. */
  readonly from: number;
  readonly dialect: string;
  /** Their event_ids, with commas between. */
  readonly events: string;
}

/**
 * BigQuery takes a request of 10 MB: cloud.google.com/bigquery/quotas. A parameter is several times as long there as here.
 */
const mostTextOfPersons = 1_500_000;

/** The persons whom what came in is about and the dirty ones, or `too_many` to fold them one by one. */
export async function readTouched(
  { during }: Arrivals,
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
  ways: Ways,
  arrivals: Arrivals,
  { options, steps }: TickContext,
): Promise<void> {
  await steps.query({ query: personsMerge(options.dataset), ...mergeParameters(ways, arrivals) });
}

/** The parameters of `personsMerge`, and their types. */
export function mergeParameters({ refolded, carried }: Ways, { during }: Arrivals) {
  const unique = (buckets: readonly number[]) => [...new Set(buckets)];
  const carriedBuckets = carried.map(({ bucket }) => bucket);
  return {
    params: {
      ...during.params,
      persons: refolded.map(({ person }) => toStruct(person)),
      buckets: unique(refolded.flatMap(({ buckets }) => buckets)),
      carried: carried.map(({ person, updatedAt, arrived: { dialect, events } }) => ({
        ...toStruct(person),
        updated_at: updatedAt,
        dialect,
        events,
      })),
      carried_buckets: unique(carriedBuckets),
      person_buckets: unique([...refolded.map(({ bucket }) => bucket), ...carriedBuckets]),
    },
    types: {
      ...during.types,
      persons: [personType],
      buckets: ['INT64'],
      carried: [{ ...personType, updated_at: 'INT64', dialect: 'STRING', events: 'STRING' }],
      carried_buckets: ['INT64'],
      person_buckets: ['INT64'],
    },
  };
}

/** Each once. */
export const uniquePersons = (persons: readonly Person[]): Person[] => [
  ...new Map(persons.map((person) => [textOf(person), person])).values(),
];

export const textOf = ({ project, userKey, userId, anonymousId }: Person): string =>
  JSON.stringify([project, userKey, userId, anonymousId]);

export const isTooMuch = (persons: readonly Person[], most: number): boolean =>
  persons.length > most || persons.reduce((sum, one) => sum + textOf(one).length, 0) > mostTextOfPersons;

export const personType = {
  project: 'STRING',
  user_key: 'STRING',
  user_id: 'STRING',
  anonymous_id: 'STRING',
};
export const toStruct = ({ project, userKey, userId, anonymousId }: Person) => ({
  project,
  user_key: userKey,
  user_id: userId,
  anonymous_id: anonymousId,
});

/** A person as rows of `persons` and of answers have it. */
export const personRow = z.object({
  project: z.string(),
  user_key: z.string().nullable(),
  user_id: z.string().nullable(),
  anonymous_id: z.string().nullable(),
});
export const fromRow = ({
  project,
  user_key: userKey,
  user_id: userId,
  anonymous_id: anonymousId,
}: z.output<typeof personRow>): Person => ({ project, userKey, userId, anonymousId });

const touchedRow = personRow
  .extend({
    arrived_from: z.number().nullable(),
    dialect: z.string().nullable(),
    events: z.string().nullable(),
    devices: z.array(z.string()),
  })
  .transform(({ arrived_from: from, dialect, events, devices, ...row }): TouchedPerson => {
    const person = fromRow(row);
    const bucket = bucketOf(person.project, person.userId ?? person.anonymousId ?? '');
    return {
      person,
      bucket,
      buckets: [bucket, ...devices.map((device) => bucketOf(person.project, device))],
      arrived: from === null || dialect === null || events === null ? undefined : { from, dialect, events },
    };
  });
