import { encodeRow } from '../../shared/warehouse/encode-row.ts';
import type { QuarantineOutcomesRow } from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { quarantineOutcomes } from '../../shared/warehouse/tables/index.ts';
import type { Verdict } from './judge-batch.ts';
import type { PickedRow } from './quarantined-row.ts';

const buffer = createRowBuffer();

/**
 * The row of quarantine_outcomes that a verdict becomes, or undefined where the last replay said the same.
 * `decidedAt` in microseconds since 1970.
 */
export function encodeOutcome(
  verdict: Verdict,
  last: PickedRow['last'],
  replayId: string,
  decidedAt: number,
): Buffer | undefined {
  const refusal = verdict.kind === 'refused' ? verdict.refusal : undefined;
  const detail = refusal?.detail.slice(0, 1_000).toWellFormed();
  if (refusal !== undefined && last?.reason === refusal.reason && last.detail === detail) return undefined;
  const row: QuarantineOutcomesRow = {
    quarantine_id: verdict.row.id,
    replay_id: replayId,
    received_at: verdict.row.receivedAt,
    decided_at: decidedAt,
    outcome: verdict.kind,
    reason: refusal?.reason,
    detail,
    project: verdict.row.project,
    events: verdict.kind === 'accepted' ? verdict.events : undefined,
  };
  buffer.reset();
  encodeRow(buffer, quarantineOutcomes, { ...row });
  return Buffer.from(buffer.bytes(0, buffer.length));
}
