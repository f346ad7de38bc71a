/**
 * The body of a message on the topic `events`, before compression: infra/event-batch.proto.
 *
 * Rows are opaque here: ingest encodes each once, load appends the same bytes.
 */
export interface EventBatch {
  readonly events: readonly Uint8Array[];
  readonly quarantine: readonly Uint8Array[];
  /** Places in `events` of the rows that are also for state_log. */
  readonly state: readonly number[];
  /** Rows of state_log alone: the aliases that events with two ids imply. */
  readonly stateOnly: readonly Uint8Array[];
}

const eventsTag = (1 << 3) | 2;
const quarantineTag = (2 << 3) | 2;
const stateTag = (3 << 3) | 2;
const stateOnlyTag = (4 << 3) | 2;

/** The length in bytes that a row adds to a batch. */
export const rowFrameBytes = (row: Uint8Array): number => row.length + 1 + varintBytes(row.length);

export function encodeEventBatch(batch: EventBatch): Buffer {
  let stateBytes = 0;
  for (const place of batch.state) stateBytes += varintBytes(place);
  let size = batch.state.length === 0 ? 0 : 1 + varintBytes(stateBytes) + stateBytes;
  for (const row of batch.events) size += rowFrameBytes(row);
  for (const row of batch.quarantine) size += rowFrameBytes(row);
  for (const row of batch.stateOnly) size += rowFrameBytes(row);

  const out = Buffer.allocUnsafe(size);
  let at = 0;
  const frame = (tag: number, row: Uint8Array) => {
    out[at++] = tag;
    at = writeVarint(out, at, row.length);
    out.set(row, at);
    at += row.length;
  };
  for (const row of batch.events) frame(eventsTag, row);
  for (const row of batch.quarantine) frame(quarantineTag, row);
  if (batch.state.length > 0) {
    out[at++] = stateTag;
    at = writeVarint(out, at, stateBytes);
    for (const place of batch.state) at = writeVarint(out, at, place);
  }
  for (const row of batch.stateOnly) frame(stateOnlyTag, row);
  return out;
}

/**
 * Slices the rows out of a batch; they are views of `bytes`, not copies.
 * Throws a RangeError where the bytes are not a batch. Fields of a later version are skipped.
 */
export function decodeEventBatch(bytes: Uint8Array): EventBatch {
  const events: Uint8Array[] = [];
  const quarantine: Uint8Array[] = [];
  const stateOnly: Uint8Array[] = [];
  const rows = new Map([
    [eventsTag, events],
    [quarantineTag, quarantine],
    [stateOnlyTag, stateOnly],
  ]);
  const state: number[] = [];
  let at = 0;

  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('event batch ends within a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError('event batch holds a number of more than 64 bits');
  };
  const skip = (count: number): number => {
    const start = at;
    if (count > bytes.length - at) throw new RangeError('event batch ends within a field');
    at += count;
    return start;
  };

  while (at < bytes.length) {
    const tag = varint();
    const rowsOfTag = rows.get(tag);
    if (rowsOfTag !== undefined) {
      const size = varint();
      const start = skip(size);
      rowsOfTag.push(bytes.subarray(start, start + size));
    } else if (tag === stateTag) {
      const size = varint();
      if (size > bytes.length - at) throw new RangeError('event batch ends within a field');
      for (const end = at + size; at < end; ) state.push(varint());
    } else {
      const wireType = tag & 7;
      if (wireType === 0) varint();
      else if (wireType === 1) skip(8);
      else if (wireType === 2) skip(varint());
      else if (wireType === 5) skip(4);
      else throw new RangeError(`event batch holds an unknown wire type ${wireType}`);
    }
  }
  for (const place of state) {
    if (place >= events.length) throw new RangeError(`state names event ${place} of ${events.length}`);
  }
  return { events, quarantine, state, stateOnly };
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}
