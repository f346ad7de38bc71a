/** How LZString writes its bits: eight a byte, fifteen a character from the space on, or six a letter of its alphabet. */
export type LzForm = 'bytes' | 'utf16' | 'uri';

export type DecodedLzString =
  | { readonly kind: 'text'; readonly text: Buffer }
  | { readonly kind: 'broken' | 'too_large' };

/**
 * Text that LZString (pieroxy.net/blog/pages/lz-string) compressed, as UTF-8. `mostUnits`: UTF-16 units that it may
 * inflate to; a few kilobytes can claim gigabytes.
 *
 * The text is LZ78: an entry of the dictionary is the one before and the first unit of what follows it, and these stand
 * side by side in the text itself, so that an entry is a place and a length.
 */
export function decodeLzString(source: Buffer | string, form: LzForm, mostUnits: number): DecodedLzString {
  const bits = bitsOf(source, form);
  if (bits === undefined) return broken;
  const first = readBits(bits, 2);
  if (first === endOfText) return { kind: 'text', text: Buffer.alloc(0) };
  const unit = first === 0 || first === 1 ? readBits(bits, widthOf(first)) : undefined;
  if (unit === undefined) return broken;

  let units = new Uint16Array(Math.min(mostUnits, Math.max(1024, source.length * 4)));
  units[0] = unit;
  let written = 1;
  // The first three codes are a unit of 8 bits, one of 16, and the end.
  const starts = [0, 0, 0, 0];
  const sizes = [0, 0, 0, 1];
  let lastStart = 0;
  let lastSize = 1;
  let width = 3;
  let untilWider = 4;
  const widen = () => {
    if (--untilWider > 0) return;
    untilWider = 2 ** width;
    width++;
  };
  // As the encoder has it, the first unit counts for none.
  for (;;) {
    const code = readBits(bits, width);
    if (code === undefined) return broken;
    if (code === endOfText) break;
    let start: number;
    let size: number;
    let single: number | undefined;
    if (code === 0 || code === 1) {
      single = readBits(bits, widthOf(code));
      if (single === undefined) return broken;
      start = written;
      size = 1;
      starts.push(start);
      sizes.push(1);
      widen();
    } else if (code < starts.length) {
      start = starts[code] as number;
      size = sizes[code] as number;
    } else if (code === starts.length) {
      // The entry that this very step is about to make.
      start = lastStart;
      size = lastSize + 1;
    } else return broken;

    if (written + size > mostUnits) return { kind: 'too_large' };
    if (written + size > units.length) {
      const larger = new Uint16Array(Math.min(mostUnits, Math.max(units.length * 2, written + size)));
      larger.set(units);
      units = larger;
    }
    if (single !== undefined) units[written] = single;
    else for (let index = 0; index < size; index++) units[written + index] = units[start + index] as number;
    starts.push(lastStart);
    sizes.push(lastSize + 1);
    widen();
    lastStart = written;
    lastSize = size;
    written += size;
  }
  return { kind: 'text', text: Buffer.from(Buffer.from(units.buffer, 0, written * 2).toString('utf16le')) };
}

const broken: DecodedLzString = { kind: 'broken' };
const endOfText = 2;
const widthOf = (code: 0 | 1): number => (code === 0 ? 8 : 16);

/** Values of a few bits each, and how far they are read. */
interface Bits {
  readonly values: Uint8Array | Uint16Array;
  readonly width: number;
  place: number;
  /** Of the value at the place, how many bits were read. */
  read: number;
}

/** Undefined where a character is none of the form. */
function bitsOf(source: Buffer | string, form: LzForm): Bits | undefined {
  if (typeof source !== 'string') {
    return form === 'bytes' ? { values: source, width: 8, place: 0, read: 0 } : undefined;
  }
  const width = form === 'utf16' ? 15 : 6;
  const values = new Uint16Array(source.length);
  for (let place = 0; place < source.length; place++) {
    const unit = source.charCodeAt(place);
    const value = form === 'utf16' ? unit - 32 : (letterValues[unit] ?? -1);
    if (value < 0 || value >= 2 ** width) return undefined;
    values[place] = value;
  }
  return { values, width, place: 0, read: 0 };
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-$';
const letterValues: readonly number[] = Array.from({ length: 128 }, (_, unit) =>
  letters.indexOf(String.fromCharCode(unit)),
);

/** Each value is read from its highest bit; what is read is written from its lowest. */
function readBits(bits: Bits, count: number): number | undefined {
  const { values, width } = bits;
  let { place, read } = bits;
  let value = 0;
  for (let index = 0; index < count; index++) {
    if (place >= values.length) return undefined;
    value |= (((values[place] as number) >>> (width - 1 - read)) & 1) << index;
    if (++read === width) {
      read = 0;
      place++;
    }
  }
  bits.place = place;
  bits.read = read;
  return value;
}
