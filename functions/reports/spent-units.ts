import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readObject, type StateStore, writeObject } from './group-state.ts';
import { dayAt } from './services/calendar.ts';
import type { Call } from './services/service.ts';

/*
 * Units that a source counts by project and Pacific day, whichever instance and content owner spent them
 * (developers.google.com/youtube/v3/determine_quota_cost).
 */

const quotaZone = 'America/Los_Angeles';

const spentUnits = z.object({
  version: z.literal(1),
  day: z.string(),
  units: z.number(),
  /** Of the write: two that come to the same sum are still two. */
  write: z.string(),
});

const objectOf = (source: string): string => `reports/spent/${source}.json`;

/** Units that all instances have spent of this day. */
export async function readSpentUnits(store: StateStore, source: string, nowMs: number): Promise<number> {
  const { value } = await readObject(store, objectOf(source), spentUnits);
  return value?.day === dayAt(nowMs, quotaZone) ? value.units : 0;
}

/** Adds what these calls took, each to the day on which it began; calls of an earlier day than the one stored are over. */
export async function addSpentUnits(
  store: StateStore,
  source: string,
  calls: readonly Pick<Call, 'units' | 'startedAt'>[],
): Promise<void> {
  const days = Map.groupBy(calls, ({ startedAt }) => dayAt(startedAt.getTime(), quotaZone));
  for (const [day, own] of [...days].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const units = own.reduce((sum, call) => sum + (call.units ?? 0), 0);
    if (units > 0) await addUnits(store, source, day, units);
  }
}

async function addUnits(store: StateStore, source: string, day: string, units: number): Promise<void> {
  for (let tries = 0; tries < mostTries; tries++) {
    const { value, generation } = await readObject(store, objectOf(source), spentUnits);
    if (value !== undefined && value.day > day) return;
    const before = value?.day === day ? value.units : 0;
    const after = { version: 1, day, units: before + units, write: randomUUID() };
    if (await writeObject(store, objectOf(source), after, generation)) return;
  }
  throw new Error(`${objectOf(source)} is written by too many at once.`);
}

const mostTries = 10;
