import { decodeMessage } from '../../shared/batches/decode-message.ts';
import { decodeOptionsOf } from '../../shared/batches/decode-options.ts';
import { encodeRequest, refusalOf, tooLarge, withRules } from '../../shared/batches/encode-request.ts';
import { type BatchFacts, packMessages } from '../../shared/batches/pack-messages.ts';
import { createDerivedAliases } from '../../shared/events/derive-aliases.ts';
import { createOrdinals, describeRequest, encodeEvent } from '../../shared/events/encode-event.ts';
import { type Event, eventLimits, isStateKind, type Refusal } from '../../shared/events/event.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { judgeProject, type Settings, settingsOf } from '../../shared/settings/settings.ts';
import type { EventBatch } from '../../shared/warehouse/event-batch.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { schemaVersions } from '../../shared/warehouse/schema-versions.ts';
import type { RequestHead, WireDialect } from '../../shared/wire/dialect.ts';
import type { QuarantinedRow } from './quarantined-row.ts';

/** What today's code and settings say of a row of quarantine. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly row: QuarantinedRow; readonly events: number }
  | { readonly kind: 'refused'; readonly row: QuarantinedRow; readonly refusal: Refusal };

/** Verdicts, and the messages that carry what was accepted. */
export interface JudgedBatch {
  readonly verdicts: readonly Verdict[];
  readonly messages: readonly Message[];
}

export interface JudgeOptions {
  readonly dialects: readonly WireDialect[];
  readonly settings: Settings;
  /** What a request may inflate to, in bytes, and hold, in events. */
  readonly caps: { readonly inflated: number; readonly events: number };
  readonly replayId: string;
}

/**
 * Decodes rows of one request again, as they would be had the request arrived under today's settings when it did: with
 * its own batch id, request hash and time of receiving, against which the time window is judged. No rate limit holds.
 *
 * `rows` are those that are asked for, `isAskedFor`, and every other event of the request that was kept, by place. Of
 * identical events each has its number among its like as part of its id, so all of them are counted. Those that were
 * accepted at once do not count: had an identical event been accepted, so had the one that was kept.
 */
export function judgeBatch(
  rows: readonly QuarantinedRow[],
  isAskedFor: (row: QuarantinedRow) => boolean,
  options: JudgeOptions,
): JudgedBatch {
  const events = rows.filter(({ unit }) => unit === 'event');
  const parts: JudgedBatch[] = [judgeEvents(events, isAskedFor, options)];
  for (const row of rows) {
    if (row.unit === 'event' || !isAskedFor(row)) continue;
    parts.push(orRefused(row, () => judgeWhole(row, options)));
  }
  return {
    verdicts: parts.flatMap(({ verdicts }) => verdicts),
    messages: parts.flatMap(({ messages }) => messages),
  };
}

function judgeWhole(row: QuarantinedRow, options: JudgeOptions): JudgedBatch {
  if (row.unit === 'row') return judgeRow(row, options);
  return row.method === 'PUBLISH' ? judgeMessage(row, options) : judgeRequest(row, options);
}

const buffer = createRowBuffer();

function judgeEvents(
  rows: readonly QuarantinedRow[],
  isAskedFor: (row: QuarantinedRow) => boolean,
  options: JudgeOptions,
): JudgedBatch {
  const [first] = rows;
  if (first === undefined) return { verdicts: [], messages: [] };
  buffer.reset();
  const { settings, caps } = options;
  const ordinals = createOrdinals();
  const facts = describeRequest(first.batchId, first.requestHash, first.receivedAt);
  const events: Uint8Array[] = [];
  const state: number[] = [];
  const aliases = createDerivedAliases();

  const judge = (row: QuarantinedRow): Verdict => {
    const dialect = findDialect(row, options);
    if (dialect === undefined) return refused(row, unknownDialect(row));
    const decoded = dialect.decodeElement(row.body, headOf(row), decodeOptionsOf(settings, caps));
    if (decoded.kind === 'undecodable') return refused(row, decoded.refusal);
    if (decoded.items.length === 0) throw new TypeError(`${row.dialect} decoded an event to nothing`);
    // Of an element that becomes several events all are accepted, or it stays as it is.
    const accepted: { event: Event; encoded: Uint8Array; eventId: string }[] = [];
    for (const item of decoded.items) {
      const project = item.kind === 'event' ? item.event.project : item.project;
      const verdict = project === undefined ? 'accepted' : judgeProject(settings, project, dialect.dialect);
      if (verdict !== 'accepted') return refused(row, refusalOf(verdict, dialect.dialect));
      if (item.kind === 'refused') return refused(row, item.refusal);
      const start = buffer.length;
      const rules = settingsOf(settings, item.event.project);
      const eventId = encodeEvent(buffer, item.event, row.place, facts, ordinals, rules);
      const encoded = buffer.bytes(start, buffer.length);
      if (encoded.length > eventLimits.rowBytes) return refused(row, tooLarge(encoded.length));
      accepted.push({ event: withRules(item.event, rules), encoded, eventId });
    }
    for (const { event, encoded, eventId } of isAskedFor(row) ? accepted : []) {
      if (dialect.bindsByEvent === true) aliases.add(event, eventId, row.place);
      if (isStateKind(event.kind)) state.push(events.length);
      events.push(encoded);
    }
    return { kind: 'accepted', row, events: accepted.length };
  };

  const verdicts = rows
    .map((row) => {
      try {
        return judge(row);
      } catch (error) {
        return refused(row, unexpected(error));
      }
    })
    .filter(({ row }) => isAskedFor(row));
  const batch = { events, quarantine: [], state, stateOnly: aliases.encode(buffer, facts) };
  return { verdicts, messages: packMessages(batch, factsOf(first, options)) };
}

