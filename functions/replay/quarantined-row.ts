import { z } from 'zod';

const optionalText = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined);
const optionalNumber = z
  .number()
  .nullable()
  .transform((number) => number ?? undefined);

/** A key of a row that was picked, as `pickRows` answers it. */
export const pickedRow = z
  .object({
    quarantine_id: z.string(),
    batch_id: z.string(),
    received_micros: z.number(),
    body_bytes: z.number(),
    is_tried: z.boolean(),
    last_reason: optionalText,
    last_detail: optionalText,
  })
  .transform((row) => ({
    id: row.quarantine_id,
    batchId: row.batch_id,
    /** Microseconds since 1970. */
    receivedAt: row.received_micros,
    bodyBytes: row.body_bytes,
    /** What the last replay said that refused it. */
    last: row.is_tried ? { reason: row.last_reason, detail: row.last_detail } : undefined,
  }));

export type PickedRow = z.output<typeof pickedRow>;

/** A row of quarantine, as `readRows` answers it: all that decoding it again needs. */
export const quarantinedRow = z
  .object({
    quarantine_id: z.string(),
    project: optionalText,
    dialect: z.string(),
    batch_id: z.string(),
    request_hash: z.string(),
    method: z.string(),
    path: z.string(),
    query: optionalText,
    headers: z.string().nullable(),
    unit: z.enum(['request', 'event', 'row']),
    body: z.instanceof(Buffer).nullable(),
    place: optionalNumber,
    received_micros: z.number(),
    reason: z.string(),
    schema_version: optionalNumber,
  })
  .transform((row) => ({
    id: row.quarantine_id,
    project: row.project,
    dialect: row.dialect,
    batchId: row.batch_id,
    requestHash: row.request_hash,
    method: row.method,
    path: row.path,
    query: row.query ?? '',
    headers: headersOf(row.headers),
    unit: row.unit,
    body: row.body ?? Buffer.alloc(0),
    place: row.place ?? 0,
    /** Microseconds since 1970. */
    receivedAt: row.received_micros,
    reason: row.reason,
    schemaVersion: row.schema_version,
  }));

export type QuarantinedRow = z.output<typeof quarantinedRow>;

function headersOf(json: string | null): ReadonlyMap<string, string> {
  const headers = z.record(z.string(), z.string()).safeParse(JSON.parse(json ?? '{}'));
  return new Map(headers.success ? Object.entries(headers.data) : []);
}
