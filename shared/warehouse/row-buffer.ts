/**
 * A growing buffer that protocol buffer fields are written into.
 *
 * Written for the hot path: one instance is reused for all requests, so `bytes` is a view that
 * the next `reset` makes invalid.
 */
export interface RowBuffer {
  readonly length: number;
  reset(): void;
  /** A view, not a copy, of what lies between two places. */
  bytes(start: number, end: number): Buffer;
  string(field: number, value: string): void;
  /** Fields that are encoded already. */
  raw(bytes: Uint8Array): void;
  blob(field: number, value: Uint8Array): void;
  /** An int64 within the safe integers. */
  integer(field: number, value: number): void;
  bool(field: number, value: boolean): void;
  double(field: number, value: number): void;
}

export function createRowBuffer(initialBytes = 64 * 1024): RowBuffer {
  let buffer = Buffer.allocUnsafe(initialBytes);
  let length = 0;

  function ensure(more: number): void {
    if (length + more <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + more));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  }

  function varint(value: number): void {
    let rest = value;
    // Bit operations are 32 bits wide; timestamps in microseconds need 51.
    while (rest > 0x7fffffff) {
      buffer[length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      buffer[length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[length++] = rest;
  }

  /** Two's complement over 64 bits, as protocol buffers encode a negative int64. */
  function negativeVarint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      buffer[length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    buffer[length++] = Number(rest);
  }

  function string(field: number, value: string): void {
    const size = value.length;
    // An UTF-16 unit takes three bytes at the most; tag and length take less than twelve.
    ensure(12 + size * 3);
    const start = length;
    varint((field << 3) | 2);
    const out = buffer;
    let at = length;
    // Up to about here a loop is faster than a call into Node.
    if (size < shortString) {
      out[at++] = size;
      let index = 0;
      for (; index < size; index++) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        out[at++] = code;
      }
      if (index === size) {
        length = at;
        return;
      }
      length = start;
      varint((field << 3) | 2);
    }
    writeText(value);
  }

  /** Length and bytes of a text: written where they lie if it is ASCII, and moved where it is not. */
  function writeText(value: string): void {
    const guess = varintBytes(value.length);
    const written = buffer.write(value, length + guess, 'utf8');
    const needed = varintBytes(written);
    if (needed !== guess) buffer.copyWithin(length + needed, length + guess, length + guess + written);
    varint(written);
    length += written;
  }

  return {
    get length() {
      return length;
    },
    reset() {
      length = 0;
      // One giant request must not keep its memory for ever.
      if (buffer.length > 4 * 1024 * 1024) buffer = Buffer.allocUnsafe(initialBytes);
    },
    bytes: (start, end) => buffer.subarray(start, end),
    string,
    raw(bytes) {
      ensure(bytes.length);
      buffer.set(bytes, length);
      length += bytes.length;
    },
    blob(field, value) {
      ensure(12 + value.length);
      varint((field << 3) | 2);
      varint(value.length);
      buffer.set(value, length);
      length += value.length;
    },
    integer(field, value) {
      ensure(16);
      varint(field << 3);
      if (value < 0) negativeVarint(value);
      else varint(value);
    },
    bool(field, value) {
      ensure(4);
      varint(field << 3);
      buffer[length++] = value ? 1 : 0;
    },
    double(field, value) {
      ensure(20);
      varint((field << 3) | 1);
      length = buffer.writeDoubleLE(value, length);
    },
  };
}

const varintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;

const shortString = 12;
