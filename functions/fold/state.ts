import { z } from 'zod';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import { LeaseLost } from './lease.ts';

/** A user, or a device whose user is not known: exactly one of the two ids is not null. */
const person = z.object({
  project: z.string(),
  userKey: z.string().nullable(),
  userId: z.string().nullable(),
  anonymousId: z.string().nullable(),
});

const counts = z.record(z.string(), z.number());

/** What a tick leaves for the next one. What it says is folded is folded; what is folded it may not say yet. */
const state = z.object({
  version: z.literal(3),
  /** When the last tick began that left nothing undone, in milliseconds since 1970; null before the first. */
  foldedAt: z.number().nullable(),
  /** The greatest received_at that is folded, in microseconds since 1970; null while there is none. */
  watermark: z.number().nullable(),
  /** Of the settings that decide identity. */
  settingsHash: z.string(),
  /** Of the last rebuild, at random: folded_rows says nothing of the rows that it has from before. */
  rebuildId: z.string(),
  /** Rows of state_log that are folded, by the minute of received_at (`2026-03-01T12:34`), in the recent window. */
  minutes: counts,
  /** The same by day (`2026-03-01`), before that window. */
  days: counts,
  /** When those were last compared, in milliseconds since 1970. */
  daysComparedAt: z.number(),
  /** Pairs came in since identity_bindings was last decided. */
  mustRebind: z.boolean(),
  /** Whose bindings have changed since persons was last folded. */
  dirty: z.array(person),
  /** The step of a rebuild that comes next, null where none is under way. */
  rebuild: z
    .object({
      next: z.enum(['count', 'operations', 'pairs', 'bindings', 'persons']),
      /** Why, for who reads of it. */
      reason: z.string(),
      /** Under which rules. */
      settingsHash: z.string(),
      /** What rebuildId will be. */
      id: z.string(),
      /** When its rows were counted, and what holds of them once it is done. */
      beganAt: z.number(),
      watermark: z.number().nullable(),
      minutes: counts,
      days: counts,
    })
    .nullable(),
});

export type Person = z.output<typeof person>;
export type FoldState = z.output<typeof state>;
export type Rebuild = NonNullable<FoldState['rebuild']>;

export const emptyState: FoldState = {
  version: 3,
  foldedAt: null,
  watermark: null,
  settingsHash: '',
  rebuildId: '',
  minutes: {},
  days: {},
  daysComparedAt: 0,
  mustRebind: false,
  dirty: [],
  rebuild: null,
};

/** A rebuild that has not begun. */
export const rebuildFor = (reason: string): Rebuild => ({
  next: 'count',
  reason,
  settingsHash: '',
  id: '',
  beganAt: 0,
  watermark: null,
  minutes: {},
  days: {},
});

export const stateObject = 'fold/state.json';

/** The state as its object has it, for one holder of the lease. */
export interface StateStore {
  /** Undefined where there is none, or none that this version can read. */
  read(): Promise<FoldState | undefined>;
  /** Writes it where nobody else has written it since it was read; rejects with LeaseLost where somebody has. */
  write(next: FoldState): Promise<void>;
}

/** Opens the state for one holder of the lease. Its methods reject where the bucket cannot be reached. */
export function openState(options: {
  readonly bucket: Pick<ObjectStore, 'find' | 'read' | 'write'>;
  readonly holder: string;
  /** How long one request to the bucket may take, tries included. */
  readonly callWithinMs: number;
}): StateStore {
  const { bucket, holder, callWithinMs } = options;
  let generation = '0';
  let writes = 0;

  return {
    async read() {
      const stored = await bucket.find(stateObject, callWithinMs);
      if (stored === undefined) {
        generation = '0';
        return undefined;
      }
      const data = await bucket.read(stateObject, stored.generation, callWithinMs);
      if (data === undefined) throw new LeaseLost('another tick has written the state');
      generation = stored.generation;
      return parseState(data);
    },
    async write(next) {
      const writer = `${holder}/${++writes}`;
      const object = {
        name: stateObject,
        data: Buffer.from(JSON.stringify(next)),
        contentType: 'application/json',
        metadata: { writer },
      };
      const outcome = await bucket.write(object, generation, callWithinMs);
      if (outcome.kind === 'written') {
        generation = outcome.generation;
        return;
      }
      // An earlier try of this very write may have gone through, its answer lost.
      const found = await bucket.find(stateObject, callWithinMs);
      if (found?.metadata.writer !== writer) throw new LeaseLost('another tick has written the state');
      generation = found.generation;
    },
  };
}

function parseState(data: Buffer): FoldState | undefined {
  try {
    return state.safeParse(JSON.parse(data.toString())).data;
  } catch {
    return undefined;
  }
}
