import { hash } from 'node:crypto';
import type { RequestFacts } from '../events/encode-event.ts';
import type { Dialect, Refusal } from '../events/event.ts';
import { encodeRow } from '../warehouse/encode-row.ts';
import type { QuarantineRow } from '../warehouse/generated/row-types.ts';
import type { RowBuffer } from '../warehouse/row-buffer.ts';
import { quarantine } from '../warehouse/tables/index.ts';
import type { WireRequest } from '../wire/dialect.ts';

/** What is kept: a whole request, the beginning of one that was too large, or one event of it. */
export type Kept =
  | { readonly unit: 'request'; readonly body: Uint8Array }
  /** `place`: of the event that was too large; undefined where the whole request was. */
  | {
      readonly unit: 'beginning';
      readonly place?: number;
      readonly body: Uint8Array;
      readonly bytes: number;
      readonly sha256: string;
    }
  | { readonly unit: 'event'; readonly body: Uint8Array; readonly place: number; readonly ordinal: number };

/** Appends a row of quarantine to `buffer`, with all that a replay needs to decode it again. */
export function encodeQuarantined(
  buffer: RowBuffer,
  request: WireRequest,
  facts: RequestFacts,
  dialect: Dialect,
  project: string | undefined,
  refusal: Refusal,
  kept: Kept,
): void {
  const place = kept.unit === 'request' ? undefined : kept.place;
  const row: QuarantineRow = {
    quarantine_id: hash('sha256', `${facts.batchId}:${place ?? 'request'}`, 'hex').slice(0, 32),
    project: project?.toWellFormed(),
    dialect,
    batch_id: facts.batchId,
    request_hash: facts.requestHash,
    method: request.method,
    path: request.path,
    query: request.query === '' ? undefined : request.query,
    headers: keepHeaders(request),
    unit: place === undefined ? 'request' : 'event',
    body: kept.body,
    body_bytes: kept.unit === 'beginning' ? kept.bytes : kept.body.length,
    body_sha256: kept.unit === 'beginning' ? kept.sha256 : undefined,
    place,
    ordinal: kept.unit === 'event' ? kept.ordinal : undefined,
    received_at: facts.receivedAt,
    reason: refusal.reason,
    field: refusal.field,
    detail: refusal.detail.toWellFormed(),
    replayable: kept.unit !== 'beginning',
  };
  encodeRow(buffer, quarantine, { ...row });
}

/** What decoding may need, and what tells the sender; never Authorization or Cookie. */
const keptHeaders = [
  'content-type',
  'content-encoding',
  'user-agent',
  'x-compress-codec',
  'x-crypt-codec',
  'x-timestamp',
  'spv',
  'reqt',
  'reqv',
];

function keepHeaders(request: WireRequest): string {
  const entries = keptHeaders.flatMap((name) => {
    const value = request.header(name);
    return value === undefined ? [] : [[name, value.slice(0, 1024).toWellFormed()]];
  });
  return JSON.stringify(Object.fromEntries(entries));
}
