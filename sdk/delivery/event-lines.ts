import type { EventLines } from './route.ts';

/** Lines that more are added to. */
export interface LineBuffer extends EventLines {
  readonly bytes: Buffer;
  /** Where the lines end in `memory`. */
  readonly end: number;
  readonly memory: Buffer;
  /** Adds an event; the bytes of its line. */
  add(json: string): number;
  /** Takes back the last line, of so many bytes. */
  takeBack(bytes: number): void;
}

/** `memory` is used as long as it suffices, and is the buffer's own from then on. */
export function createLineBuffer(memory: Buffer = Buffer.allocUnsafeSlow(16_384)): LineBuffer {
  const lines = {
    count: 0,
    end: 0,
    memory,
    get bytes() {
      return lines.memory.subarray(0, lines.end);
    },
    add: (json: string) => {
      const start = lines.end;
      const most = start + json.length * bytesPerUnit + 1;
      if (most > lines.memory.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(most, 2 * lines.memory.length));
        lines.memory.copy(larger, 0, 0, start);
        lines.memory = larger;
      }
      lines.end += lines.memory.write(json, start);
      lines.memory[lines.end++] = lineFeed;
      lines.count++;
      return lines.end - start;
    },
    takeBack: (bytes: number) => {
      lines.end -= bytes;
      lines.count--;
    },
  };
  return lines;
}

export const toLines = (events: readonly string[]): EventLines => {
  const lines = createLineBuffer(Buffer.alloc(0));
  events.forEach(lines.add);
  return lines;
};

/** The JSON of all of them, at least one, as a list: bytes, since so long a text is collected late. */
export function writeList({ bytes }: EventLines): Buffer {
  const list = Buffer.concat([opening, bytes]);
  for (let at = list.indexOf(lineFeed); at > 0; at = list.indexOf(lineFeed, at)) list[at] = comma;
  list[list.length - 1] = closing;
  return list;
}

/** The JSON of each. */
export function readEvents(lines: EventLines): string[] {
  // All are made here; their type is that of declarations, which know nothing of Node's.
  const bytes = lines.bytes as Buffer;
  const events: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(lineFeed, start);
    events.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return events;
}

/** Of memory kept for the batches to come: as many as there are requests at once, at most, and one that fills. */
export const mostSpare = 7;

/** UTF-8 takes 3 bytes at most for a UTF-16 unit. */
const bytesPerUnit = 3;
const lineFeed = 10;
const comma = 44;
const opening = Uint8Array.of(91);
const closing = 93;
