import { type Answer, refuseWithReason } from '../answer.ts';
import { dayAt, zoneOf } from '../truth/zones.ts';

export interface YouTubeLimits {
  /** Of the Data API, a project's day (youtube/determine_quota_cost). */
  unitsPerDay: number;
  /** Of the Analytics API; its console shows them, no page does. */
  queriesPerDay: number;
  queriesPerMinute: number;
}

export const YOUTUBE_LIMITS: YouTubeLimits = {
  unitsPerDay: 10_000,
  queriesPerDay: 100_000,
  queriesPerMinute: 720,
};

export interface YouTubeQuota {
  limits: YouTubeLimits;
  /** Every call of the Data API's lists costs a unit, refused ones too. */
  spendUnits(now: number, units: number): Answer | undefined;
  spendQuery(now: number): Answer | undefined;
  used(now: number): { units: number; queries: number };
}

/** The quotas of the one project that calls here. Days are Pacific. */
export function createYouTubeQuota(limits: YouTubeLimits): YouTubeQuota {
  let [day, units, queries, minute, inMinute] = ['', 0, 0, Number.NaN, 0];
  const turn = (now: number): void => {
    const nowDay = dayAt(zoneOf('America/Los_Angeles'), now);
    if (nowDay !== day) [day, units, queries] = [nowDay, 0, 0];
    const nowMinute = Math.floor(now / 60_000);
    if (nowMinute !== minute) [minute, inMinute] = [nowMinute, 0];
  };
  return {
    limits,
    spendUnits(now, count) {
      turn(now);
      if (units + count > limits.unitsPerDay) return unitsExceeded();
      units += count;
      return undefined;
    },
    spendQuery(now) {
      turn(now);
      if (queries >= limits.queriesPerDay) return queriesExceeded('per day');
      if (inMinute >= limits.queriesPerMinute) return queriesExceeded('per minute');
      queries++;
      inMinute++;
      return undefined;
    },
    used(now) {
      turn(now);
      return { units, queries };
    },
  };
}

export function unitsExceeded(): Answer {
  return refuseWithReason(
    403,
    'quotaExceeded',
    'The request cannot be completed because you have exceeded your <a href="/youtube/v3/getting-started#quota">quota</a>.',
    { domain: 'youtube.quota' },
  );
}

/** `per minute` goes by within one; `per day` at midnight there. */
export function queriesExceeded(period: 'per day' | 'per minute'): Answer {
  return refuseWithReason(
    429,
    'rateLimitExceeded',
    `Quota exceeded for quota metric 'Queries' and limit 'Queries ${period}' of service 'youtubeanalytics.googleapis.com' for consumer 'project_number:1'.`,
    { status: 'RESOURCE_EXHAUSTED' },
  );
}
