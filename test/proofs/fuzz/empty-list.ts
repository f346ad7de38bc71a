import { gunzipSync } from 'node:zlib';
import { compress } from 'snappyjs';

/** Whether bytes, as they are or unpacked, hold a list of nothing, of which nothing is to be stored. */
export const isEmptyList = (bytes: Buffer): boolean =>
  saysNothing(bytes) || emptyBlocks.some((block) => block.equals(bytes)) || isEmptyGzip(bytes);

/** The library itself reads some blocks for ever, so it is not asked of what others made. */
const emptyBlocks = ['', '[]'].map((content) => compress(Buffer.from(content)));

function isEmptyGzip(bytes: Buffer): boolean {
  try {
    const content = gunzipSync(bytes, { maxOutputLength: 1_000_000 });
    return content.length === 0 || saysNothing(content);
  } catch {
    return false;
  }
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
