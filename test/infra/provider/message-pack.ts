/** A value that Terraform knows only after apply. */
export const UNKNOWN = Symbol('known after apply');

export type Value = null | boolean | number | string | typeof UNKNOWN | Value[] | { [name: string]: Value };

export type ObjectValue = { [name: string]: Value };

export const isObject = (value: Value | undefined): value is ObjectValue =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads one value of MessagePack as Terraform writes it: an extension, of whatever type, is an unknown value. */
export function decodeValue(bytes: Uint8Array): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  return read();

  function take(size: number): number {
    at += size;
    return at - size;
  }

  function length(size: 1 | 2 | 4): number {
    const from = take(size);
    return size === 1 ? view.getUint8(from) : size === 2 ? view.getUint16(from) : view.getUint32(from);
  }

  function text(size: number): string {
    const from = take(size);
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, size).toString('utf8');
  }

  function list(size: number): Value[] {
    return Array.from({ length: size }, read);
  }

  function map(size: number): ObjectValue {
    return Object.fromEntries(Array.from({ length: size }, () => [String(read()), read()] as const));
  }

  function extension(size: number): typeof UNKNOWN {
    take(size + 1);
    return UNKNOWN;
  }

  function read(): Value {
    const head = view.getUint8(take(1));
    if (head <= 0x7f) return head;
    if (head <= 0x8f) return map(head & 0x0f);
    if (head <= 0x9f) return list(head & 0x0f);
    if (head <= 0xbf) return text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc7:
        return extension(length(1));
      case 0xca:
        return view.getFloat32(take(4));
      case 0xcb:
        return view.getFloat64(take(8));
      case 0xcc:
        return view.getUint8(take(1));
      case 0xcd:
        return view.getUint16(take(2));
      case 0xce:
        return view.getUint32(take(4));
      case 0xcf:
        return Number(view.getBigUint64(take(8)));
      case 0xd0:
        return view.getInt8(take(1));
      case 0xd1:
        return view.getInt16(take(2));
      case 0xd2:
        return view.getInt32(take(4));
      case 0xd3:
        return Number(view.getBigInt64(take(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return extension(2 ** (head - 0xd4));
      case 0xd9:
        return text(length(1));
      case 0xda:
        return text(length(2));
      case 0xdb:
        return text(length(4));
      case 0xdc:
        return list(length(2));
      case 0xdd:
        return list(length(4));
      case 0xde:
        return map(length(2));
      case 0xdf:
        return map(length(4));
      default:
        throw new Error(`Terraform sent 0x${head.toString(16)}, which the stub cannot read.`);
    }
  }
}

/** Writes one value of MessagePack. */
export function encodeValue(value: Value): Buffer {
  const parts: Uint8Array[] = [];
  write(value);
  return Buffer.concat(parts);

  function head(code: number, size: number): void {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(code);
    bytes.writeUInt32BE(size, 1);
    parts.push(bytes);
  }

  function write(it: Value): void {
    if (it === null) parts.push(Buffer.of(0xc0));
    else if (it === UNKNOWN) parts.push(Buffer.of(0xd4, 0, 0));
    else if (typeof it === 'boolean') parts.push(Buffer.of(it ? 0xc3 : 0xc2));
    else if (typeof it === 'number') writeNumber(it);
    else if (typeof it === 'string') {
      const bytes = Buffer.from(it);
      head(0xdb, bytes.length);
      parts.push(bytes);
    } else if (Array.isArray(it)) {
      head(0xdd, it.length);
      for (const element of it) write(element);
    } else if (isObject(it)) {
      head(0xdf, Object.keys(it).length);
      for (const [name, element] of Object.entries(it)) {
        write(name);
        write(element);
      }
    }
  }

  function writeNumber(it: number): void {
    const bytes = Buffer.alloc(9);
    if (Number.isSafeInteger(it)) {
      bytes.writeUInt8(0xd3);
      bytes.writeBigInt64BE(BigInt(it), 1);
    } else {
      bytes.writeUInt8(0xcb);
      bytes.writeDoubleBE(it, 1);
    }
    parts.push(bytes);
  }
}
