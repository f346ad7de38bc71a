import { dayMs } from './services/calendar.ts';

/*
 * When a slice is read again. A step is a number of days since the end of its date: the first reading, whenever the day
 * was complete, covers the first step.
 */

/** The step that a reading at this age covers: the last one whose time has come, at the least the first. */
export function coveredStep(ladder: readonly number[], ageMs: number): number {
  const [first = 1] = ladder;
  return ladder.findLast((step) => step * dayMs <= ageMs) ?? first;
}

/** The step after those that are covered, be it of the ladder or between two of them; null where there is none. */
export function nextStep(
  ladder: readonly number[],
  covered: number,
  extraDay: number | null,
): { readonly step: number; readonly isExtra: boolean } | null {
  const next = ladder.find((step) => step > covered);
  const isExtra = extraDay !== null && extraDay > covered && (next === undefined || extraDay < next);
  if (isExtra) return { step: extraDay, isExtra };
  return next === undefined ? null : { step: next, isExtra };
}

/**
 * The step to put after a reading that found much changed, at twice its age; null where the ladder has one about as soon,
 * and after the 60 days that a poll looks back.
 */
export function extraStep(ladder: readonly number[], ageMs: number): number | null {
  const age = Math.max(1, Math.floor(ageMs / dayMs));
  const next = ladder.find((step) => step * dayMs > ageMs);
  const twice = age * 2;
  if (next !== undefined && twice > next * 0.75) return null;
  return twice <= mostDays ? twice : null;
}

/** How far back a poll looks for what is to be read again. */
export const mostDays = 60;
