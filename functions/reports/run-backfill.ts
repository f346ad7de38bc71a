import { publishAll } from '../../shared/google/publish-all.ts';
import { readGroupState } from './group-state.ts';
import { findHold, reportId } from './holds.ts';
import { mostDays } from './ladder.ts';
import { gateKey, indexVerdicts, isSettled, listDue, sliceKey } from './list-due.ts';
import { probeGroup } from './poll-group.ts';
import { packOrders } from './pull-order.ts';
import type { PollOptions } from './run-poll.ts';
import { addDays, listPeriods } from './services/calendar.ts';
import type { Cost, Entity, Report, Service } from './services/service.ts';

export interface BackfillCall {
  /** Dates of slices, both included. */
  readonly from: string;
  readonly to: string;
  /** Keys of sites and channels; all where it is not given. */
  readonly keys?: readonly string[] | undefined;
  /** Count only: nothing is judged and nothing ordered. */
  readonly dryRun: boolean;
}

export interface Backfill {
  /** Slices of the range, those of them that were pulled, and those whose day was judged and still waits. */
  readonly slices: number;
  readonly pulled: number;
  readonly waiting: number;
  /** Slices that are held back: quotas, refusals, broken reports. */
  readonly held: number;
  readonly ordered: number;
  /** What the slices that were not pulled will take, probes left out. */
  readonly estimate: Cost;
}

/**
 * Judges the days of a range that were never judged, and orders every slice of it that is complete and was not pulled.
 * To call it again does no harm: what is pulled is left out, and of orders that come twice one is void.
 */
export async function runBackfill(call: BackfillCall, options: PollOptions): Promise<Backfill> {
  const total = { slices: 0, pulled: 0, waiting: 0, held: 0, ordered: 0 };
  const estimate = { calls: 0, requests: 0, tokens: 0, units: 0 };
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), options.withinMs);
  try {
    for (const service of options.services) {
      const entities = service.entities.filter(({ key }) => call.keys?.includes(key) ?? true);
      if (entities.length > 0) await backfillService(service, entities, over.signal);
    }
  } finally {
    clearTimeout(timer);
  }
  return { ...total, estimate };

  async function backfillService(service: Service, entities: readonly Entity[], signal: AbortSignal) {
    const { from, to, dryRun } = call;
    const { source } = service;
    const [availability, attempts] = await Promise.all([
      // A week that ends on the first day has days before it.
      options.store.readAvailability(source, addDays(from, -mostDays), addDays(from, -31)),
      options.store.readAttempts({
        source,
        entityIds: entities.map(({ entityId }) => entityId),
        since: from,
        until: to,
      }),
    ]);
    const pulled = new Set(attempts.map(sliceKey));
    for (const group of new Set(entities.map((entity) => entity.probeGroup))) {
      const own = entities.filter((entity) => entity.probeGroup === group);
      const wanted = listSlices(service.reports, own, from, to);
      const open = wanted.filter((slice) => !pulled.has(keyOf(slice)));
      total.slices += wanted.length;
      total.pulled += wanted.length - open.length;
      for (const { report, entity } of open) add(estimate, service.estimate(report, entity));

      const asked = { ...options, context: { ...options, signal } };
      const narrowed = { ...service, entities: own };
      const probed = dryRun
        ? {
            state: await readGroupState(options, source, group),
            verdicts: indexVerdicts(availability),
          }
        : await probeGroup(narrowed, group, { from, to }, availability, asked);
      const { verdicts } = probed;
      for (const { report, entity, date } of open) {
        const verdict = verdicts.get(gateKey(entity.entityId, report.gate))?.get(date);
        const hold = { entityId: entity.entityId, report: reportId(report) };
        if (findHold(probed.state, options.now(), hold) !== undefined) total.held++;
        else if (verdict !== undefined && !isSettled(verdict)) total.waiting++;
      }
      if (dryRun) continue;
      const reportOf = new Map(service.reports.map((report) => [report.key, report]));
      const due = listDue({
        entities: own,
        reports: service.reports,
        verdicts,
        attempts,
        ladder: options.ladder,
        firstSince: from,
        nowMs: options.now(),
      }).filter(({ entityId, report, date, cause }) => {
        const known = reportOf.get(report);
        const hold = { entityId, report: known === undefined ? report : reportId(known) };
        return cause === 'first' && date <= to && findHold(probed.state, options.now(), hold) === undefined;
      });
      const orders = packOrders(
        source,
        group,
        due.map((slice) => ({ ...slice, cause: 'backfill' })),
      );
      await publishAll(options.send, orders, 30_000);
      total.ordered += due.length;
    }
  }
}

interface Wanted {
  readonly report: Report;
  readonly entity: Entity;
  readonly date: string;
}

function listSlices(
  reports: readonly Report[],
  entities: readonly Entity[],
  from: string,
  to: string,
): Wanted[] {
  return reports.flatMap((report) =>
    entities
      .filter(({ entityId }) => report.entityIds.includes(entityId))
      .flatMap((entity) => listPeriods(report.grain, from, to).map((date) => ({ report, entity, date }))),
  );
}

const keyOf = ({ report, entity, date }: Wanted): string =>
  sliceKey({ report: report.key, entityId: entity.entityId, date });

function add(sum: { -readonly [Name in keyof Cost]: Cost[Name] }, cost: Cost): void {
  sum.calls += cost.calls;
  sum.requests += cost.requests;
  sum.tokens += cost.tokens;
  sum.units += cost.units;
}
