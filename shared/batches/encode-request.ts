import { hash } from 'node:crypto';
import { createDerivedAliases } from '../events/derive-aliases.ts';
import { createOrdinals, encodeEvent, type RequestFacts, type RowRules } from '../events/encode-event.ts';
import { type Event, eventLimits, isStateKind, type Refusal } from '../events/event.ts';
import { judgeProject, type Settings, settingsOf } from '../settings/settings.ts';
import type { EventBatch } from '../warehouse/event-batch.ts';
import { createRowBuffer } from '../warehouse/row-buffer.ts';
import type { Decoded, EventVerdict, Verdict, WireDialect, WireRequest } from '../wire/dialect.ts';
import { encodeQuarantined, type Kept } from './encode-quarantined.ts';

/** What a request became: rows for the warehouse, and the project that most likely sent it. */
export interface EncodedRequest {
  readonly batch: EventBatch;
  readonly project: string | undefined;
  /** Events whose id came earlier in the request, those in quarantine, and those of unknown projects that are not kept. */
  readonly duplicate: number;
  readonly quarantined: number;
  readonly dropped: number;
  /** Of what was refused, the first. */
  readonly refusal: Refusal | undefined;
  /** Whether a row of quarantine holds the whole request. */
  readonly isKeptWhole: boolean;
  /** In the order of the request; empty where they are not wanted. */
  readonly verdicts: readonly EventVerdict[];
}

export interface EncodeRequestOptions {
  readonly settings: Settings;
  /** Whether one more row of an unknown project may be kept today. */
  readonly mayKeepUnknown: () => boolean;
  /** Whether anybody asks for a verdict on each event. */
  readonly wantsVerdicts?: boolean;
  /** Projects that send more than they may; their events are kept in quarantine. */
  readonly overLimit?: { has(project: string): boolean } | undefined;
}

// Requests are encoded one at a time, without a pause between, so one buffer serves all.
const buffer = createRowBuffer();

/**
 * Encodes every event as its row and everything refused as a row of quarantine. The rows are views
 * of a buffer that the next call overwrites.
 */
export function encodeRequest(
  request: WireRequest,
  facts: RequestFacts,
  dialect: WireDialect,
  decoded: Decoded,
  { settings, mayKeepUnknown, wantsVerdicts = false, overLimit }: EncodeRequestOptions,
): EncodedRequest {
  buffer.reset();
  const events: Uint8Array[] = [];
  const quarantine: Uint8Array[] = [];
  const state: number[] = [];
  const ordinals = createOrdinals();
  const aliases = dialect.bindsByEvent === true ? createDerivedAliases() : undefined;
  const verdicts: EventVerdict[] = [];
  let messageIds: Set<string> | undefined;
  let isKeptWhole = false;
  let firstRefusal: Refusal | undefined;
  let duplicate = 0;
  let quarantined = 0;
  let dropped = 0;

  const keep = (project: string | undefined, refusal: Refusal, kept: Kept) => {
    firstRefusal ??= refusal;
    const start = buffer.length;
    encodeQuarantined(buffer, request, facts, dialect.dialect, project, refusal, kept);
    quarantine.push(buffer.bytes(start, buffer.length));
  };
  const indexOf = (place: number): number =>
    decoded.kind === 'items' ? (decoded.elementOf?.(place) ?? place) : place;
  const tell = (place: number | undefined, verdict: Verdict) => {
    if (wantsVerdicts) verdicts.push({ index: place === undefined ? undefined : indexOf(place), ...verdict });
  };
  const keepElement = (place: number, project: string | undefined, refusal: Refusal) => {
    quarantined++;
    tell(place, { verdict: 'quarantined', refusal });
    const body = decoded.kind === 'items' ? decoded.text(place) : undefined;
    if (body !== undefined) {
      const bytes = Buffer.from(body);
      const isWhole = bytes.length <= largestKept;
      keep(
        project,
        refusal,
        isWhole
          ? { unit: 'event', body: bytes, place, ordinal: ordinals.next(body) }
          : beginningOf(bytes, place),
      );
    } else if (!isKeptWhole) {
      // An element that cannot be cut out is kept with its whole request, once.
      isKeptWhole = true;
      keep(project, refusal, { unit: 'request', body: request.body });
    }
  };

  if (decoded.kind === 'undecodable') {
    const { project, refusal } = decoded;
    const judged = project === undefined ? 'accepted' : judgeProject(settings, project, dialect.dialect);
    if (judged !== 'unknown_project' || mayKeepUnknown()) {
      quarantined++;
      keep(project, refusal, { unit: 'request', body: request.body });
      tell(undefined, { verdict: 'quarantined', refusal });
    } else {
      dropped++;
      tell(undefined, { verdict: 'dropped', refusal: droppedRefusal });
    }
    const batch = { events, quarantine, state, stateOnly: [] };
    return { batch, project, duplicate, quarantined, dropped, refusal, isKeptWhole: true, verdicts };
  }

  let firstProject: string | undefined;
  decoded.items.forEach((item, place) => {
    const project = item.kind === 'event' ? item.event.project : item.project;
    firstProject ??= project;
    const verdict = project === undefined ? 'accepted' : judgeProject(settings, project, dialect.dialect);
    if (verdict !== 'accepted') {
      if (verdict === 'unknown_project' && !mayKeepUnknown()) {
        dropped++;
        tell(place, { verdict: 'dropped', refusal: droppedRefusal });
      } else keepElement(place, project, refusalOf(verdict, dialect.dialect));
      return;
    }
    if (item.kind === 'refused') {
      keepElement(place, project, item.refusal);
      return;
    }
    if (overLimit?.has(item.event.project)) {
      keepElement(place, project, rateLimited);
      return;
    }
    const start = buffer.length;
    const rules = settingsOf(settings, item.event.project);
    const eventId = encodeEvent(buffer, item.event, place, facts, ordinals, rules);
    const row = buffer.bytes(start, buffer.length);
    if (row.length > eventLimits.rowBytes) {
      const refusal = tooLarge(row.length);
      quarantined++;
      tell(place, { verdict: 'quarantined', refusal });
      keep(project, refusal, beginningOf(Buffer.from(decoded.text(place) ?? ''), place));
      return;
    }
    // Only the sender's own ids can come twice: of others each has an ordinal.
    if (item.event.messageId !== undefined) {
      messageIds ??= new Set();
      if (messageIds.has(eventId)) {
        duplicate++;
        tell(place, { verdict: 'duplicate', eventId });
        return;
      }
      messageIds.add(eventId);
    }
    if (wantsVerdicts) {
      const { warnings } = item.event;
      verdicts.push({ index: indexOf(place), verdict: 'accepted', eventId, warnings });
    }
    aliases?.add(withRules(item.event, rules), eventId, place);
    if (isStateKind(item.event.kind)) state.push(events.length);
    events.push(row);
  });
  return {
    batch: { events, quarantine, state, stateOnly: aliases?.encode(buffer, facts) ?? [] },
    project: firstProject,
    duplicate,
    quarantined,
    dropped,
    refusal: firstRefusal,
    isKeptWhole,
    verdicts,
  };
}

