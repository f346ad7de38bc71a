import type { DuckDBValue } from '@duckdb/node-api';
import { status } from '@grpc/grpc-js';
import type { CatalogStore, TableEntry } from '../catalog.ts';
import type { GroupCommit } from '../group-commit.ts';
import type { Field } from '../sql/types.ts';
import { partitionDay, ValueError } from './column-values.ts';
import { decodeDescriptor } from './descriptor.ts';
import {
  type AppendRowsRequest,
  type AppendRowsResponse,
  type RowError,
  STORAGE_ERROR_INVALID_STREAM_TYPE,
  STORAGE_ERROR_SCHEMA_MISMATCH_EXTRA_FIELDS,
  STORAGE_ERROR_TABLE_NOT_FOUND,
  type StatusDetails,
} from './messages.ts';
import { WireError } from './proto-wire.ts';
import { matchWriterSchema, type RowDecoder } from './row-decoder.ts';
import { parseStreamName, tablePath } from './stream-name.ts';

export interface PartitionBounds {
  pastDays: number;
  futureDays: number;
}

/** What became of one request: an answer on the stream, or the end of the stream. */
export type AppendOutcome =
  | { kind: 'answer'; response: AppendRowsResponse }
  | { kind: 'breakStream'; error: StatusDetails };

/** "AppendRowsRequest must be less than 10 MB": storage.proto. */
export const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
/** Row errors listed per answer; the list "may not be complete because of the size limitations". */
const MAX_ROW_ERRORS = 10_000;

/** One AppendRows connection: what it has been told about stream and schema so far. */
export interface AppendConnection {
  append(request: AppendRowsRequest): Promise<AppendOutcome>;
}

interface Destination {
  streamName: string;
  descriptor: Buffer | undefined;
}

interface Match {
  entry: TableEntry;
  descriptor: Buffer;
  decoder: RowDecoder;
}

export function openAppendConnection(context: {
  catalog: CatalogStore;
  groupCommit: GroupCommit;
  partitionBounds: PartitionBounds;
  now: () => Date;
}): AppendConnection {
  const { catalog, groupCommit } = context;
  let current: Destination | undefined;
  let match: Match | undefined;
  let announcedFields: readonly Field[] | undefined;

  return { append };

  async function append(request: AppendRowsRequest): Promise<AppendOutcome> {
    const streamName = request.writeStream === '' ? (current?.streamName ?? '') : request.writeStream;
    const stream = parseStreamName(streamName);
    if (stream.kind === 'invalid') {
      return breakStream(status.INVALID_ARGUMENT, `Invalid stream name: '${streamName}'`);
    }
    const entity = `${tablePath(stream.table)}/_default`;
    if (stream.kind === 'other') {
      return breakStream(
        status.UNIMPLEMENTED,
        `Only the default stream is supported by the local BigQuery. Entity: ${streamName}`,
        { code: STORAGE_ERROR_INVALID_STREAM_TYPE, entity: streamName },
      );
    }
    const refusal = refuseUnsupported(request);
    if (refusal !== undefined) return breakStream(status.INVALID_ARGUMENT, `${refusal} Entity: ${entity}`);

    if (current?.streamName !== stream.canonical) {
      current = { streamName: stream.canonical, descriptor: undefined };
      announcedFields = undefined;
    }
    if (request.writerDescriptor !== undefined) current.descriptor = request.writerDescriptor;
    const { descriptor } = current;
    if (descriptor === undefined) {
      return breakStream(
        status.INVALID_ARGUMENT,
        `Invalid writer schema: the first request for a stream must carry one. Entity: ${entity}`,
      );
    }

    const entry = catalog.find('table', [
      stream.table.projectId,
      stream.table.datasetId,
      stream.table.tableId,
    ]);
    if (entry?.kind === 'view') {
      return breakStream(status.INVALID_ARGUMENT, `Cannot append to a view. Entity: ${entity}`);
    }
    if (entry?.kind !== 'table') return tableNotFound(entity);
    const answer = (rest: Omit<AppendRowsResponse, 'writeStream'>): AppendOutcome => ({
      kind: 'answer',
      response: { writeStream: stream.canonical, ...rest },
    });
    if (request.byteLength > MAX_REQUEST_BYTES) {
      return answer({
        error: {
          code: status.INVALID_ARGUMENT,
          message: `AppendRows request too large: ${request.byteLength} limit ${MAX_REQUEST_BYTES}. Entity: ${entity}`,
        },
      });
    }
    const unknownInterpretation = checkInterpretations(request, entry.fields);
    if (unknownInterpretation !== undefined) {
      return answer({
        error: { code: status.INVALID_ARGUMENT, message: `${unknownInterpretation} Entity: ${entity}` },
      });
    }
    const matched = matchSchema(entry, descriptor);
    if ('code' in matched) {
      return answer({
        error: {
          ...matched,
          message: `${matched.message} Entity: ${entity}`,
          ...storageError(matched, entity),
        },
      });
    }

    const { rows, errors } = decodeRows(request.rows, matched, context.partitionBounds, context.now());
    if (errors.length > 0) {
      return answer({
        error: {
          code: status.INVALID_ARGUMENT,
          message: `Errors found while processing rows. Please refer to the row_errors field for details. The list may not be complete because of the size limitations. Entity: ${entity}`,
        },
        rowErrors: errors,
      });
    }
    if (rows.length > 0) {
      const outcome = await groupCommit.append(entry.duckdbName, rows, () => {
        const latest = catalog.find('table', [
          stream.table.projectId,
          stream.table.datasetId,
          stream.table.tableId,
        ]);
        return latest?.kind === 'table' && latest.duckdbName === entry.duckdbName;
      });
      if (outcome === 'refused') return tableNotFound(entity);
    }
    // A connection learns of columns added since it began, as `updated_schema` is documented.
    const changed = announcedFields !== undefined && announcedFields !== entry.fields;
    announcedFields = entry.fields;
    return answer(changed ? { updatedSchema: entry.fields } : {});
  }

  function matchSchema(entry: TableEntry, descriptor: Buffer): Match | SchemaRefusal {
    if (match?.entry === entry && match.descriptor === descriptor) return match;
    try {
      const result = matchWriterSchema(decodeDescriptor(descriptor), entry.fields);
      if (result.kind === 'ok') {
        match = { entry, descriptor, decoder: result.decoder };
        return match;
      }
      if (result.kind === 'mismatch') return { code: status.INVALID_ARGUMENT, message: `${result.message}.` };
      return {
        code: status.INVALID_ARGUMENT,
        message: `Input schema has more fields than BigQuery schema, extra fields: '${result.names.join(',')}'`,
        extraFields: true,
      };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { code: status.INVALID_ARGUMENT, message: `Invalid proto schema: ${error.message}.` };
    }
  }
}

