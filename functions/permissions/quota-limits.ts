/**
 * What Google allows in a minute, in requests: developers.google.com/analytics/devguides/config/admin/v1/quotas.
 * A batch is one request.
 */
export interface QuotaLimits {
  readonly callsPerProject: number;
  readonly callsPerUser: number;
  readonly writesPerProject: number;
  readonly writesPerUser: number;
}

export const documentedQuotas: QuotaLimits = {
  callsPerProject: 1_200,
  callsPerUser: 600,
  writesPerProject: 600,
  writesPerUser: 180,
};

/** A share of the quotas, since others may use them too; at least one call of each. */
export function shareOf(quotas: QuotaLimits, share: number): QuotaLimits {
  const of = (limit: number) => Math.max(1, Math.floor(limit * share));
  return {
    callsPerProject: of(quotas.callsPerProject),
    callsPerUser: of(quotas.callsPerUser),
    writesPerProject: of(quotas.writesPerProject),
    writesPerUser: of(quotas.writesPerUser),
  };
}

export const quotaWindowMs = 60_000;

/** How long calls take within the quotas, in whole seconds: reads first, then writes with reads among them. */
export function estimateSeconds(
  calls: { readonly reads: number; readonly writes: number; readonly verifications: number },
  limits: QuotaLimits,
): number {
  const windows = (count: number, limit: number) => (count === 0 ? 0 : Math.ceil(count / limit) - 1);
  const callLimit = Math.min(limits.callsPerProject, limits.callsPerUser);
  const writeLimit = Math.min(limits.writesPerProject, limits.writesPerUser);
  const all = calls.reads + calls.writes + calls.verifications;
  const minutes = Math.max(
    windows(all, callLimit),
    windows(calls.reads, callLimit) + windows(calls.writes, writeLimit),
  );
  return Math.ceil(minutes * 60 + all * secondsPerCall);
}

/** Of one call, with what is stored before and after it. */
const secondsPerCall = 0.1;
