import { encodeRow } from '../../shared/warehouse/encode-row.ts';
import type { IdentityDecisionsRow } from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { identityDecisions } from '../../shared/warehouse/tables/index.ts';
import type { Writer } from '../../shared/warehouse/writer.ts';

/** Stores rows of identity_decisions; rejects unless each of them is stored. */
export type AppendDecisions = (rows: readonly IdentityDecisionsRow[]) => Promise<void>;

/** Appends decisions through the writer, which tries again what may pass, for `withinMs` at most. */
export function createDecisionAppender(writer: Pick<Writer, 'append'>, withinMs: number): AppendDecisions {
  const buffer = createRowBuffer();
  return async (rows) => {
    const encoded = rows.map((row) => {
      buffer.reset();
      encodeRow(buffer, identityDecisions, { ...row });
      return Buffer.from(buffer.bytes(0, buffer.length));
    });
    const deadline = Date.now() + withinMs;
    const outcome = await writer.append('identity_decisions', currentSchemaVersion, encoded, deadline);
    if (outcome.kind === 'appended' && outcome.refused.length === 0) return;
    const detail =
      outcome.kind === 'appended'
        ? `${outcome.refused.length} rows were refused: ${outcome.refused[0]?.detail}`
        : outcome.kind === 'failed'
          ? outcome.detail
          : outcome.kind;
    throw new Error(`Decisions could not be appended to identity_decisions: ${detail}`);
  };
}