/** Bytes of a refused event that are kept whole: what one message and one append carry, with room to spare. */
const largestKept = 5_000_000;

const beginningOf = (body: Buffer, place: number): Kept => ({
  unit: 'beginning',
  place,
  body: body.subarray(0, 64 * 1024),
  bytes: body.length,
  sha256: hash('sha256', body, 'hex'),
});

/** Why the settings refuse an event. */
export const refusalOf = (verdict: 'unknown_project' | 'dialect_not_allowed', dialect: string): Refusal => ({
  reason: verdict,
  field: 'project',
  detail:
    verdict === 'unknown_project'
      ? 'the project is not in the settings; add it there and replay'
      : `the settings do not allow the project the dialect ${dialect}; allow it and replay`,
});

const droppedRefusal: Refusal = {
  reason: 'unknown_project',
  field: 'project',
  detail:
    'the project is not in the settings, and no more of unknown projects is kept today: add it there and send again',
};

const rateLimited: Refusal = {
  reason: 'rate_limited',
  field: 'project',
  detail:
    'the project sent more than its rateLimit in the settings allows; a replay brings it in whatever the limit',
};

/** An event as its row will have it. */
export const withRules = (event: Event, { debug = event.debug }: RowRules): Event =>
  debug === event.debug ? event : { ...event, debug };

/** Why an event of so many bytes as a row is refused. */
export const tooLarge = (bytes: number): Refusal => ({
  reason: 'event_too_large',
  field: undefined,
  detail: `the event has ${bytes} bytes as a row; at most ${eventLimits.rowBytes} are accepted`,
});

/** A request over the cap: its beginning goes to quarantine, with length and hash, not replayable. */
export function encodeTooLarge(
  request: WireRequest,
  facts: RequestFacts,
  dialect: WireDialect,
  read: { beginning: Uint8Array; bytes: number; sha256: string },
  cap: number,
): EncodedRequest {
  const refusal: Refusal = {
    reason: 'body_too_large',
    field: undefined,
    detail: `the body has at least ${read.bytes} bytes; at most ${cap} are accepted`,
  };
  const { beginning: body, bytes, sha256 } = read;
  return encodeUnread(request, facts, dialect, refusal, { unit: 'beginning', body, bytes, sha256 });
}

/** A request that comes before there are settings: kept whole, for a replay. */
export function encodeUnsettled(
  request: WireRequest,
  facts: RequestFacts,
  dialect: WireDialect,
): EncodedRequest {
  const refusal: Refusal = {
    reason: 'settings_unavailable',
    field: undefined,
    detail: 'the settings could not be read; replay once they can',
  };
  return encodeUnread(request, facts, dialect, refusal, { unit: 'request', body: request.body });
}

function encodeUnread(
  request: WireRequest,
  facts: RequestFacts,
  { dialect }: WireDialect,
  refusal: Refusal,
  kept: Kept,
): EncodedRequest {
  buffer.reset();
  encodeQuarantined(buffer, request, facts, dialect, undefined, refusal, kept);
  return {
    batch: { events: [], quarantine: [buffer.bytes(0, buffer.length)], state: [], stateOnly: [] },
    project: undefined,
    duplicate: 0,
    quarantined: 1,
    dropped: 0,
    refusal,
    isKeptWhole: kept.unit === 'request',
    verdicts: [{ index: undefined, verdict: 'quarantined', refusal }],
  };
}
