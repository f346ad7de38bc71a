import { type SeedInput, seedSchema } from '../../../local/reports/seed.ts';
import { percentile } from '../percentile.ts';
import { createRandom } from '../random.ts';
import { compareRules, type RuleFigures } from './baselines.ts';
import type { FirstPull } from './judge.ts';
import { AFTER_DAYS, simulateYear } from './simulate-year.ts';

export interface YearFigures {
  seed: number;
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
  /** Days of entities that were there and have no slice of a daily report. */
  missing: number;
  medianDelayHours: number;
  worstDelayHours: number;
  calls: number;
}

export interface YearProof {
  figures: YearFigures;
  rules: RuleFigures[];
  byRule: Record<string, { days: number; medianDelayHours: number; worstDelayHours: number }>;
  told: string[];
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
  /** Of calls, the share that meets each of the passing faults. Default none. */
  faultRate?: number;
  progress?: (line: string) => void;
}

/** No day waits longer: YouTube's deadline is five days after its end. */
const LONGEST_WAIT_DAYS = 7;

/** Runs a year, or less of it, and sums up what was published. */
export async function proveYear(options: YearOptions): Promise<YearProof> {
  const { from, to } = options;
  const seed = seedSchema.parse(options.seed);
  const random = createRandom(seed.seed);
  const { judge, apis, polls, orders, logged } = await simulateYear({
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
    const waited = earlierOf(to, shift(to, (options.afterDays ?? AFTER_DAYS) - LONGEST_WAIT_DAYS));
    const missing = listMissing(seed, judge.firsts, { from, to: waited });
    const delays = firsts.filter(({ grain }) => grain === 'day').map(({ delayHours }) => delayHours);
    const calls = Object.values(apis.calls()).reduce((sum, it) => sum + it.calls, 0);
    const rounded = (value: number) => Math.round(value * 10) / 10;
    const wrongAtFirst = firsts.filter(({ isFinal, flags }) => !isFinal && flags.length === 0);
    return {
      figures: {
        seed: seed.seed,
        polls,
        orders,
        attempts: judge.attempts.total,
        slices: firsts.length,
        wrong: judge.wrong.total,
        rightOrFlaggedPercent: percent(either.length),
        rightPercent: percent(right.length),
        flagged: flagged.length,
        restated: judge.attempts.restated,
        missing: missing.length,
        medianDelayHours: rounded(percentile(delays, 0.5)),
        worstDelayHours: rounded(Math.max(0, ...delays)),
        calls,
      },
      rules: compareRules(apis, seed, firsts, { from, to }),
      byRule: groupByRule(firsts),
      told: [
        ...judge.wrong.told,
        ...missing.slice(0, 10).map((it) => `missing: ${it}`),
        ...wrongAtFirst
          .slice(0, 10)
          .map(
            (it) =>
              `first not final: ${it.report} ${it.entityId} ${it.date} ${it.rule} after ${it.delayHours.toFixed(1)} h`,
          ),
      ],
      logged: [...logged].filter(([line]) => !line.startsWith('DEBUG') && !line.startsWith('INFO')),
    };
  } finally {
    await apis.close();
  }
}

/** Whether a run proves what it should. */
export function isYearProved({ figures }: YearProof): boolean {
  return (
    figures.slices > 0 &&
    figures.wrong === 0 &&
    figures.missing === 0 &&
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
  const daily = new Map<string, Set<string>>();
  for (const { source, report, grain } of firsts.values()) {
    if (grain === 'day') daily.set(source, (daily.get(source) ?? new Set()).add(report));
  }
  const check = (source: string, entityId: string, since: string | undefined, until: string | undefined) => {
    const first = since === undefined ? from : laterOf(from, shift(since.slice(0, 10), 1));
    const last = until === undefined ? to : earlierOf(to, shift(until.slice(0, 10), -7));
    for (let day = first; day <= last; day = shift(day, 1)) {
      for (const report of daily.get(source) ?? []) {
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
