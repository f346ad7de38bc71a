import { addDays, dayMs, endOfDay, hourLabels, hourMs } from '../calendar.ts';
import { type Judgement, judgeTooEarly } from '../judge-too-early.ts';

/** What one hour of a day showed when it was probed. */
export interface HourCounts {
  readonly events: number;
  readonly views: number;
  readonly sessions: number;
  /** These two come later than the others. */
  readonly users: number;
  readonly engagementSeconds: number;
}

/** What was seen of a day at one time; part of the proof, and read back from it. */
export interface Sighting {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly timeZone: string;
  /** By label, 0 to 23; hours without events are absent. */
  readonly hours: ReadonlyMap<number, HourCounts>;
}

export interface Evidence {
  readonly date: string;
  readonly now: number;
  readonly sighting: Sighting;
  /** How many hours after the day show events: data that is younger than all of the day. */
  readonly watermarkHours: number;
  /** Earlier sightings of the same day, newest first. */
  readonly earlier: readonly Sighting[];
  /** Mean of each label on earlier days of the same weekday that were complete; null where there are too few. */
  readonly expected: ReadonlyMap<number, number> | null;
  /** Why the API gave nothing, and whether it hid a metric. */
  readonly emptyReason: string | null;
  readonly isRestricted: boolean;
  /** Events of the seven days to this one, where that was asked; null where it was not. */
  readonly weekEvents: number | null;
}

export interface RuleSettings {
  readonly minLagHours: number;
  readonly settleHours: number;
  readonly deadlineHours: number;
  readonly quietAlpha: number;
  /** For how long nothing of a day may have changed before it is complete. */
  readonly unchangedMinutes: number;
}

/**
 * Whether a local day is complete, by the rules R1 to R5 in their order. Counting to 24 would never pass a quiet site,
 * since the API invents no rows for hours without events, nor a day of 23 hours.
 */
export function judgeDay(evidence: Evidence, settings: RuleSettings): Judgement {
  const early = judgeTooEarly(evidence.date, evidence.sighting.timeZone, evidence.now, settings);
  if (early !== undefined) return early;
  const seen = look(evidence);
  const rules = [judgeFull, judgeQuiet, judgeStable, judgeZero, judgeForced];
  for (const rule of rules) {
    const judged = rule(evidence, seen, settings);
    if (judged !== undefined) return judged;
  }
  return wait(evidence, seen, settings);
}

interface Seen {
  readonly ageHours: number;
  readonly missing: readonly number[];
  /** Hours that touch midnight are what lag looks like. */
  readonly trailing: number;
  /** Hours of which a part has come. */
  readonly partial: readonly number[];
}

function look({ date, now, sighting }: Evidence): Seen {
  const { timeZone, hours } = sighting;
  const labels = hourLabels(date, timeZone);
  const missing = labels.filter((label) => !hours.has(label));
  const trailing = labels.length - 1 - labels.findLastIndex((label) => hours.has(label));
  return {
    ageHours: (now - endOfDay(date, timeZone)) / hourMs,
    missing,
    trailing,
    partial: listPartial(hours),
  };
}

/**
 * Hours with events and nobody who made them, or with many visits of which nobody looked at anything, on a day that has
 * both: users and engagement are counted later than views.
 */
function listPartial(hours: Sighting['hours']): number[] {
  const all = [...hours.values()];
  const hasUsers = all.some(({ users }) => users > 0);
  const hasSessions = all.some(({ sessions }) => sessions > 0);
  const hasEngagement = all.some(({ engagementSeconds }) => engagementSeconds > 0);
  return [...hours].flatMap(([label, { users, sessions, engagementSeconds }]) => {
    const lacksPeople = (hasUsers && users === 0) || (hasSessions && sessions === 0);
    const lacksEngagement = hasEngagement && engagementSeconds === 0 && sessions >= manySessions;
    return lacksPeople || lacksEngagement ? [label] : [];
  });
}

/** Where two of three visits engage, eight that do not come once in 6,000 hours. */
const manySessions = 8;

type Rule = (evidence: Evidence, seen: Seen, settings: RuleSettings) => Judgement | undefined;

const available = (rule: string, because: Readonly<Record<string, unknown>>): Judgement => ({
  verdict: 'available',
  rule,
  because,
  notBefore: null,
});

/**
 * R1: every hour has events and all that belongs to them, and two hours after the last of them have some as well: without,
 * it could be half filled.
 */
