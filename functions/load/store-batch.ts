import type { EventBatch } from '../../shared/warehouse/event-batch.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import type { AppendedTable, AppendOutcome, Writer } from '../../shared/warehouse/writer.ts';
import { encodeRefusedRow } from './quarantine-rows.ts';

export type StoreOutcome =
  /** Every row is in its table or, where it was refused, in quarantine. */
  | {
      readonly kind: 'stored';
      readonly appended: RowCounts;
      readonly refused: RowCounts;
      /** Rows that this function itself put into quarantine, and why. */
      readonly quarantined: number;
      readonly reasons: readonly string[];
    }
  | {
      readonly kind: 'failed';
      readonly table: AppendedTable;
      /** Somebody has to mend the table or its permissions. */
      readonly permanent: boolean;
      readonly detail: string;
    }
  | { readonly kind: 'full' };

export type RowCounts = Readonly<Record<'event_log' | 'state_log' | 'quarantine', number>>;

/** Appends the rows of a message to their tables, and quarantines those that BigQuery refuses. `replayId`: of the message. */
export async function storeBatch(
  writer: Pick<Writer, 'append'>,
  batch: EventBatch,
  schemaVersion: number,
  deadline: number,
  replayId?: string,
): Promise<StoreOutcome> {
  const rowsByTable: readonly (readonly [keyof RowCounts, readonly Uint8Array[]])[] = [
    ['event_log', batch.events],
    ['state_log', [...batch.state.map((place) => batch.events[place]!), ...batch.stateOnly]],
    ['quarantine', batch.quarantine],
  ];
  const outcomes = await Promise.all(
    rowsByTable.map(async ([table, rows]) => ({
      table,
      rows,
      outcome: await writer.append(table, schemaVersion, rows, deadline),
    })),
  );
  const quarantineRows: Buffer[] = [];
  const appended = { event_log: 0, state_log: 0, quarantine: 0 };
  const refused = { event_log: 0, state_log: 0, quarantine: 0 };
  const reasons = new Set<string>();
  for (const { table, rows, outcome } of outcomes) {
    if (outcome.kind !== 'appended') return describeFailure(table, outcome);
    appended[table] = rows.length - outcome.refused.length;
    refused[table] = outcome.refused.length;
    for (const row of outcome.refused) {
      reasons.add(row.reason);
      quarantineRows.push(encodeRefusedRow(table, schemaVersion, row, Date.now(), replayId));
    }
  }
  const kept = await storeQuarantine(writer, quarantineRows, deadline, [...reasons]);
  if (kept.kind !== 'stored') return kept;
  appended.quarantine += kept.appended.quarantine;
  return { ...kept, appended, refused };
}

/** Appends rows that this function made itself. One that is refused fails them: it has nowhere else to go. */
export async function storeQuarantine(
  writer: Pick<Writer, 'append'>,
  rows: readonly Uint8Array[],
  deadline: number,
  reasons: readonly string[],
): Promise<StoreOutcome> {
  const none = { event_log: 0, state_log: 0, quarantine: 0 };
  const stored: StoreOutcome = {
    kind: 'stored',
    appended: { ...none, quarantine: rows.length },
    refused: none,
    quarantined: rows.length,
    reasons,
  };
  if (rows.length === 0) return stored;
  const outcome = await writer.append('quarantine', currentSchemaVersion, rows, deadline);
  if (outcome.kind !== 'appended') return describeFailure('quarantine', outcome);
  const [refused] = outcome.refused;
  return refused === undefined
    ? stored
    : { kind: 'failed', table: 'quarantine', permanent: true, detail: refused.detail };
}

function describeFailure(
  table: AppendedTable,
  outcome: Exclude<AppendOutcome, { kind: 'appended' }>,
): StoreOutcome {
  if (outcome.kind === 'full') return outcome;
  if (outcome.kind === 'unknown_schema_version') {
    return { kind: 'failed', table, permanent: true, detail: 'no descriptor for this schema_version' };
  }
  return { kind: 'failed', table, permanent: outcome.permanent, detail: `${outcome.code} ${outcome.detail}` };
}
