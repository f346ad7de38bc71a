import { createHash } from 'node:crypto';
import type { PushedMessage } from '../../shared/google/push-envelope.ts';
import { encodeRow } from '../../shared/warehouse/encode-row.ts';
import type { QuarantineRow } from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { eventLog, quarantine } from '../../shared/warehouse/tables/index.ts';
import type { AppendedTable, RefusedRow } from '../../shared/warehouse/writer.ts';
import { readRowFields } from './row-fields.ts';

/** Above this a body is cut to its beginning, since the row that holds it must fit an append. */
const maxBodyBytes = 8_000_000;
const beginningBytes = 64 * 1024;

/**
 * Encodes the quarantine row of a row that BigQuery refused, with the row's own bytes as its body. Its id depends on
 * nothing but the table, those bytes and the replay that sent them, if any: a redelivered message adds a copy and not
 * another row, and what is refused again after a replay is open again.
 */
export function encodeRefusedRow(
  table: AppendedTable,
  schemaVersion: number,
  { row, reason, detail }: RefusedRow,
  nowMs: number,
  replayId: string | undefined,
): Buffer {
  const fields = readFields(table, row);
  const receivedAt = fields.number('received_at');
  return encode({
    quarantine_id: hash([table, '\0', ...(replayId === undefined ? [] : [replayId, '\0']), row]).slice(0, 32),
    project: fields.text('project'),
    dialect: fields.text('dialect') ?? 'unknown',
    batch_id: fields.text('batch_id') ?? 'unknown',
    request_hash: fields.text('request_hash') ?? hash([row]),
    method: 'APPEND',
    path: table,
    unit: 'row',
    ...body(row),
    place: fields.number('batch_index'),
    received_at: receivedAt !== undefined && isPlausible(receivedAt, nowMs) ? receivedAt : nowMs * 1_000,
    reason,
    detail: detail.slice(0, 1_000).toWellFormed(),
    schema_version: schemaVersion,
  });
}

/**
 * Encodes the quarantine row of a message that is not ours: its data as it came, its attributes as headers, so that
 * it can be published again.
 */
export function encodeUndecodableMessage(message: PushedMessage, detail: string, nowMs: number): Buffer {
  const { attributes, data, messageId } = message;
  const publishedAt = Date.parse(message.publishTime ?? '') * 1_000;
  const headers = Object.entries(attributes).map(([name, value]) => [
    name.toWellFormed(),
    value.toWellFormed(),
  ]);
  return encode({
    quarantine_id: hash(['undecodable_message', '\0', messageId]).slice(0, 32),
    project: attributes.project,
    dialect: attributes.dialect || 'unknown',
    batch_id: attributes.batch_id || messageId,
    request_hash: hash([data]),
    method: 'PUBLISH',
    path: message.subscription,
    headers: JSON.stringify(Object.fromEntries(headers)),
    unit: 'request',
    ...body(data),
    received_at: isPlausible(publishedAt, nowMs) ? publishedAt : nowMs * 1_000,
    reason: 'undecodable_message',
    detail: detail.slice(0, 1_000).toWellFormed(),
  });
}

const buffer = createRowBuffer();

function encode(row: QuarantineRow): Buffer {
  buffer.reset();
  encodeRow(buffer, quarantine, { ...row });
  return Buffer.from(buffer.bytes(0, buffer.length));
}

function body(bytes: Uint8Array): Pick<QuarantineRow, 'body' | 'body_bytes' | 'body_sha256' | 'replayable'> {
  const isWhole = bytes.length <= maxBodyBytes;
  return {
    body: isWhole ? bytes : bytes.subarray(0, beginningBytes),
    body_bytes: bytes.length,
    body_sha256: isWhole ? undefined : hash([bytes]),
    replayable: isWhole,
  };
}

/** A time that a daily partition takes: quarantining must not fail on the very field that was refused. */
function isPlausible(micros: number, nowMs: number): boolean {
  const day = 86_400_000_000;
  return micros > nowMs * 1_000 - 3_640 * day && micros < nowMs * 1_000 + day;
}

/** Reads columns of an encoded row by name; each is undefined where the row does not hold it. */
function readFields(table: AppendedTable, row: Uint8Array) {
  const { columns } = table === 'quarantine' ? quarantine : eventLog;
  const numbers = new Map(columns.map(({ name }, index) => [name, index + 1]));
  const wanted = ['project', 'dialect', 'batch_id', 'request_hash', 'received_at', 'batch_index'];
  const found = readRowFields(
    row,
    wanted.flatMap((name) => numbers.get(name) ?? []),
  );
  const value = (name: string) => found.get(numbers.get(name) ?? 0);
  return {
    text(name: string): string | undefined {
      const bytes = value(name);
      return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() || undefined : undefined;
    },
    number(name: string): number | undefined {
      const number = value(name);
      return typeof number === 'number' ? number : undefined;
    },
  };
}

function hash(parts: readonly (string | Uint8Array)[]): string {
  const sha256 = createHash('sha256');
  for (const part of parts) sha256.update(part);
  return sha256.digest('hex');
}