const judgeFull: Rule = (evidence, seen, settings) => {
  const { missing, ageHours } = seen;
  const { watermarkHours } = evidence;
  if (missing.length > 0 || (watermarkHours < 2 && ageHours < agedHours)) return undefined;
  if (isHalfCome(seen, settings)) return undefined;
  const since = unchangedSince(evidence, patienceMs(ageHours, settings));
  return since === undefined ? undefined : available('R1_full', { watermarkHours, ageHours, ...since });
};

/**
 * R2: hours are empty where, by the same weekday of earlier weeks, few events were to be expected. Where more than a
 * handful were, an hour that is late looks the same; by the age of R3 it would have come.
 */
const judgeQuiet: Rule = (evidence, seen, settings) => {
  const { missing, trailing, ageHours } = seen;
  const { watermarkHours, expected, sighting } = evidence;
  if (missing.length === 0 || sighting.hours.size === 0 || watermarkHours < 2 || expected === null)
    return undefined;
  const expectedMissing = missing.reduce((sum, label) => sum + (expected.get(label) ?? 0), 0);
  const mostExpected = Math.log(1 / settings.quietAlpha);
  if (expectedMissing > (ageHours < agedHours ? mostExpectedYoung : mostExpected)) return undefined;
  if (isHalfCome(seen, settings)) return undefined;
  const since = unchangedSince(evidence, patienceMs(ageHours, settings));
  if (since === undefined) return undefined;
  return available('R2_quiet', {
    missing,
    trailing,
    expectedMissing,
    mostExpected,
    watermarkHours,
    ...since,
  });
};

/**
 * R3: no history yet, or a site so quiet that empty hours tell nothing; but nothing has changed for hours. Or nobody looked
 * before all that can come late had come.
 */
const judgeStable: Rule = (evidence, { missing, trailing, ageHours }, { deadlineHours, settleHours }) => {
  const { expected, sighting, earlier, watermarkHours } = evidence;
  // Where every hour should have events, hours without are likelier late than empty.
  const leastHours = missing.length > 0 && !isQuiet(sighting) ? settleHours : agedHours;
  if (sighting.hours.size === 0 || ageHours < leastHours) return undefined;
  if (earlier.length === 0 && ageHours >= deadlineHours) return available('R3_stable', { missing, ageHours });
  if (trailing > 0 && watermarkHours < 2) return undefined;
  if (expected !== null && !isQuiet(sighting)) return undefined;
  const since = unchangedSince(evidence, stableMs);
  return since === undefined ? undefined : available('R3_stable', { missing, ageHours, ...since });
};

/** R4: not one event, long after, while the API answers for the week around it and hides nothing. */
const judgeZero: Rule = (evidence, { ageHours }, { settleHours }) => {
  const { sighting, emptyReason, isRestricted, weekEvents } = evidence;
  if (sighting.hours.size > 0 || ageHours < settleHours) return undefined;
  if (emptyReason !== null || isRestricted || weekEvents === null) return undefined;
  return available('R4_zero', { ageHours, weekEvents });
};

/** R5: the deadline has passed; it is pulled as it is, and says so. */
const judgeForced: Rule = ({ emptyReason, watermarkHours }, { ageHours, missing }, { deadlineHours }) => {
  if (ageHours < deadlineHours) return undefined;
  return {
    verdict: 'forced',
    rule: 'R5_forced',
    because: { ageHours, deadlineHours, missing, emptyReason, watermarkHours },
    notBefore: null,
  };
};

/**
 * A site with twelve views in every hour has an empty one on one day in 7,000, (1 - e^-12)^24 being 0.99985; one with fewer
 * has empty hours that nothing will fill.
 */
function isQuiet({ hours }: Sighting): boolean {
  const views = [...hours.values()].reduce((sum, it) => sum + it.views, 0);
  return views < leastViews * 24;
}

const leastViews = 12;

