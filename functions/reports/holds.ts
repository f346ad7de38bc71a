import type { log as writeLog } from '../../shared/host/log.ts';
import type { GroupState, Hold } from './group-state.ts';
import type { Failure, Report } from './services/service.ts';

/** A failure, and the report that was asked for where it was one. */
export interface Failed {
  readonly failure: Failure;
  readonly report?: Pick<Report, 'key' | 'hash'>;
}

export const reportId = ({ key, hash }: Pick<Report, 'key' | 'hash'>): string => `${key}@${hash}`;

/**
 * Remembers what failed, so that it is not asked for again before its time. What somebody must act on is logged as an
 * ERROR once: not again while the same trouble of the same property, owner or report lasts.
 */
export function applyFailures(
  state: GroupState,
  failures: readonly Failed[],
  options: {
    readonly source: string;
    readonly probeGroup: string;
    readonly nowMs: number;
    readonly log: typeof writeLog;
  },
): GroupState {
  let holds = state.holds;
  for (const failed of failures) {
    const next = holdOf(failed, options.nowMs);
    if (next === undefined) continue;
    const known = holds.find((one) => isSame(one, next));
    holds = [...holds.filter((one) => !isSame(one, next)), { ...next, since: known?.since ?? next.since }];
    if (known !== undefined) continue;
    const { source, probeGroup, log } = options;
    log(next.alert ? 'ERROR' : 'WARNING', next.message, {
      source,
      probe_group: probeGroup,
      entity_id: next.entityId,
      report: next.report,
      kind: next.kind,
      reason: next.reason,
      until: next.until === null ? null : new Date(next.until).toISOString(),
    });
  }
  return holds === state.holds ? state : { ...state, holds };
}

/** Forgets the troubles that are over: something of the group, or of this very entity or report, was answered. */
export function liftHolds(
  state: GroupState,
  answered: { readonly entityId: string | null; readonly report: string | null },
): GroupState {
  const holds = state.holds.filter(({ scope, entityId, report }) => {
    if (scope === 'group') return false;
    if (scope === 'entity') return entityId !== answered.entityId;
    return report !== answered.report || (entityId !== null && entityId !== answered.entityId);
  });
  return holds.length === state.holds.length ? state : { ...state, holds };
}

/** What holds something back now: the whole group where no entity is named. */
export function findHold(
  state: GroupState,
  nowMs: number,
  wanted: { readonly entityId?: string; readonly report?: string } = {},
): Hold | undefined {
  return state.holds.find(({ scope, entityId, report, until }) => {
    if (until !== null && until <= nowMs) return false;
    if (scope === 'group') return true;
    if (scope === 'entity') return entityId === wanted.entityId;
    return report === wanted.report && (entityId === null || entityId === wanted.entityId);
  });
}

/** One call an hour tells whether somebody has given access again. */
const tryAgainMs = 3_600_000;

function holdOf({ failure, report }: Failed, nowMs: number): Hold | undefined {
  const { kind, entityId, reason, message, notBefore, alert } = failure;
  const base = { kind, reason, message, alert, since: nowMs };
  const until = notBefore?.getTime() ?? nowMs + tryAgainMs;
  switch (kind) {
    case 'broken_report':
      if (report === undefined) return undefined;
      return {
        ...base,
        scope: 'report',
        entityId,
        report: reportId(report),
        until: notBefore?.getTime() ?? null,
      };
    case 'stopped_entity':
      return { ...base, scope: 'entity', entityId, report: null, until };
    case 'stopped_owner':
      return { ...base, scope: 'group', entityId: null, report: null, until };
    case 'deferred':
      return { ...base, scope: entityId === null ? 'group' : 'entity', entityId, report: null, until };
    case 'transient':
      if (notBefore === null) return undefined;
      return { ...base, scope: entityId === null ? 'group' : 'entity', entityId, report: null, until };
  }
}

const isSame = (one: Hold, other: Hold): boolean =>
  one.scope === other.scope &&
  one.entityId === other.entityId &&
  one.report === other.report &&
  one.kind === other.kind;
