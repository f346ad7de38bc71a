import type { Clock } from './clock.ts';
import { type ApiName, createFaults, type Faults } from './faults.ts';
import { createKeptAnswers } from './google-analytics/keep-answers.ts';
import {
  createPropertyQuota,
  LIMITS_360,
  type PropertyQuota,
  type QuotaLimits,
  STANDARD_LIMITS,
} from './google-analytics/quota.ts';
import { createTokens, type Tokens } from './oauth/tokens.ts';
import { type OwnerSeed, ownerSchema, type PropertySeed, type Seed } from './seed.ts';
import { type ChannelTruth, createChannelTruth } from './truth/channel-slice.ts';
import { createPropertyTruth, type PropertyTruth } from './truth/property-slice.ts';
import { createYouTubeQuota, type YouTubeLimits, type YouTubeQuota } from './youtube/quota.ts';

/** Everything the fakes share: one seeded truth, one clock, one set of quotas and tokens. */
export interface World {
  seed: Seed;
  clock: Clock;
  properties: Map<
    string,
    { truth: PropertyTruth; quota: PropertyQuota; run: ReturnType<typeof createKeptAnswers> }
  >;
  channels: Map<string, ChannelTruth>;
  youtubeQuota: YouTubeQuota;
  tokens: Tokens;
  /** The public keys of service accounts by key id, which the control hands out. */
  keys: Map<string, { email: string; publicKey: string }>;
  faults: Faults;
  /** Calls without a token are taken. */
  anonymous: boolean;
  /** The calls since the start or the last reset, by API and method. */
  calls: Map<string, CallCount>;
  record(call: { api: ApiName; method: string }, status: number, reports: number): void;
}

export interface CallCount {
  calls: number;
  /** Each report of a batch counts; other calls count as one. */
  reports: number;
  /** By HTTP status; 0 is one that was never answered. */
  statuses: Record<number, number>;
}

const KEPT_CHANNEL_DAYS = 45;

export function createWorld(
  seed: Seed,
  clock: Clock,
  options: { anonymous: boolean; youtubeLimits: YouTubeLimits; keptDays: number; keptAnswers: number },
): World {
  const calls = new Map<string, CallCount>();
  return {
    seed,
    clock,
    properties: new Map(
      seed.properties.map((property) => {
        const truth = createPropertyTruth(seed.seed, property, options.keptDays);
        const quota = createPropertyQuota(limitsOf(property));
        return [property.id, { truth, quota, run: createKeptAnswers(truth, options.keptAnswers) }];
      }),
    ),
    channels: new Map(
      seed.channels.map((channel) => {
        const owner = seed.contentOwners.find(({ id }) => id === channel.owner) ?? ownOwner(channel.id);
        return [channel.id, createChannelTruth(seed.seed, channel, owner, KEPT_CHANNEL_DAYS)];
      }),
    ),
    youtubeQuota: createYouTubeQuota(options.youtubeLimits),
    tokens: createTokens(clock),
    keys: new Map(),
    faults: createFaults(),
    anonymous: options.anonymous,
    calls,
    record({ api, method }, status, reports) {
      const key = `${api} ${method}`;
      const count = calls.get(key) ?? { calls: 0, reports: 0, statuses: {} };
      count.calls++;
      count.reports += reports;
      count.statuses[status] = (count.statuses[status] ?? 0) + 1;
      calls.set(key, count);
    },
  };
}

function limitsOf({ is360, tokenShare }: PropertySeed): QuotaLimits {
  const limits = is360 ? LIMITS_360 : STANDARD_LIMITS;
  const left = (tokens: number) => Math.floor(tokens * tokenShare);
  return {
    ...limits,
    tokensPerDay: left(limits.tokensPerDay),
    tokensPerHour: left(limits.tokensPerHour),
    tokensPerProjectPerHour: left(limits.tokensPerProjectPerHour),
  };
}

/** The days of a channel that is nobody's come as those of owners do. */
function ownOwner(channelId: string): OwnerSeed {
  return ownerSchema.parse({ id: channelId, displayName: channelId });
}
