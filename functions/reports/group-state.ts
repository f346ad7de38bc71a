import { z } from 'zod';
import type { ObjectStore } from '../../shared/google/object-store.ts';

/** Why something is not asked for. */
const hold = z.object({
  /** `group`: a property or content owner with all its entities; `report`: one report of it. */
  scope: z.enum(['group', 'entity', 'report']),
  /** null for `group`, and for a report that is held for every entity. */
  entityId: z.string().nullable(),
  /** `key@hash` of a report. */
  report: z.string().nullable(),
  kind: z.string(),
  reason: z.string(),
  message: z.string(),
  /** Epoch milliseconds; null: until the report is configured otherwise. */
  until: z.number().nullable(),
  since: z.number(),
  /** Whether somebody must act. */
  alert: z.boolean(),
});

/** What is remembered of a property or content owner between calls of the function. */
const groupState = z.object({
  version: z.literal(1),
  /** By the API's own name of a bucket: what was left when, and the most that was ever left. */
  quota: z.record(z.string(), z.object({ remaining: z.number(), most: z.number(), at: z.number() })),
  /** Tokens that one slice of a report takes, by `key@hash`. */
  learned: z.record(z.string(), z.number()),
  holds: z.array(hold),
  /** When an order was last given back without all of it being pulled; epoch milliseconds. */
  deferredAt: z.number(),
  /** The day, in the zone of the reports, on which live counters were last taken. */
  snapshotOn: z.string(),
  /** When metadata of items was last asked for; epoch milliseconds. */
  describedAt: z.number(),
});

export type Hold = z.output<typeof hold>;
export type GroupState = z.output<typeof groupState>;

export const emptyGroupState: GroupState = {
  version: 1,
  quota: {},
  learned: {},
  holds: [],
  deferredAt: 0,
  snapshotOn: '',
  describedAt: 0,
};

export interface StateStore {
  readonly bucket: Pick<ObjectStore, 'find' | 'read' | 'write'>;
  /** How long one request to the bucket may take, tries included. */
  readonly callWithinMs: number;
}

export const groupObject = (source: string, probeGroup: string): string =>
  `reports/groups/${source}/${encodeURIComponent(probeGroup)}.json`;

export async function readGroupState(
  store: StateStore,
  source: string,
  probeGroup: string,
): Promise<GroupState> {
  return (await readObject(store, groupObject(source, probeGroup), groupState)).value ?? emptyGroupState;
}

/** Writes what `change` makes of it, again where somebody else has written it in between. Returns what it then is. */
export async function changeGroupState(
  store: StateStore,
  source: string,
  probeGroup: string,
  change: (state: GroupState) => GroupState,
): Promise<GroupState> {
  const name = groupObject(source, probeGroup);
  for (let tries = 0; ; tries++) {
    const { value, generation } = await readObject(store, name, groupState);
    const before = value ?? emptyGroupState;
    const after = change(before);
    if (after === before) return before;
    if (await writeObject(store, name, after, generation)) return after;
    if (tries >= mostTries) throw new Error(`${name} is written by too many at once.`);
  }
}

const mostTries = 10;

/** An object of JSON; without a value where there is none, or none that this version can read. */
export async function readObject<Value>(
  { bucket, callWithinMs }: StateStore,
  name: string,
  shape: z.ZodType<Value>,
): Promise<{ readonly value: Value | undefined; readonly generation: string }> {
  for (let tries = 0; tries < mostTries; tries++) {
    const stored = await bucket.find(name, callWithinMs);
    if (stored === undefined) return { value: undefined, generation: '0' };
    const data = await bucket.read(name, stored.generation, callWithinMs);
    // Somebody has written it since.
    if (data === undefined) continue;
    return { value: parse(shape, data), generation: stored.generation };
  }
  throw new Error(`${name} is written by too many at once.`);
}

/** Whether it was written: not where it has another generation, unless that is of an earlier try of this very write. */
export async function writeObject(
  { bucket, callWithinMs }: StateStore,
  name: string,
  value: object,
  generation: string,
): Promise<boolean> {
  const data = Buffer.from(JSON.stringify(value));
  const object = { name, data, contentType: 'application/json', metadata: {} };
  const outcome = await bucket.write(object, generation, callWithinMs);
  if (outcome.kind === 'written') return true;
  const stored = await bucket.find(name, callWithinMs);
  const there = stored && (await bucket.read(name, stored.generation, callWithinMs));
  return there?.equals(data) ?? false;
}

function parse<Value>(shape: z.ZodType<Value>, data: Buffer): Value | undefined {
  try {
    return shape.parse(JSON.parse(data.toString()));
  } catch {
    return undefined;
  }
}
