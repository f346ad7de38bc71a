import { encodeRow, type Row } from '../../shared/warehouse/encode-row.ts';
import type {
  AccessAuditRow,
  AccessBindingsRow,
  GaAccountsRow,
  GaPropertiesRow,
} from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { type AccessTable, currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { accessTables } from '../../shared/warehouse/tables/index.ts';
import type { Writer } from '../../shared/warehouse/writer.ts';

export interface AccessRows {
  readonly access_audit: AccessAuditRow;
  readonly access_bindings: AccessBindingsRow;
  readonly ga_accounts: GaAccountsRow;
  readonly ga_properties: GaPropertiesRow;
}

/** Stores rows of a table; rejects with NotStored unless each of them is stored. */
export type AppendRows = <Table extends AccessTable>(
  table: Table,
  rows: readonly AccessRows[Table][],
) => Promise<void>;

/** Rows are not stored, or not all of them. */
export class NotStored extends Error {}

/** Appends through the writer, which tries again what may pass, for `withinMs` at most. */
export function createAppender(writer: Pick<Writer, 'append'>, withinMs: number): AppendRows {
  const buffer = createRowBuffer();
  return async (table, rows) => {
    const encoded = rows.map((row) => {
      buffer.reset();
      encodeRow(buffer, accessTables[table], { ...row } as Row);
      return Buffer.from(buffer.bytes(0, buffer.length));
    });
    const outcome = await writer.append(table, currentSchemaVersion, encoded, Date.now() + withinMs);
    if (outcome.kind === 'appended' && outcome.refused.length === 0) return;
    const detail =
      outcome.kind === 'appended'
        ? `${outcome.refused.length} rows were refused: ${outcome.refused[0]?.detail}`
        : outcome.kind === 'failed'
          ? outcome.detail
          : outcome.kind;
    throw new NotStored(`${table} cannot be written: ${detail}`);
  };
}
