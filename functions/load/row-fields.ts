/**
 * Reads single fields out of an encoded row by their numbers: length-delimited fields as bytes, varints as numbers.
 *
 * For rows that were refused, so it takes what it can: a row that breaks off gives the fields before the break, a
 * number above the safe integers is left out, and of a repeated field the last value counts.
 */
export function readRowFields(row: Uint8Array, wanted: readonly number[]): Map<number, Uint8Array | number> {
  const found = new Map<number, Uint8Array | number>();
  let at = 0;

  const varint = (): number => {
    let value = 0;
    for (let scale = 1, count = 0; count < 10; count++, scale *= 128) {
      const byte = row[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };

  while (at < row.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) {
      const value = varint();
      if (Number.isSafeInteger(value) && wanted.includes(field)) found.set(field, value);
      if (Number.isNaN(value)) break;
    } else {
      const size = wireType === 2 ? varint() : wireType === 1 ? 8 : wireType === 5 ? 4 : Number.NaN;
      if (!(size <= row.length - at)) break;
      if (wireType === 2 && wanted.includes(field)) found.set(field, row.subarray(at, at + size));
      at += size;
    }
  }
  return found;
}
