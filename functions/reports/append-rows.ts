import { encodeRow } from '../../shared/warehouse/encode-row.ts';
import type {
  ApiCallsRow,
  ChannelSnapshotsRow,
  ReportAvailabilityRow,
  ReportPullsRow,
  ReportRestatementsRow,
  ReportRowsRow,
  VideoMetadataRow,
} from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { reportTables } from '../../shared/warehouse/tables/index.ts';
import type { Writer } from '../../shared/warehouse/writer.ts';

export interface ReportTableRows {
  readonly report_rows: ReportRowsRow;
  readonly report_pulls: ReportPullsRow;
  readonly report_availability: ReportAvailabilityRow;
  readonly report_restatements: ReportRestatementsRow;
  readonly api_calls: ApiCallsRow;
  readonly channel_snapshots: ChannelSnapshotsRow;
  readonly video_metadata: VideoMetadataRow;
}

/** Stores rows of a table of reports; rejects unless each of them is stored. Some may be, also where it rejects. */
export type AppendRows = <Name extends keyof ReportTableRows>(
  table: Name,
  rows: readonly ReportTableRows[Name][],
) => Promise<void>;

/** Appends through the writer, which tries again what may pass, for `withinMs` at most. */
export function createRowAppender(writer: Pick<Writer, 'append'>, withinMs: number): AppendRows {
  const buffer = createRowBuffer();
  return async (table, rows) => {
    for (let start = 0; start < rows.length; start += rowsPerAppend) {
      const encoded = rows.slice(start, start + rowsPerAppend).map((row) => {
        buffer.reset();
        encodeRow(buffer, reportTables[table], { ...row });
        return Buffer.from(buffer.bytes(0, buffer.length));
      });
      const outcome = await writer.append(table, currentSchemaVersion, encoded, Date.now() + withinMs);
      if (outcome.kind === 'appended' && outcome.refused.length === 0) continue;
      throw new AppendFailed(table, describe(outcome));
    }
  };
}

export class AppendFailed extends Error {
  constructor(table: string, detail: string) {
    super(`Rows could not be appended to ${table}: ${detail}`);
  }
}

/** Some 250 bytes each: a few megabytes. */
const rowsPerAppend = 10_000;

function describe(outcome: Awaited<ReturnType<Writer['append']>>): string {
  if (outcome.kind === 'appended') {
    return `${outcome.refused.length} rows were refused: ${outcome.refused[0]?.detail}`;
  }
  return outcome.kind === 'failed' ? outcome.detail : outcome.kind;
}
