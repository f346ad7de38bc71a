import type { EventBatch } from '../../shared/warehouse/event-batch.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import type { AppendedTable, AppendOutcome, Writer } from '../../shared/warehouse/writer.ts';
import { encodeRefusedRow } from './quarantine-rows.ts';

export type StoreOutcome =
  /** Every row is in its table or, `quarantined` of them, in quarantine. */
  | { readonly kind: 'stored'; readonly quarantined: number; readonly detail: string }
  | {
      readonly kind: 'failed';
      readonly table: AppendedTable;
      /** Somebody has to mend the table or its permissions. */
      readonly permanent: boolean;
      readonly detail: string;
    }
  | { readonly kind: 'full' };

/** Appends the rows of a message to their tables, and quarantines those that BigQuery refuses. `replayId`: of the message. */
export async function storeBatch(
  writer: Pick<Writer, 'append'>,
  batch: EventBatch,
  schemaVersion: number,
  deadline: number,
  replayId?: string,
): Promise<StoreOutcome> {
  const rowsByTable: readonly (readonly [AppendedTable, readonly Uint8Array[]])[] = [
    ['event_log', batch.events],
    ['state_log', batch.state.map((place) => batch.events[place]!)],
    ['quarantine', batch.quarantine],
  ];
  const outcomes = await Promise.all(
    rowsByTable.map(async ([table, rows]) => ({
      table,
      outcome: await writer.append(table, schemaVersion, rows, deadline),
    })),
  );
  const quarantineRows: Buffer[] = [];
  let detail = '';
  for (const { table, outcome } of outcomes) {
    if (outcome.kind !== 'appended') return describeFailure(table, outcome);
    for (const refused of outcome.refused) {
      detail ||= `${table}: ${refused.detail}`;
      quarantineRows.push(encodeRefusedRow(table, schemaVersion, refused, Date.now(), replayId));
    }
  }
  return quarantineRows.length === 0
    ? { kind: 'stored', quarantined: 0, detail }
    : storeQuarantine(writer, quarantineRows, deadline, detail);
}

/** Appends rows that this function made itself. One that is refused fails them: it has nowhere else to go. */
export async function storeQuarantine(
  writer: Pick<Writer, 'append'>,
  rows: readonly Uint8Array[],
  deadline: number,
  detail: string,
): Promise<StoreOutcome> {
  const outcome = await writer.append('quarantine', currentSchemaVersion, rows, deadline);
  if (outcome.kind !== 'appended') return describeFailure('quarantine', outcome);
  const [refused] = outcome.refused;
  return refused === undefined
    ? { kind: 'stored', quarantined: rows.length, detail }
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
