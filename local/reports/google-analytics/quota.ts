import { type Answer, refuse } from '../answer.ts';
import { dayAt, zoneOf } from '../truth/zones.ts';

/** What a property may use up (data/v1/quotas, category Core). */
export interface QuotaLimits {
  tokensPerDay: number;
  tokensPerHour: number;
  tokensPerProjectPerHour: number;
  concurrentRequests: number;
  serverErrorsPerProjectPerHour: number;
  potentiallyThresholdedRequestsPerHour: number;
}

export const STANDARD_LIMITS: QuotaLimits = {
  tokensPerDay: 200_000,
  tokensPerHour: 40_000,
  tokensPerProjectPerHour: 14_000,
  concurrentRequests: 10,
  serverErrorsPerProjectPerHour: 10,
  potentiallyThresholdedRequestsPerHour: 120,
};

export const LIMITS_360: QuotaLimits = {
  tokensPerDay: 2_000_000,
  tokensPerHour: 400_000,
  tokensPerProjectPerHour: 140_000,
  concurrentRequests: 50,
  serverErrorsPerProjectPerHour: 50,
  potentiallyThresholdedRequestsPerHour: 120,
};

const LEARN_MORE =
  'To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas';
const HOUR_MS = 3_600_000;
const pacific = () => zoneOf('America/Los_Angeles');

/** The buckets of one property, for the one project that calls here. Hours are those of the clock, days Pacific. */
export interface PropertyQuota {
  limits: QuotaLimits;
  /** Undefined when a request may run; it then counts as running until `leave`. */
  enter(now: number): Answer | undefined;
  leave(): void;
  /** Counts reports by dimensions of which rows may be withheld; refused when there are too many in the hour. */
  takeThresholded(now: number, requests: number): Answer | undefined;
  spend(now: number, tokens: number): void;
  serverError(now: number): void;
  /** `propertyQuota` of an answer that took so many tokens. */
  describe(now: number, tokens: number, thresholdedRequests: number): object;
  /** What was used in the current hour and day, for proofs. */
  used(now: number): { hour: number; day: number; serverErrors: number; thresholded: number };
}

export function createPropertyQuota(limits: QuotaLimits): PropertyQuota {
  let hour = Number.NaN;
  let day = '';
  let inHour = 0;
  let inDay = 0;
  let serverErrors = 0;
  let thresholded = 0;
  let running = 0;
  const turn = (now: number): void => {
    const nowHour = Math.floor(now / HOUR_MS);
    if (nowHour !== hour) [hour, inHour, serverErrors, thresholded] = [nowHour, 0, 0, 0];
    const nowDay = dayAt(pacific(), now);
    if (nowDay !== day) [day, inDay] = [nowDay, 0];
  };
  const left = (limit: number, used: number) => Math.max(0, limit - used);
  return {
    limits,
    enter(now) {
      turn(now);
      if (running >= limits.concurrentRequests) {
        return concurrentExhausted();
      }
      if (inDay >= limits.tokensPerDay) return exhausted('property tokens per day', '24 hours');
      if (inHour >= limits.tokensPerHour) return exhausted('property tokens per hour', 'an hour');
      if (inHour >= limits.tokensPerProjectPerHour) {
        return exhausted('property tokens for a project per hour', 'an hour');
      }
      if (serverErrors >= limits.serverErrorsPerProjectPerHour) {
        return serverErrorsExhausted();
      }
      if (thresholded >= limits.potentiallyThresholdedRequestsPerHour) return thresholdedExhausted();
      running++;
      return undefined;
    },
    takeThresholded(now, requests) {
      turn(now);
      const most = limits.potentiallyThresholdedRequestsPerHour;
      if (requests > 0 && thresholded + requests > most) return thresholdedExhausted();
      thresholded += requests;
      return undefined;
    },
    leave() {
      running = Math.max(0, running - 1);
    },
    spend(now, tokens) {
      turn(now);
      inHour += tokens;
      inDay += tokens;
    },
    serverError(now) {
      turn(now);
      serverErrors++;
    },
    describe(now, tokens, thresholdedRequests) {
      turn(now);
      return {
        tokensPerDay: { consumed: tokens, remaining: left(limits.tokensPerDay, inDay) },
        tokensPerHour: { consumed: tokens, remaining: left(limits.tokensPerHour, inHour) },
        concurrentRequests: {
          consumed: 0,
          remaining: left(limits.concurrentRequests, Math.max(0, running - 1)),
        },
        serverErrorsPerProjectPerHour: {
          consumed: 0,
          remaining: left(limits.serverErrorsPerProjectPerHour, serverErrors),
        },
        potentiallyThresholdedRequestsPerHour: {
          consumed: thresholdedRequests,
          remaining: left(limits.potentiallyThresholdedRequestsPerHour, thresholded),
        },
        tokensPerProjectPerHour: {
          consumed: tokens,
          remaining: left(limits.tokensPerProjectPerHour, inHour),
        },
      };
    },
    used(now) {
      turn(now);
      return { hour: inHour, day: inDay, serverErrors, thresholded };
    },
  };
}

/** 429 of the buckets of tokens. */
export function exhausted(what: string, returnsIn: string): Answer {
  return refuse(
    429,
    `Exhausted ${what}. These quota tokens will return in under ${returnsIn}. ${LEARN_MORE}`,
  );
}

export function concurrentExhausted(): Answer {
  return refuse(
    429,
    `Exhausted concurrent requests quota. Please wait for pending requests to complete. ${LEARN_MORE}`,
  );
}

export function serverErrorsExhausted(): Answer {
  return refuse(429, `Exhausted server errors quota. ${LEARN_MORE}`);
}

export function thresholdedExhausted(): Answer {
  return refuse(429, `Exhausted potentially thresholded requests quota. ${LEARN_MORE}`);
}
