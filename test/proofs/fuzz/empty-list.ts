import { gunzipSync } from 'node:zlib';
import { uncompress } from 'snappyjs';

/** Whether bytes, as they are or unpacked, hold a list of nothing, of which nothing is to be stored. */
export const isEmptyList = (bytes: Buffer): boolean =>
  saysNothing(bytes) || unpack(bytes).some((content) => content.length === 0 || saysNothing(content));

function unpack(bytes: Buffer): Buffer[] {
  const ways = [() => gunzipSync(bytes, { maxOutputLength: 1_000_000 }), () => uncompress(bytes, 1_000_000)];
  return ways.flatMap((way) => {
    try {
      return [way()];
    } catch {
      return [];
    }
  });
}

function saysNothing(json: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(json.toString());
    const list = isBatch(value) ? value.batch : value;
    return Array.isArray(list) && list.length === 0;
  } catch {
    return false;
  }
}

const isBatch = (value: unknown): value is { batch: unknown } =>
  typeof value === 'object' && value !== null && 'batch' in value;