/**
 * What is refused of a request that decodes now is kept event by event, as at ingest. Where an event cannot be cut out,
 * or all are refused, the request stays as it is.
 */
function judgeRequest(row: QuarantinedRow, options: JudgeOptions): JudgedBatch {
  const dialect = findDialect(row, options);
  if (dialect === undefined) return keep(row, unknownDialect(row));
  const request = { ...headOf(row), body: row.body };
  const { batch, refusal, isKeptWhole } = encodeRequest(
    request,
    describeRequest(row.batchId, row.requestHash, row.receivedAt),
    dialect,
    dialect.decode(request, decodeOptionsOf(options.settings, options.caps)),
    { settings: options.settings, mayKeepUnknown: () => true },
  );
  const pack = (packed: EventBatch) => packMessages(packed, factsOf(row, options));
  if (refusal !== undefined && (isKeptWhole || batch.events.length === 0)) {
    return {
      verdicts: [refused(row, refusal)],
      messages: pack({ ...batch, quarantine: [] }),
    };
  }
  return {
    verdicts: [{ kind: 'accepted', row, events: batch.events.length }],
    messages: pack(batch),
  };
}

/** A row that BigQuery refused goes to its table again as its own bytes. */
function judgeRow(row: QuarantinedRow, options: JudgeOptions): JudgedBatch {
  const { path: table, schemaVersion, body } = row;
  if (!schemaVersions.some(({ version }) => version === schemaVersion)) return keep(row, unknownVersion);
  const batch = batchOf(table, body);
  if (batch === undefined) {
    return keep(row, {
      reason: 'unknown_table',
      field: undefined,
      detail: 'no rows travel to the table that the row was for',
    });
  }
  const facts = factsOf(row, options);
  return {
    verdicts: [{ kind: 'accepted', row, events: batch.events.length + batch.stateOnly.length }],
    messages: packMessages(batch, schemaVersion === undefined ? facts : { ...facts, schemaVersion }),
  };
}

function batchOf(table: string, body: Buffer): EventBatch | undefined {
  const none: EventBatch = { events: [], quarantine: [], state: [], stateOnly: [] };
  if (table === 'event_log') return { ...none, events: [body] };
  if (table === 'state_log') return { ...none, stateOnly: [body] };
  if (table === 'quarantine') return { ...none, quarantine: [body] };
  return undefined;
}

/** A message that load could not decode, and now can, is published again as it came. */
function judgeMessage(row: QuarantinedRow, { replayId }: JudgeOptions): JudgedBatch {
  const message = { data: row.body, attributes: Object.fromEntries(row.headers) };
  const decoded = decodeMessage(message);
  if (decoded.kind === 'newer_schema_version') return keep(row, unknownVersion);
  if (decoded.kind === 'undecodable') {
    const { detail } = decoded;
    return keep(row, { reason: 'undecodable_message', field: undefined, detail });
  }
  return {
    verdicts: [{ kind: 'accepted', row, events: decoded.batch.events.length }],
    messages: [{ ...message, attributes: { ...message.attributes, replay_id: replayId } }],
  };
}

const headOf = ({ method, path, query, headers, receivedAt, project }: QuarantinedRow): RequestHead => ({
  method,
  path,
  query,
  header: (name) => headers.get(name),
  receivedAt,
  project,
});

const findDialect = ({ dialect }: QuarantinedRow, { dialects }: JudgeOptions): WireDialect | undefined =>
  dialects.find((one) => one.dialect === dialect);

const factsOf = ({ batchId, dialect, project }: QuarantinedRow, { replayId }: JudgeOptions): BatchFacts => ({
  batchId,
  dialect,
  project,
  replayId,
});

const refused = (row: QuarantinedRow, refusal: Refusal): Verdict => ({ kind: 'refused', row, refusal });
const keep = (row: QuarantinedRow, refusal: Refusal): JudgedBatch => ({
  verdicts: [refused(row, refusal)],
  messages: [],
});

/** One row that the code stumbles over must not stand before all others. */
function orRefused(row: QuarantinedRow, judge: () => JudgedBatch): JudgedBatch {
  try {
    return judge();
  } catch (error) {
    return keep(row, unexpected(error));
  }
}

/** Without the message of the error, which may quote what was sent. */
const unexpected = (error: unknown): Refusal => ({
  reason: 'replay_failed',
  field: undefined,
  detail: `decoding it failed with a ${error instanceof Error ? error.name : typeof error}`,
});

const unknownDialect = ({ dialect }: QuarantinedRow): Refusal => ({
  reason: 'unknown_dialect',
  field: undefined,
  detail: `this deployment does not understand the dialect ${dialect}`,
});

const unknownVersion: Refusal = {
  reason: 'unknown_schema_version',
  field: undefined,
  detail: 'this deployment does not know the schema version that it was encoded with',
};
