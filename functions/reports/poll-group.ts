import type { log as writeLog } from '../../shared/host/log.ts';
import type { AppendRows } from './append-rows.ts';
import { createCallLedger } from './call-ledger.ts';
import { changeGroupState, type GroupState, readGroupState, type StateStore } from './group-state.ts';
import { applyFailures, findHold, liftHolds } from './holds.ts';
import { addVerdicts, gateKey, indexVerdicts, isSettled, type Verdicts } from './list-due.ts';
import { learn } from './plan.ts';
import type { StoredAvailability } from './report-store.ts';
import { listDays } from './services/calendar.ts';
import type {
  Availability,
  Entity,
  ProbeOutcome,
  ProbeRequest,
  Service,
  ServiceContext,
} from './services/service.ts';
import { addSpentUnits } from './spent-units.ts';

export interface ProbeOptions extends StateStore {
  readonly append: AppendRows;
  readonly now: () => number;
  readonly log: typeof writeLog;
  readonly context: Omit<ServiceContext, 'recordCall'>;
}

export interface ProbedGroup {
  readonly state: GroupState;
  /** With what was just judged. */
  readonly verdicts: Verdicts;
  /** Days that were judged, and those of them that may be pulled now. */
  readonly judged: number;
  readonly settled: number;
  readonly failed: number;
}

/**
 * Judges the days of a property or content owner that are open, and stores each verdict with its proof. Days whose
 * verdict is positive are never asked about again, waiting ones not before their time.
 */
export async function probeGroup(
  service: Service,
  group: string,
  dates: { readonly from: string; readonly to: string },
  known: readonly StoredAvailability[],
  options: ProbeOptions,
): Promise<ProbedGroup> {
  const { now, append, log } = options;
  const { source } = service;
  const entities = service.entities.filter(({ probeGroup: own }) => own === group);
  const ids = new Set(entities.map(({ entityId }) => entityId));
  const availability = known.filter(({ entityId }) => ids.has(entityId));
  const state = await readGroupState(options, source, group);
  const last = indexVerdicts(availability);
  const nothing = { state, verdicts: last, judged: 0, settled: 0, failed: 0 };
  if (findHold(state, now()) !== undefined) return nothing;
  const able = entities.filter(({ entityId }) => findHold(state, now(), { entityId }) === undefined);
  const open = listOpen(service, able, dates, last, now());
  if (open.length === 0) return nothing;

  const ledger = createCallLedger(source, append);
  const context: ServiceContext = { ...options.context, recordCall: ledger.record };
  const request: ProbeRequest = { probeGroup: group, open, history: availability };
  const outcome = await service.probe(request, context);
  const probedAt = new Date(now());
  const fresh = outcome.availability.filter((row) => isNews(row, last.get(gateKey(row.entityId, row.gate))));
  await append(
    'report_availability',
    fresh.map((row) => ({
      source,
      entity_id: row.entityId,
      gate: row.gate,
      date: row.date,
      verdict: row.verdict,
      rule: row.rule,
      proof: JSON.stringify(row.proof),
      not_before: row.notBefore === null ? undefined : row.notBefore.getTime() * 1_000,
      probed_at: probedAt.getTime() * 1_000,
      flags: row.flags,
    })),
  );
  addVerdicts(
    last,
    fresh.map((row) => ({ ...row, probedAt })),
  );
  const failures = outcome.failures.map((failure) => ({ failure }));
  const answered = listAnswered(outcome);
  let isLogged = false;
  const after = await changeGroupState(options, source, group, (before) => {
    let next = ledger.calls.length === 0 ? before : learn(before, ledger.calls, [], now());
    for (const entityId of ledger.calls.some(({ status }) => status === 200) ? answered : []) {
      next = liftHolds(next, { entityId, report: null });
    }
    const once = isLogged ? () => {} : log;
    isLogged = true;
    return applyFailures(next, failures, { source, probeGroup: group, nowMs: now(), log: once });
  });
  await addSpentUnits(options, source, ledger.calls);
  await ledger.flush();
  const settled = fresh.filter(({ verdict }) => verdict === 'available' || verdict === 'forced');
  return {
    state: after,
    verdicts: last,
    judged: fresh.length,
    settled: settled.length,
    failed: failures.length,
  };
}

/** Of each entity and gate the days to be judged: of the range, and those that still wait from before it. */
function listOpen(
  { reports }: Service,
  entities: readonly Entity[],
  { from, to }: { readonly from: string; readonly to: string },
  verdicts: Verdicts,
  nowMs: number,
): ProbeRequest['open'] {
  const range = listDays(from, to);
  return entities.flatMap((entity) => {
    const own = reports.filter(({ entityIds }) => entityIds.includes(entity.entityId));
    return [...new Set(own.map(({ gate }) => gate))].flatMap((gate) => {
      const days = verdicts.get(gateKey(entity.entityId, gate)) ?? new Map<string, StoredAvailability>();
      const waiting = [...days.values()].filter(({ date, verdict }) => date < from && verdict === 'waiting');
      const dates = [...waiting.map(({ date }) => date).sort(), ...range].filter((date) => {
        const known = days.get(date);
        return !isSettled(known) && (known?.notBefore?.getTime() ?? 0) <= nowMs;
      });
      return dates.length === 0 ? [] : [{ entity, gate, dates }];
    });
  });
}

/** Those of which something was asked and told; that a day is too early is known without. */
function listAnswered({ availability, failures }: ProbeOutcome): Set<string> {
  const told = availability.filter(({ verdict, rule }) => verdict !== 'stopped' && !isTooEarly(rule));
  const answered = new Set(told.map(({ entityId }) => entityId));
  for (const { entityId } of failures) if (entityId !== null) answered.delete(entityId);
  return answered;
}

const isTooEarly = (rule: string): boolean => rule.startsWith('R0');

/** A day that is merely too early says so once. */
function isNews(row: Availability, days: ReadonlyMap<string, StoredAvailability> | undefined): boolean {
  const known = days?.get(row.date);
  return !(isTooEarly(row.rule) && known?.rule === row.rule && known.verdict === row.verdict);
}
