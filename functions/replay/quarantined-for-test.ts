import { encodeRequest } from '../../shared/batches/encode-request.ts';
import { describeRequest } from '../../shared/events/encode-event.ts';
import { type Settings, settingsSchema } from '../../shared/settings/settings.ts';
import type { EventBatch } from '../../shared/warehouse/event-batch.ts';
import { readRow } from '../../shared/warehouse/read-row-for-test.ts';
import { analysys } from '../../shared/wire/analysys/decode.ts';
import { type QuarantinedRow, quarantinedRow } from './quarantined-row.ts';

export const settingsOf = (settings: object): Settings => settingsSchema.parse(settings);

export const accepting = settingsOf({});
/** Names a project, and so nobody else. */
export const refusing = settingsOf({ projects: { nobody: {} } });

export interface Received {
  readonly batchId: string;
  readonly requestHash: string;
  /** Microseconds since 1970. */
  readonly receivedAt: number;
}

export const received: Received = {
  batchId: '0123456789abcdef0123456789abcdef',
  requestHash: 'f'.repeat(64),
  receivedAt: 1_790_000_000_000_000,
};

/** What ingest makes of an Analysys request under these settings; the rows are copies. */
export function ingest(
  body: string | Buffer,
  settings: Settings,
  { batchId, requestHash, receivedAt }: Received = received,
): EventBatch {
  const headers = new Map([['content-type', 'application/json']]);
  const request = {
    method: 'POST',
    path: '/up',
    query: '',
    header: (name: string) => headers.get(name),
    body: Buffer.from(body),
    receivedAt,
  };
  const decoded = analysys.decode(request, {
    window: settings.timeWindow,
    inflatedBytes: 20_000_000,
    eventsPerRequest: 10_000,
  });
  const facts = describeRequest(batchId, requestHash, receivedAt);
  const options = { settings, mayKeepUnknown: () => true };
  const { batch } = encodeRequest(request, facts, analysys, decoded, options);
  const copy = (rows: readonly Uint8Array[]) => rows.map((row) => Buffer.from(row));
  return {
    events: copy(batch.events),
    quarantine: copy(batch.quarantine),
    state: batch.state,
    stateOnly: copy(batch.stateOnly),
  };
}

/** An encoded row of quarantine as a query answers it. */
export function toQuarantined(encoded: Uint8Array): QuarantinedRow {
  const row = readRow('QuarantineRow', encoded);
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : null);
  const number = (name: string) => (row[name] === undefined ? null : Number(row[name]));
  return quarantinedRow.parse({
    ...row,
    project: text('project'),
    query: text('query'),
    headers: text('headers'),
    body: Buffer.from(String(row.body), 'base64'),
    place: number('place'),
    received_micros: Number(row.received_at),
    schema_version: number('schema_version'),
  });
}

/** An Analysys event; `xwhen` a second before it was received. */
export const event = (given: object = {}): object => ({
  appid: 'shop',
  xwho: 'visitor-1',
  xwhat: 'view_item',
  xwhen: received.receivedAt / 1_000 - 1_000,
  xcontext: { item: 'shoes-42' },
  ...given,
});
