import { z } from 'zod';
import { readSql } from './read-sql.ts';
import type { TickContext } from './tick-context.ts';
import {
  type Arrived,
  type DuringSlices,
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

/**
 * Those of the persons whose rows can be carried on, by their texts: to add what came in gives what folding them anew
 * would. That is so where all of it occurred after all that is folded, none of it is a copy of what is folded, and the row
 * stands for all that led to it.
 *
 * To be asked before what came in is copied into profile_operations: what is there already was folded, or copied by a tick
 * that died. Whose devices change afterwards cannot be carried on.
 */
export async function findCarried(
  touched: readonly TouchedPerson[],
  during: DuringSlices,
  { options, steps }: TickContext,
): Promise<Map<string, CarriedPerson>> {
  const candidates = touched.filter(({ arrived }) => arrived !== undefined);
  const { rows } = await steps.query({
    query: readSql('carry-facts.sql', options.dataset),
    params: {
      ...during.params,
      persons: candidates.map(({ person }) => toStruct(person)),
      buckets: [...new Set(candidates.flatMap(({ buckets }) => buckets))],
      person_buckets: [...new Set(candidates.map(({ bucket }) => bucket))],
    },
    types: { ...during.types, persons: [personType], buckets: ['INT64'], person_buckets: ['INT64'] },
  });
  const copied = new Set<string>();
  const kept = new Map<string, z.output<typeof keptRow>>();
  for (const row of z.array(z.union([copiedRow, keptRow])).parse(rows)) {
    if (row.event_id !== null) copied.add(row.event_id);
    else kept.set(textOf(fromRow(row)), row);
  }
  let text = 0;
  const carried = candidates.flatMap((candidate): (readonly [string, CarriedPerson])[] => {
    const { person, arrived } = candidate;
    const row = kept.get(textOf(person));
    if (arrived === undefined || !mayCarry(arrived, row, copied)) return [];
    text += arrived.events.length;
    return text > mostTextOfEvents
      ? []
      : [[textOf(person), { ...candidate, arrived, updatedAt: row?.updated_at ?? null }]];
  });
  return new Map(carried);
}

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
