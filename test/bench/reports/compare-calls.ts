import { LIMITS_360, STANDARD_LIMITS } from '../../../local/reports/google-analytics/quota.ts';
import { dayAt, zoneOf } from '../../../local/reports/truth/zones.ts';
import { YOUTUBE_LIMITS } from '../../../local/reports/youtube/quota.ts';
import { type CountedCall, type Month, type MonthRun, runMonth } from './run-month.ts';
import { type NetworkSize, rereadCalls, STATSDASH_CHECKS, STATSDASH_TABLES } from './statsdash-calls.ts';

export interface TableCalls {
  table: string;
  statsdash: number;
  /** HTTP calls: of one that carries several reports each has its share. */
  calls: number;
  /** Reports that were asked for: each member of a batch counts. */
  requests: number;
  reread: number;
}

export interface BucketUse {
  bucket: string;
  /** The most that was used, of one property, owner or project, and what Google allows. */
  used: number;
  limit: number;
}

export interface CallsComparison {
  size: NetworkSize;
  tables: TableCalls[];
  totals: Omit<TableCalls, 'table'>;
  /** Statsdash's calls over ours. */
  ratio: number;
  buckets: BucketUse[];
  /** Refused for a quota. */
  refused: number;
  slices: number;
  seconds: number;
}

/** Counts a month of the shipped reports, and what Statsdash and a re-read of 90 days take by their formulas. */
export async function compareCalls(month: Month): Promise<CallsComparison> {
  const run = await runMonth(month);
  const { days } = month;
  const size: NetworkSize = {
    properties: month.sites,
    channels: month.channels,
    sources: meanOfDays(run, 'site_referrers', 'sessionSource', 5),
    networks: meanOfDays(run, 'site_social', 'socialNetwork', 15),
    videos: rowsOf(run, 'channel_videos') / days,
  };
  const pulls = run.calls.filter(({ by }) => by === 'pull');
  const live = run.calls.filter(({ row }) => row.method === 'channels.list' || row.method === 'videos.list');
  const probes = run.calls.filter((call) => call.by === 'poll' && !live.includes(call));
  const tables = STATSDASH_TABLES.map((table): TableCalls => {
    const entities = table.source === 'youtube' ? month.channels : month.sites;
    const method = { channel_summary: 'channels.list', channel_videos: 'videos.list' }[
      table.reports[0] ?? ''
    ];
    const extra = live.filter(({ row }) => row.method === method).length;
    const own = shareOf(pulls, table.reports);
    return {
      table: table.name,
      statsdash: table.calls(size) * days,
      calls: own.calls + extra,
      requests: own.requests + extra,
      reread: rereadCalls({ reports: table.reports.length, entities }) * days,
    };
  });
  const checks = STATSDASH_CHECKS.calls(size) * days;
  const plain = (table: string, calls: readonly CountedCall[], statsdash: number): TableCalls => ({
    table,
    statsdash,
    calls: calls.length,
    requests: calls.length,
    reread: 0,
  });
  tables.push(plain('is the day complete?', probes, checks));
  tables.push(plain('reports checked, once', run.checks, 0));
  const sum = (name: keyof TableCalls) => tables.reduce((total, table) => total + Number(table[name]), 0);
  const totals = {
    statsdash: sum('statsdash'),
    calls: sum('calls'),
    requests: sum('requests'),
    reread: sum('reread'),
  };
  checkCounts(run);
  return {
    size,
    tables,
    totals,
    ratio: totals.statsdash / totals.calls,
    buckets: measureBuckets(run),
    refused: Object.values(run.counted).reduce((count, { statuses }) => count + (statuses[429] ?? 0), 0),
    slices: [...run.slices.values()].reduce((total, count) => total + count, 0),
    seconds: run.seconds,
  };
}

/**
 * What is counted here must be what the fake was asked, but for calls that broke off on the way. Token requests are left
 * out, as Statsdash's are.
 */
