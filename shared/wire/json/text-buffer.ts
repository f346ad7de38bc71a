/** UTF-8 text that grows: written for the hot path, so it is plain data and functions over it. */
export interface TextBuffer {
  bytes: Buffer;
  length: number;
}

/** A buffer of its own for each request: what was written stays valid for as long as somebody holds it. */
export const createTextBuffer = (expectedBytes: number): TextBuffer => ({
  bytes: Buffer.allocUnsafe(Math.max(256, expectedBytes)),
  length: 0,
});

/** What was written from a place on: a view, which a larger buffer does not move. */
export const textFrom = (text: TextBuffer, start: number): Uint8Array =>
  text.bytes.subarray(start, text.length);

export function writeByte(text: TextBuffer, byte: number): void {
  if (text.length === text.bytes.length) grow(text, 1);
  text.bytes[text.length++] = byte;
}

export function writeBytes(text: TextBuffer, bytes: Uint8Array): void {
  const size = bytes.length;
  if (text.length + size > text.bytes.length) grow(text, size);
  const to = text.bytes;
  let at = text.length;
  for (let index = 0; index < size; index++) to[at++] = bytes[index] as number;
  text.length = at;
}

export function writeText(text: TextBuffer, value: string): void {
  // A UTF-16 unit takes three bytes at the most.
  if (text.length + value.length * 3 > text.bytes.length) grow(text, value.length * 3);
  text.length += text.bytes.write(value, text.length, 'utf8');
}

/** Writes a string of printable ASCII without quotes or backslashes, quoted; writes nothing and answers false otherwise. */
export function writeQuotedAscii(text: TextBuffer, value: string): boolean {
  const size = value.length;
  if (text.length + size + 2 > text.bytes.length) grow(text, size + 2);
  const to = text.bytes;
  let at = text.length;
  to[at++] = 0x22;
  for (let index = 0; index < size; index++) {
    const code = value.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
    to[at++] = code;
  }
  to[at++] = 0x22;
  text.length = at;
  return true;
}

/** Writes what is known to be ASCII, such as a number. */
export function writeAscii(text: TextBuffer, value: string): void {
  const size = value.length;
  if (text.length + size > text.bytes.length) grow(text, size);
  const to = text.bytes;
  let at = text.length;
  for (let index = 0; index < size; index++) to[at++] = value.charCodeAt(index);
  text.length = at;
}

function grow(text: TextBuffer, more: number): void {
  const larger = Buffer.allocUnsafe(Math.max(text.bytes.length * 2, text.length + more));
  text.bytes.copy(larger, 0, 0, text.length);
  text.bytes = larger;
}
