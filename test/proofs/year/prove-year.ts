import { type SeedInput, seedSchema } from '../../../local/reports/seed.ts';
import { percentile } from '../percentile.ts';
import { createRandom } from '../random.ts';
import type { RuleFigures } from './baselines.ts';
import type { FirstPull } from './judge.ts';
import { simulateYear } from './simulate-year.ts';

export interface YearFigures {
  seed: number;
  /** The day of the last poll. */
  reached: string;
  polls: number;
  orders: number;
  attempts: number;
  slices: number;
  /** Attempts that were not the truth as of their pull, or whose change was not recorded. */
  wrong: number;
  /** Of first pulls: percent that are the final truth, or carry a flag. */
  rightOrFlaggedPercent: number;
  rightPercent: number;
  flagged: number;
  restated: number;
  /** Slices that changed after their last reading, as after the last step of the ladder. */
  unseen: number;
  /** Days of entities that were there and have no slice of a daily report. */
  missing: number;
  medianDelayHours: number;
  worstDelayHours: number;
  /** Days of quiet sites, and those of them that waited for longer than R2 and R3 say. */
  quietDays: number;
  quietMedianHours: number;
  overdue: number;
  /** How often an owner's consent was taken back in the time, and how often somebody was told so. */
  revocations: number;
  revokedAlerts: number;
  calls: number;
  minutes: number;
}

export interface YearProof {
  figures: YearFigures;
  rules: RuleFigures[];
  byRule: Record<string, { days: number; medianDelayHours: number; worstDelayHours: number }>;
  told: string[];
  calls: Record<string, number>;
  logged: [string, number][];
}

export interface YearOptions {
  seed: SeedInput;
  from: string;
  to: string;
  /** How many days polls go on after the last one. Default 30: the whole ladder. */
  afterDays?: number;
  /** Keys of the shipped reports that are pulled. Default all. */
  reports?: readonly string[];
  /** Of the daily tables by page, source, country and device each site has so many, in turn. Default all. */
  tablesASite?: number;
  /** Of calls, the share that meets each of the passing faults. Default none. */
  faultRate?: number;
  progress?: (line: string) => void;
  /** Asked before each poll: whether to end here, with what is proved so far. */
  stopped?: () => boolean;
}

/** No day waits longer: YouTube's deadline is five days after its end. */
const LONGEST_WAIT_DAYS = 7;

/** Runs a year, or less of it, and sums up what was published. */
export async function proveYear(options: YearOptions): Promise<YearProof> {
  const { from, to } = options;
  const seed = seedSchema.parse(options.seed);
  const random = createRandom(seed.seed);
  const startedMs = performance.now();
  const { judge, compared, apis, reached, polls, orders, logged, calls, revokedAlerts } = await simulateYear({
    ...options,
    random,
    twiceRate: 0.05,
    faultRate: options.faultRate ?? 0,
  });
  try {
    const firsts = [...judge.firsts.values()];
    const flagged = firsts.filter(({ flags }) => flags.length > 0);
    const right = firsts.filter(({ isFinal }) => isFinal);
    const either = firsts.filter(({ isFinal, flags }) => isFinal || flags.length > 0);
    const percent = (count: number) => Math.round((count / Math.max(1, firsts.length)) * 100_000) / 1000;
    const waited = earlierOf(to, shift(reached, -LONGEST_WAIT_DAYS));
    const missing = listMissing(seed, judge.firsts, { from, to: waited });
    const delays = firsts.filter(({ grain }) => grain === 'day').map(({ delayHours }) => delayHours);
    const rounded = (value: number) => Math.round(value * 10) / 10;
    const wrongAtFirst = firsts.filter(({ isFinal, flags }) => !isFinal && flags.length === 0);
    return {
      figures: {
        seed: seed.seed,
        reached,
        polls,
        orders,
        attempts: judge.attempts.total,
        slices: firsts.length,
        wrong: judge.wrong.total,
        rightOrFlaggedPercent: percent(either.length),
        rightPercent: percent(right.length),
        flagged: flagged.length,
        restated: judge.attempts.restated,
        unseen: judge.countUnseen(),
        missing: missing.length,
        medianDelayHours: rounded(percentile(delays, 0.5)),
        worstDelayHours: rounded(Math.max(0, ...delays)),
        quietDays: compared.quiet.days,
        quietMedianHours: rounded(compared.quiet.medianHours()),
        overdue: compared.quiet.overdue.length,
        revocations: seed.credentials.filter(
          ({ revokedAt }) => revokedAt !== undefined && revokedAt > from && revokedAt < reached,
        ).length,
        revokedAlerts,
        calls: Object.values(calls).reduce((sum, count) => sum + count, 0),
        minutes: rounded((performance.now() - startedMs) / 60_000),
      },
      rules: compared.figures(),
      byRule: groupByRule(firsts),
      told: [
        ...judge.wrong.told,
        ...compared.quiet.overdue.slice(0, 10).map((it) => `overdue: ${it}`),
        ...missing.slice(0, 10).map((it) => `missing: ${it}`),
        ...wrongAtFirst
          .slice(0, 10)
          .map(
            (it) =>
              `first not final: ${it.report} ${it.entityId} ${it.date} ${it.rule} after ${it.delayHours.toFixed(1)} h`,
          ),
      ],
      calls,
      logged: [...logged].filter(([line]) => !line.startsWith('DEBUG') && !line.startsWith('INFO')),
    };
  } finally {
    await apis.close();
  }
}