function checkCounts({ counted, calls, checks }: MonthRun): void {
  const ours = [...calls, ...checks.filter(({ isCounted }) => isCounted)];
  const answered = ours.filter(({ row }) => row.status !== undefined).length;
  const theirs = Object.entries(counted)
    .filter(([name]) => !name.startsWith('token '))
    .reduce((total, [, it]) => total + it.calls, 0);
  if (answered <= theirs && theirs <= ours.length) return;
  throw new Error(
    `api_calls has ${ours.length} calls, ${answered} answered, and the local APIs were asked ${theirs} times.`,
  );
}

function shareOf(calls: readonly CountedCall[], reports: readonly string[]) {
  const share = { calls: 0, requests: 0 };
  for (const { row } of calls) {
    const asked = row.reports ?? [];
    const own = asked.filter((report) => reports.includes(report)).length;
    share.calls += asked.length === 0 ? 0 : own / asked.length;
    share.requests += own;
  }
  return share;
}

const rowsOf = ({ firsts }: MonthRun, report: string): number =>
  firsts.filter((it) => it.report === report).reduce((sum, it) => sum + it.dimensions.length, 0);

/** Distinct values of a dimension on a day, over all sites, `most` at most: the mean of the days. */
function meanOfDays({ firsts }: MonthRun, report: string, dimension: string, most: number): number {
  const days = new Map<string, Set<string>>();
  for (const it of firsts) {
    if (it.report !== report) continue;
    const values = days.get(it.date) ?? new Set<string>();
    days.set(it.date, values);
    for (const row of it.dimensions) {
      const value = row[dimension];
      if (value !== undefined && value !== '(not set)') values.add(value);
    }
  }
  const counts = [...days.values()].map(({ size }) => Math.min(most, size));
  return counts.length === 0 ? 0 : counts.reduce((sum, count) => sum + count, 0) / counts.length;
}

/** The fullest that each bucket of quota was: Google Analytics says what is left, YouTube's are counted. */
function measureBuckets({ calls, checks, is360 }: MonthRun): BucketUse[] {
  const buckets = new Map<string, BucketUse>();
  const see = (bucket: string, used: number, limit: number) => {
    const known = buckets.get(bucket);
    if (known === undefined || used / limit > known.used / known.limit) {
      buckets.set(bucket, { bucket, used, limit });
    }
  };
  const perDay = new Map<string, { queries: number; units: number }>();
  const perMinute = new Map<string, number>();
  for (const { row } of [...calls, ...checks]) {
    if (row.source !== 'youtube') {
      const limits: Readonly<Record<string, number>> = {
        ...(is360.get(row.entity_id ?? '') ? LIMITS_360 : STANDARD_LIMITS),
      };
      const remaining = JSON.parse(row.quota_remaining ?? '{}') as Record<string, number>;
      for (const [bucket, left] of Object.entries(remaining)) {
        const limit = limits[bucket];
        if (limit === undefined) throw new Error(`Nobody knows the limit of ${bucket}.`);
        see(`Google Analytics ${bucket}`, limit - left, limit);
      }
      continue;
    }
    const at = Number(row.started_at) / 1_000;
    const key = dayAt(zoneOf('America/Los_Angeles'), at);
    const day = perDay.get(key) ?? { queries: 0, units: 0 };
    day.queries += row.units === undefined ? 1 : 0;
    day.units += Number(row.units ?? 0);
    perDay.set(key, day);
    if (row.units !== undefined) continue;
    const minute = new Date(at).toISOString().slice(0, 16);
    perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
  }
  for (const { queries, units } of perDay.values()) {
    see('YouTube units of a day', units, YOUTUBE_LIMITS.unitsPerDay);
    see('YouTube queries of a day', queries, YOUTUBE_LIMITS.queriesPerDay);
  }
  for (const count of perMinute.values()) {
    see('YouTube queries of a minute', count, YOUTUBE_LIMITS.queriesPerMinute);
  }
  return [...buckets.values()];
}

export const LEAST_RATIO = 3;

/** Whether a comparison is as good as is promised. */
export const isGoodEnough = ({ ratio, buckets, refused }: CallsComparison): boolean =>
  ratio >= LEAST_RATIO && refused === 0 && buckets.every(({ used, limit }) => used < limit);
