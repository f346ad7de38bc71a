import { constants, zstdCompressSync } from 'node:zlib';
import type { Message } from '../google/pubsub-publisher.ts';
import { type EventBatch, encodeEventBatch, rowFrameBytes } from '../warehouse/event-batch.ts';
import { currentSchemaVersion } from '../warehouse/schema-versions.ts';

/** What the attributes of a message say of the request it came from. */
export interface BatchFacts {
  readonly batchId: string;
  readonly dialect: string;
  readonly project: string | undefined;
  /** The replay that sends it; undefined for the request itself. */
  readonly replayId?: string;
  /** Of rows that were encoded before; the current one where they are just encoded. */
  readonly schemaVersion?: number;
}

/** Bytes of a message before compression. One request is one message unless it is larger. */
const messageBytes = 1_000_000;

/** At most, of a place in `state`, and of what stands before them. */
const placeBytes = 6;

/** The messages that carry a batch: one, unless the request was larger than a message may be; none for no rows. */
export function packMessages(batch: EventBatch, facts: BatchFacts): Message[] {
  if (batch.events.length + batch.quarantine.length + batch.stateOnly.length === 0) return [];
  const parts = fitsOneMessage(batch) ? [batch] : splitBatch(batch, messageBytes);
  return parts.map((part) => ({
    data: compress(encodeEventBatch(part)),
    attributes: attributesOf(part, facts),
  }));
}

function fitsOneMessage(batch: EventBatch): boolean {
  let bytes = placeBytes * (batch.state.length + 1);
  for (const row of batch.events) bytes += rowFrameBytes(row);
  for (const row of batch.quarantine) bytes += rowFrameBytes(row);
  for (const row of batch.stateOnly) bytes += rowFrameBytes(row);
  return bytes <= messageBytes;
}

/** Splits a batch where a message would grow over `limit`; a row that is larger goes alone. */
export function splitBatch(batch: EventBatch, limit: number): EventBatch[] {
  const state = new Set(batch.state);
  const parts: { [Field in keyof EventBatch]: EventBatch[Field][number][] }[] = [];
  let room = -1;
  const partFor = (row: Uint8Array, extra: number) => {
    const size = rowFrameBytes(row) + extra;
    if (room < size) {
      parts.push({ events: [], quarantine: [], state: [], stateOnly: [] });
      room = limit - placeBytes;
    }
    room -= size;
    return parts[parts.length - 1]!;
  };
  batch.events.forEach((row, place) => {
    const part = partFor(row, state.has(place) ? placeBytes : 0);
    if (state.has(place)) part.state.push(part.events.length);
    part.events.push(row);
  });
  for (const row of batch.quarantine) partFor(row, 0).quarantine.push(row);
  for (const row of batch.stateOnly) partFor(row, 0).stateOnly.push(row);
  return parts;
}

// Level 1 takes the size to a sixth; the levels above cost more CPU than their bytes are worth. A message is then one
// chunk, and no larger than it need be: it is all in memory until Pub/Sub has acknowledged.
function compress(bytes: Buffer): Buffer {
  const options = {
    params: bytes.length <= ordinaryBytes ? forOrdinary : forLarge,
    chunkSize: Math.max(1024, bytes.length >> 2),
    // The size is written into the frame, so that load makes room for it at once.
    pledgedSrcSize: bytes.length,
  };
  return zstdCompressSync(bytes, options);
}

const ordinaryBytes = 32 * 1024;
const forLarge = { [constants.ZSTD_c_compressionLevel]: 1 };
// The tables of zstd are cleared for each message, so they are no larger than an ordinary one has use for.
const forOrdinary = { ...forLarge, [constants.ZSTD_c_windowLog]: 15, [constants.ZSTD_c_hashLog]: 12 };

const attributesOf = (batch: EventBatch, facts: BatchFacts): Record<string, string> => ({
  batch_id: facts.batchId,
  dialect: facts.dialect,
  // An attribute's value may have 1,024 bytes, and has to be UTF-8: the cut may go through a character.
  project: (facts.project ?? '').slice(0, 255).toWellFormed(),
  count: String(batch.events.length),
  encoding: 'zstd',
  schema_version: String(facts.schemaVersion ?? currentSchemaVersion),
  ...(facts.replayId !== undefined && { replay_id: facts.replayId }),
});
