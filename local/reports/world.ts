import type { Clock } from './clock.ts';
import {
  createPropertyQuota,
  LIMITS_360,
  type PropertyQuota,
  STANDARD_LIMITS,
} from './google-analytics/quota.ts';
import { createTokens, type Tokens } from './oauth/tokens.ts';
import type { Seed } from './seed.ts';
import { createPropertyTruth, type PropertyTruth } from './truth/property-slice.ts';

/** Everything the fakes share: one seeded truth, one clock, one set of quotas and tokens. */
export interface World {
  seed: Seed;
  clock: Clock;
  properties: Map<string, { truth: PropertyTruth; quota: PropertyQuota }>;
  tokens: Tokens;
}

/** Days of a property that stay in memory; one of a busy property takes some 100 KB. */
const KEPT_DAYS = 24;

export function createWorld(seed: Seed, clock: Clock): World {
  return {
    seed,
    clock,
    properties: new Map(
      seed.properties.map((property) => [
        property.id,
        {
          truth: createPropertyTruth(seed.seed, property, KEPT_DAYS),
          quota: createPropertyQuota(property.is360 ? LIMITS_360 : STANDARD_LIMITS),
        },
      ]),
    ),
    tokens: createTokens(clock),
  };
}