/** Young days change from hour to hour; what is still open after a day changes seldom, and each probe costs. */
function wait(
  { date, now, watermarkHours, sighting }: Evidence,
  seen: Seen,
  settings: RuleSettings,
): Judgement {
  const { ageHours, missing, trailing } = seen;
  const end = endOfDay(date, sighting.timeZone);
  const isEmpty = sighting.hours.size === 0;
  const isYoung = ageHours < 12;
  const pauseHours = isEmpty
    ? isYoung
      ? 2
      : 4
    : isQuiet(sighting)
      ? 4
      : isYoung
        ? 0
        : ageHours < 24
          ? 1
          : 4;
  // The ages at which a rule may come to hold by time alone.
  const steps = [24, settings.settleHours, settings.deadlineHours].map((hours) => end + hours * hourMs);
  const next = Math.min(now + pauseHours * hourMs, ...steps.filter((at) => at > now));
  const rule = isEmpty
    ? 'waiting_empty'
    : missing.length === 0
      ? 'waiting_later_data'
      : 'waiting_missing_hours';
  const because = { ageHours, missing, trailing, watermarkHours };
  return { verdict: 'waiting', rule, because, notBefore: pauseHours === 0 ? null : next };
}

/** After two days nobody knows better: then it is what it is. */
const isHalfCome = ({ partial, ageHours }: Seen, { settleHours }: RuleSettings): boolean =>
  partial.length > 0 && ageHours < settleHours;

/**
 * For how long nothing may have changed. A day that still changes when most are complete is of a property that is processed
 * slowly, and what is slow comes at long intervals: half of what the day is late is waited for.
 */
function patienceMs(ageHours: number, { unchangedMinutes }: RuleSettings): number {
  if (unchangedMinutes === 0) return 0;
  return Math.max(unchangedMinutes * minuteMs, Math.min(4, (ageHours - usualHours) / 2) * hourMs);
}

/** Standard properties are processed within four to eight hours (support.google.com/analytics/answer/11198161). */
const usualHours = 8;

/** Since when nothing of the day has changed, where that is at least so long ago; undefined where it is not. */
function unchangedSince({ earlier, sighting, now, date }: Evidence, leastMs: number) {
  const changed = earlier.findIndex((it) => !isSame(it, sighting));
  const same = changed === -1 ? earlier : earlier.slice(0, changed);
  const oldest = same.at(-1);
  if (leastMs === 0 || (oldest !== undefined && now - oldest.at >= leastMs)) {
    return { unchangedSince: new Date(oldest?.at ?? now).toISOString() };
  }
  // Who looks for the first time when a day is old has nothing to compare it with, and needs nothing.
  const isOld = earlier.length === 0 && now - endOfDay(date, sighting.timeZone) >= oldMs;
  return isOld ? { unchangedSince: null } : undefined;
}

const minuteMs = 60_000;
/** Offline events count up to 72 hours late; nothing of a day that is older is new. */
const oldMs = 72 * hourMs;
/** R3: the age, and how long nothing may have changed. */
const agedHours = 24;
const stableMs = 4 * hourMs;
/** Events in missing hours: at e^-0.5 it is likelier than not that there were none. */
const mostExpectedYoung = 0.5;

function isSame(one: Sighting, other: Sighting): boolean {
  if (one.timeZone !== other.timeZone || one.hours.size !== other.hours.size) return false;
  return [...other.hours].every(([label, counts]) => {
    const was = one.hours.get(label);
    return (
      was?.events === counts.events &&
      was.views === counts.views &&
      was.sessions === counts.sessions &&
      was.users === counts.users &&
      was.engagementSeconds === counts.engagementSeconds
    );
  });
}

/**
 * What each label of a day is expected to hold: the mean over the same weekday of up to eight earlier weeks; null with
 * fewer than four. A day on which a label did not exist says nothing about it.
 */
export function expectHours(
  date: string,
  complete: ReadonlyMap<string, Sighting>,
): Map<number, number> | null {
  const known = sameWeekdays(date).flatMap((day) => complete.get(day) ?? []);
  if (known.length < leastWeeks) return null;
  const means = new Map<number, number>();
  for (let label = 0; label < 24; label++) {
    // Sessions, not events: page views come in clumps, and an empty hour would look less likely than it is.
    const sum = known.reduce((total, { hours }) => total + (hours.get(label)?.sessions ?? 0), 0);
    means.set(label, sum / known.length);
  }
  return means;
}

/** The days that a day is compared with, the last one first. */
export const sameWeekdays = (date: string): string[] =>
  Array.from({ length: mostWeeks }, (_, week) => addDays(date, -7 * (week + 1)));

const leastWeeks = 4;
const mostWeeks = 8;

/** As long as history is needed. */
export const historyMs = mostWeeks * 7 * dayMs;
