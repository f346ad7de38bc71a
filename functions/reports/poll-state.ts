import { z } from 'zod';
import { readObject, type StateStore, writeObject } from './group-state.ts';

const problem = z.object({ report: z.string(), entityId: z.string().nullable(), message: z.string() });

const pollState = z.object({
  version: z.literal(1),
  /** By source: of which reports it was checked that the API has them, and what was wrong. */
  checked: z.record(
    z.string(),
    z.object({
      hash: z.string(),
      problems: z.array(problem),
      /** What could not be checked, as the API gave no access: told already. null: of no one entity. */
      unchecked: z.array(z.object({ entityId: z.string().nullable(), message: z.string() })),
      /** When that is tried again, in epoch milliseconds; null where all was checked. */
      again: z.number().nullable(),
    }),
  ),
  /** Slices that are ordered and were not pulled yet: when, in epoch milliseconds, and for which step. */
  ordered: z.record(z.string(), z.object({ at: z.number(), ladderDay: z.number() })),
});

/** What a poll leaves for the next one. */
export type PollState = z.output<typeof pollState>;

const emptyPollState: PollState = { version: 1, checked: {}, ordered: {} };

const pollObject = 'reports/poll.json';

/** Undefined is never answered: what is not there, or of another version, is empty. */
export async function readPollState(store: StateStore): Promise<{ state: PollState; generation: string }> {
  const { value, generation } = await readObject(store, pollObject, pollState);
  return { state: value ?? emptyPollState, generation };
}

/** Rejects where somebody else has written it since: only who has the lease does. */
export async function writePollState(store: StateStore, state: PollState, generation: string): Promise<void> {
  if (await writeObject(store, pollObject, state, generation)) return;
  throw new Error('The state of the poll was written by another one.');
}
