/** Raw snappy blocks; the package ships no types. */
declare module 'snappyjs' {
  export function compress<Bytes extends Uint8Array>(content: Bytes): Bytes;
  export function uncompress<Bytes extends Uint8Array>(block: Bytes, mostBytes?: number): Bytes;
}
