import { endOfDay, hourMs } from '../calendar.ts';
import { type Judgement, judgeTooEarly } from '../judge-too-early.ts';
import type { Verdict } from '../service.ts';

export interface Evidence {
  readonly date: string;
  readonly now: number;
  readonly timeZone: string;
  /** The last day of which the owner has all metrics that were asked for; null where there is no row at all. */
  readonly watermark: string | null;
  /** Whether the channel has a row of this day. */
  readonly hasRow: boolean;
  /** Of the other days that were asked for and lie before the watermark: on how many the channel has a row, and of how many. */
  readonly otherRows: number;
  readonly otherDays: number;
}

export interface RuleSettings {
  readonly minLagHours: number;
  readonly deadlineHours: number;
  readonly zeroHours: number;
}

/**
 * Whether a Pacific day of a channel is complete. The API answers up to the last day of which it has all metrics, for
 * all channels of an owner at once, so a day at or before that watermark is there; a channel without a row then had
 * nothing, unless it has something on most days: then its row is late.
 */
export function judgeDay(evidence: Evidence, settings: RuleSettings): Judgement {
  const { date, now, timeZone, watermark, hasRow, otherRows, otherDays } = evidence;
  const early = judgeTooEarly(date, timeZone, now, settings);
  if (early !== undefined) return early;
  const ageHours = (now - endOfDay(date, timeZone)) / hourMs;
  const isReached = watermark !== null && watermark >= date;
  const isUsual = otherDays >= leastDays && otherRows * 2 > otherDays;
  const because = { watermark, hasRow, otherRows, otherDays, ageHours };
  const judge = (verdict: Verdict, rule: string, notBefore: number | null = null): Judgement => ({
    verdict,
    rule,
    because,
    notBefore,
  });
  if (isReached && hasRow) return judge('available', 'watermark');
  if (isReached && (!isUsual || ageHours >= settings.zeroHours)) return judge('available', 'watermark_zero');
  if (ageHours >= settings.deadlineHours) return judge('forced', 'R5_forced');
  const pauseMs = ageHours < 24 ? youngPauseMs : agedPauseMs;
  return judge('waiting', isReached ? 'waiting_own_row' : 'waiting_watermark', now + pauseMs);
}

/** A day comes once, after one to three days, seldom sooner: looking every hour tells little sooner, and costs twice. */
const youngPauseMs = 4 * hourMs;
const agedPauseMs = 2 * hourMs;
/** With fewer days to compare with nothing is usual. */
const leastDays = 3;