interface SchemaRefusal {
  code: number;
  message: string;
  extraFields?: boolean;
}

function storageError(refusal: SchemaRefusal, entity: string): Pick<StatusDetails, 'storageError'> {
  return refusal.extraFields === true
    ? { storageError: { code: STORAGE_ERROR_SCHEMA_MISMATCH_EXTRA_FIELDS, entity } }
    : {};
}

function breakStream(code: number, message: string, storage?: StatusDetails['storageError']): AppendOutcome {
  return {
    kind: 'breakStream',
    error: { code, message, ...(storage === undefined ? {} : { storageError: storage }) },
  };
}

function tableNotFound(entity: string): AppendOutcome {
  return breakStream(status.NOT_FOUND, `Requested entity was not found. Entity: ${entity}`, {
    code: STORAGE_ERROR_TABLE_NOT_FOUND,
    entity,
  });
}

function refuseUnsupported(request: AppendRowsRequest): string | undefined {
  if (request.hasArrowRows) return 'Arrow rows are not supported by the local BigQuery.';
  if (request.hasOffset) return 'Offset must not be specified for the default stream.';
  if (!request.hasProtoRows) return 'Rows must be specified.';
  return undefined;
}

/** No column has a default value here, so NULL_VALUE and DEFAULT_VALUE mean the same; the rest is refused. */
function checkInterpretations(request: AppendRowsRequest, fields: readonly Field[]): string | undefined {
  for (const [name, interpretation] of request.missingValueInterpretations) {
    if (!fields.some((field) => field.name.toLowerCase() === name.toLowerCase())) {
      return `Field ${name} of missing_value_interpretations is not in the BigQuery table.`;
    }
    if (interpretation !== 1 && interpretation !== 2) {
      return `Invalid missing value interpretation ${interpretation} for field ${name}.`;
    }
  }
  return undefined;
}

function decodeRows(
  encoded: readonly Buffer[],
  match: Match,
  bounds: PartitionBounds,
  now: Date,
): { rows: DuckDBValue[][]; errors: RowError[] } {
  const rows: DuckDBValue[][] = [];
  const errors: RowError[] = [];
  const checkPartition = partitionCheck(match.entry, bounds, now);
  for (const [index, row] of encoded.entries()) {
    try {
      const values = match.decoder.decode(row);
      checkPartition(values);
      rows.push(values);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      if (errors.length < MAX_ROW_ERRORS) errors.push({ index, message: error.message });
    }
  }
  return { rows, errors };
}

function partitionCheck(
  entry: TableEntry,
  bounds: PartitionBounds,
  now: Date,
): (values: readonly DuckDBValue[]) => void {
  const field = entry.timePartitioning?.field?.toLowerCase();
  const column = entry.fields.findIndex((candidate) => candidate.name.toLowerCase() === field);
  if (column < 0) return () => undefined;
  const today = Math.floor(now.getTime() / 86_400_000);
  return (values) => {
    const day = partitionDay(values[column] ?? null);
    if (day === undefined || (day >= today - bounds.pastDays && day <= today + bounds.futureDays)) return;
    const partition = new Date(day * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    throw new ValueError(
      `The destination table's partition ${entry.reference.tableId}$${partition} is outside the allowed bounds. You can only stream to partitions within ${bounds.pastDays} days in the past and ${bounds.futureDays} days in the future relative to the current date.`,
    );
  };
}