/** Whether a run proves what it should, as far as it came. */
export function isYearProved({ figures }: YearProof): boolean {
  return (
    figures.slices > 0 &&
    figures.wrong === 0 &&
    figures.missing === 0 &&
    figures.overdue === 0 &&
    figures.revokedAlerts === figures.revocations &&
    figures.rightOrFlaggedPercent >= 99.5
  );
}

function groupByRule(firsts: readonly FirstPull[]): YearProof['byRule'] {
  const days = new Map<string, number[]>();
  for (const { report, rule, delayHours } of firsts) {
    if (report !== 'site_summary' && report !== 'channel_summary') continue;
    const key = `${report === 'site_summary' ? 'property' : 'channel'} ${rule}`;
    days.set(key, [...(days.get(key) ?? []), delayHours]);
  }
  return Object.fromEntries(
    [...days].sort().map(([key, delays]) => [
      key,
      {
        days: delays.length,
        medianDelayHours: Math.round(percentile(delays, 0.5) * 10) / 10,
        worstDelayHours: Math.round(Math.max(...delays) * 10) / 10,
      },
    ]),
  );
}

/** Daily slices that must be there: of the days on which the entity could be read for as long as any rule waits. */
function listMissing(
  seed: ReturnType<typeof seedSchema.parse>,
  firsts: ReadonlyMap<string, FirstPull>,
  { from, to }: { from: string; to: string },
): string[] {
  const missing: string[] = [];
  // Of each entity the daily reports that it ever had, and its summary.
  const daily = new Map<string, Set<string>>();
  const add = (key: string, report: string) => daily.set(key, (daily.get(key) ?? new Set()).add(report));
  for (const { source, entityId, report, grain } of firsts.values()) {
    if (grain !== 'day') continue;
    add(`${source} ${entityId}`, report);
    if (report.endsWith('_summary')) add(source, report);
  }
  const check = (source: string, entityId: string, since: string | undefined, until: string | undefined) => {
    const first = since === undefined ? from : laterOf(from, shift(since.slice(0, 10), 1));
    const last = until === undefined ? to : earlierOf(to, shift(until.slice(0, 10), -7));
    for (let day = first; day <= last; day = shift(day, 1)) {
      for (const report of daily.get(`${source} ${entityId}`) ?? daily.get(source) ?? []) {
        if (!firsts.has(`${source}|${report}|${entityId}|${day}`))
          missing.push(`${report} ${entityId} ${day}`);
      }
    }
  };
  for (const { id, createdAt, deletedAt } of seed.properties)
    check('google_analytics', id, createdAt, deletedAt);
  for (const { id, createdAt, unlinkedAt } of seed.channels) check('youtube', id, createdAt, unlinkedAt);
  return missing;
}

const shift = (day: string, days: number) =>
  new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
const laterOf = (one: string, other: string) => (one > other ? one : other);
const earlierOf = (one: string, other: string) => (one < other ? one : other);
