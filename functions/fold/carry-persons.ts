import { z } from 'zod';
import type { Arrivals } from './arrivals.ts';
import type { BindingEffects } from './binding-effects.ts';
import { readSql } from './read-sql.ts';
import type { TickContext } from './tick-context.ts';
import {
  type Arrived,
  fromRow,
  personRow,
  personType,
  type TouchedPerson,
  textOf,
  toStruct,
} from './touched-persons.ts';

/** A person to whose row in `persons` what came in is added. */
export interface CarriedPerson extends TouchedPerson {
  readonly arrived: Arrived;
  /** When it was last updated, in microseconds since 1970; null for one that is not in `persons` yet. */
  readonly updatedAt: number | null;
}

/** How the rows of persons are brought up to date. */
export interface Ways {
  /** To these is added what came in. */
  readonly carried: readonly CarriedPerson[];
  readonly refolded: readonly TouchedPerson[];
}

/**
 * Tells which rows of the touched persons can be carried on: to add what came in gives what folding them anew would. That is
 * so where all of it occurred after all that is folded, none of it is a copy of what is folded, the row stands for all that
 * led to it, and no device brought along what it did by itself. A device that a user gained and that is not in `persons`
 * needs neither.
 *
 * To be asked once bindings are as they should be and before what came in is copied into profile_operations: what is there
 * already was folded, or copied by a tick that died.
 */
export async function findWays(
  touched: readonly TouchedPerson[],
  effects: BindingEffects,
  { during }: Arrivals,
  { options, steps }: TickContext,
): Promise<Ways> {
  const gained = new Set([...effects.gained.values()].flat());
  const asked = touched.filter(
    ({ person, arrived }) =>
      !effects.refolded.has(textOf(person)) && (arrived !== undefined || gained.has(textOf(person))),
  );
  if (asked.length === 0) return { carried: [], refolded: touched };
  const { rows } = await steps.query({
    query: readSql('carry-facts.sql', options.dataset),
    params: {
      ...during.params,
      persons: asked.map(({ person }) => toStruct(person)),
      buckets: unique(asked.flatMap(({ arrived, buckets }) => (arrived === undefined ? [] : buckets))),
      person_buckets: unique(asked.map(({ bucket }) => bucket)),
    },
    types: { ...during.types, persons: [personType], buckets: ['INT64'], person_buckets: ['INT64'] },
  });
  const copied = new Set<string>();
  const kept = new Map<string, z.output<typeof keptRow>>();
  for (const row of z.array(z.union([copiedRow, keptRow])).parse(rows)) {
    if (row.event_id !== null) copied.add(row.event_id);
    else kept.set(textOf(fromRow(row)), row);
  }

  const carried: CarriedPerson[] = [];
  const refolded: TouchedPerson[] = [];
  const areAsked = new Set(asked);
  let text = 0;
  for (const one of touched) {
    const { person, arrived } = one;
    const name = textOf(person);
    const row = kept.get(name);
    const bringsNothing = (device: string) => !effects.refolded.has(device) && !kept.has(device);
    text += arrived?.events.length ?? 0;
    if (!areAsked.has(one)) refolded.push(one);
    else if (arrived === undefined) {
      // A device that was nobody's and is a user's now.
      if (row !== undefined) refolded.push(one);
    } else if (
      text <= mostTextOfEvents &&
      (effects.gained.get(name) ?? []).every(bringsNothing) &&
      mayCarry(arrived, row, copied)
    ) {
      carried.push({ ...one, arrived, updatedAt: row?.updated_at ?? null });
    } else refolded.push(one);
  }
  return { carried, refolded };
}

const unique = (buckets: readonly number[]) => [...new Set(buckets)];

function mayCarry(
  { from, dialect, events }: Arrived,
  row: z.output<typeof keptRow> | undefined,
  copied: ReadonlySet<string>,
): boolean {
  if (row !== undefined && (row.dialect !== dialect || from <= row.updated_at)) return false;
  return !events.split(',').some((event) => copied.has(event));
}

/** BigQuery takes a request of 10 MB, in which the persons are too. */
const mostTextOfEvents = 2_000_000;

const copiedRow = z.object({ event_id: z.string() });
const keptRow = personRow.extend({
  updated_at: z.number(),
  dialect: z.string().nullable(),
  event_id: z.null(),
});
