import type { log as writeLog } from '../../shared/host/log.ts';
import type { AppendRows } from './append-rows.ts';
import { createCallLedger } from './call-ledger.ts';
import { changeGroupState, type GroupState, type StateStore } from './group-state.ts';
import { applyFailures, findHold } from './holds.ts';
import { encodeNumbers } from './json-values.ts';
import { learn } from './plan.ts';
import type { ReportStore } from './report-store.ts';
import { addDays, dayAt, dayMs } from './services/calendar.ts';
import type { Failure, Item, Service, ServiceContext, Snapshot } from './services/service.ts';
import { addSpentUnits, readSpentUnits } from './spent-units.ts';

export interface ExtrasOptions extends StateStore {
  readonly append: AppendRows;
  readonly store: Pick<ReportStore, 'readUndescribed'>;
  readonly now: () => number;
  readonly log: typeof writeLog;
  readonly context: Omit<ServiceContext, 'recordCall'>;
}

/** YouTube's days are those of its own zone. */
const extrasZone = 'America/Los_Angeles';
/** Metadata may be kept for 30 days: it is fetched anew with time to spare. */
const describeAgainDays = 20;
/** How far back the rows are whose items are described: titles of older ones are let go. */
const describedDays = 60;
const describeEveryMs = dayMs / 4;
const mostItems = 500;

/** Takes the live counters of a group once a day, and fetches the metadata that its rows lack or that is old. */
export async function refreshExtras(
  service: Service,
  group: string,
  state: GroupState,
  options: ExtrasOptions,
): Promise<void> {
  const { now, append, store } = options;
  const { source } = service;
  if (findHold(state, now()) !== undefined) return;
  const today = dayAt(now(), extrasZone);
  const describing = service.reports.filter(({ describes }) => describes !== null);
  const isSnapshotDue = service.takeSnapshots !== undefined && state.snapshotOn !== today;
  const isDescribingDue =
    service.describeItems !== undefined &&
    describing.length > 0 &&
    now() >= state.describedAt + describeEveryMs;
  if (!isSnapshotDue && !isDescribingDue) return;
  const ledger = createCallLedger(source, append);
  const unitsSpent = await readSpentUnits(options, source, now());
  const context: ServiceContext = { ...options.context, recordCall: ledger.record, unitsSpent };
  let told = 0;
  const tellUnits = async () => {
    const calls = ledger.calls.slice(told);
    told = ledger.calls.length;
    await addSpentUnits(options, source, calls);
  };
  const failures: Failure[] = [];
  const done: Partial<GroupState> = {};
  const entities = service.entities.filter(({ probeGroup }) => probeGroup === group);

  if (isSnapshotDue && service.takeSnapshots !== undefined) {
    const outcome = await service.takeSnapshots(entities, context);
    await tellUnits();
    await append(
      'channel_snapshots',
      outcome.snapshots.map((one) => toSnapshotRow(source, one)),
    );
    failures.push(...outcome.failures);
    if (outcome.snapshots.length > 0) done.snapshotOn = today;
  }
  if (isDescribingDue && service.describeItems !== undefined) {
    for (const { key, describes } of describing) {
      const ids = await store.readUndescribed({
        source,
        report: key,
        entityIds: entities.map(({ entityId }) => entityId),
        dimension: describes ?? '',
        since: addDays(today, -describedDays),
        fetchedSince: new Date(now() - describeAgainDays * dayMs),
        most: mostItems,
      });
      if (ids.length === 0) continue;
      const outcome = await service.describeItems(ids, group, context);
      await tellUnits();
      await append(
        'video_metadata',
        outcome.items.map((item) => toItemRow(source, item)),
      );
      failures.push(...outcome.failures);
      if (outcome.items.length > 0) done.describedAt = now();
    }
  }
  const { calls } = ledger;
  await ledger.flush();
  if (failures.length === 0 && Object.keys(done).length === 0) return;
  await changeGroupState(options, source, group, (before) =>
    applyFailures(
      { ...learn(before, calls, [], now()), ...done },
      failures.map((failure) => ({ failure })),
      { source, probeGroup: group, nowMs: now(), log: options.log },
    ),
  );
}

const toSnapshotRow = (source: string, { entityId, takenAt, title, counters }: Snapshot) => ({
  source,
  entity_id: entityId,
  date: dayAt(takenAt.getTime(), extrasZone),
  taken_at: takenAt.getTime() * 1_000,
  title: title ?? undefined,
  counters: encodeNumbers(counters),
});

const toItemRow = (source: string, item: Item) => ({
  source,
  item_id: item.id,
  found: item.found,
  title: item.title ?? undefined,
  channel_id: item.channelId ?? undefined,
  item_published_at: item.publishedAt === null ? undefined : item.publishedAt.getTime() * 1_000,
  fetched_at: item.fetchedAt.getTime() * 1_000,
});
