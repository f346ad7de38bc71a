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

/**
 * Writes a string quoted, as JSON.stringify would; writes nothing and answers false where it holds what must be escaped,
 * or a surrogate, which may be alone.
 */
export function writeQuoted(text: TextBuffer, value: string): boolean {
  const size = value.length;
  // A UTF-16 unit takes three bytes at the most.
  if (text.length + size * 3 + 2 > text.bytes.length) grow(text, size * 3 + 2);
  const to = text.bytes;
  let at = text.length;
  to[at++] = 0x22;
  for (let index = 0; index < size; index++) {
    const code = value.charCodeAt(index);
    if (code < 0x80) {
      if (code < 0x20 || code === 0x22 || code === 0x5c) return false;
      to[at++] = code;
    } else if (code < 0x800) {
      to[at++] = 0xc0 | (code >> 6);
      to[at++] = 0x80 | (code & 0x3f);
    } else {
      if (code >= 0xd800 && code <= 0xdfff) return false;
      to[at++] = 0xe0 | (code >> 12);
      to[at++] = 0x80 | ((code >> 6) & 0x3f);
      to[at++] = 0x80 | (code & 0x3f);
    }
  }
  to[at++] = 0x22;
  text.length = at;
  return true;
}

/** Writes what is known to be ASCII. */
export function writeAscii(text: TextBuffer, value: string): void {
  const size = value.length;
  if (text.length + size > text.bytes.length) grow(text, size);
  const to = text.bytes;
  let at = text.length;
  for (let index = 0; index < size; index++) to[at++] = value.charCodeAt(index);
  text.length = at;
}

/** Writes a whole number of 32 bits without making its string first, which takes several times as long. */
export function writeInteger(text: TextBuffer, value: number): void {
  if (value < 0) writeByte(text, 0x2d);
  let left = Math.abs(value);
  let size = 1;
  for (let power = 10; power <= left; power *= 10) size++;
  if (text.length + size > text.bytes.length) grow(text, size);
  const to = text.bytes;
  for (let at = text.length + size - 1; at >= text.length; at--) {
    const tenth = Math.floor(left / 10);
    to[at] = 0x30 + left - tenth * 10;
    left = tenth;
  }
  text.length += size;
}

function grow(text: TextBuffer, more: number): void {
  const larger = Buffer.allocUnsafe(Math.max(text.bytes.length * 2, text.length + more));
  text.bytes.copy(larger, 0, 0, text.length);
  text.bytes = larger;
}
