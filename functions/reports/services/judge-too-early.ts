import { endOfDay, hourMs } from './calendar.ts';
import type { Verdict } from './service.ts';

/** What a rule makes of a day. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly rule: string;
  /** The figures that the rule compared. */
  readonly because: Readonly<Record<string, unknown>>;
  /** Epoch milliseconds; before then another probe can change nothing. */
  readonly notBefore: number | null;
}

/** R0, of every service: a day is not asked for before its end and the least lag. Needs no call. */
export function judgeTooEarly(
  date: string,
  timeZone: string,
  now: number,
  { minLagHours }: { readonly minLagHours: number },
): Judgement | undefined {
  const ended = endOfDay(date, timeZone);
  const from = ended + minLagHours * hourMs;
  if (now >= from) return undefined;
  const because = { dayEnds: new Date(ended).toISOString(), minLagHours };
  return { verdict: 'waiting', rule: 'R0_too_early', because, notBefore: from };
}
