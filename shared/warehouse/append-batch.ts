import type { AppendAnswer, RowError } from './append-answer.ts';

/** A row that BigQuery will never take, and why. */
export interface RefusedRow {
  readonly row: Uint8Array;
  readonly reason: 'refused_by_bigquery' | 'row_too_large';
  readonly detail: string;
}

/** Rows of one submission that travel in one append. */
export interface Chunk {
  readonly rows: readonly Uint8Array[];
  readonly bytes: number;
  /** Epoch milliseconds after which nobody waits for it. */
  readonly deadline: number;
  /** Told once, when every row of the chunk is stored or refused, or the chunk failed. */
  readonly settle: (result: ChunkResult) => void;
}

export type ChunkResult =
  | { readonly kind: 'stored'; readonly refused: readonly RefusedRow[] }
  | { readonly kind: 'failed'; readonly answer: Extract<AppendAnswer, { kind: 'transient' | 'permanent' }> };

/** The chunks of one append, in order. */
export interface AppendBatch {
  readonly chunks: readonly Chunk[];
  readonly bytes: number;
  /** Whether a chunk can join; an empty batch takes any. */
  canFit(chunk: Chunk): boolean;
  isFull(): boolean;
  add(chunk: Chunk): void;
}

export function createAppendBatch(maxBytes: number): AppendBatch {
  const chunks: Chunk[] = [];
  let bytes = 0;
  return {
    chunks,
    get bytes() {
      return bytes;
    },
    canFit: (chunk) => chunks.length === 0 || bytes + chunk.bytes <= maxBytes,
    isFull: () => bytes >= maxBytes,
    add(chunk) {
      chunks.push(chunk);
      bytes += chunk.bytes;
    },
  };
}

/** What a row adds to an append: its bytes, a tag and a length. */
export const rowCost = (row: Uint8Array): number => row.length + 5;

/** What one chunk still has to store, while its append is retried. */
export interface Remainder {
  readonly chunk: Chunk;
  readonly rows: readonly Uint8Array[];
  readonly refused: readonly RefusedRow[];
}

/**
 * Takes the rows that BigQuery refused out of what was appended together. `errors` counts places over all the
 * remainders, in order.
 */
export function takeOutRefused(remainders: readonly Remainder[], errors: readonly RowError[]): Remainder[] {
  const detailByIndex = new Map(errors.map((error) => [error.index, error.detail]));
  let first = 0;
  return remainders.map((remainder) => {
    const kept: Uint8Array[] = [];
    const refused = [...remainder.refused];
    remainder.rows.forEach((row, place) => {
      const detail = detailByIndex.get(first + place);
      if (detail === undefined) kept.push(row);
      else refused.push({ row, reason: 'refused_by_bigquery', detail });
    });
    first += remainder.rows.length;
    return { chunk: remainder.chunk, rows: kept, refused };
  });
}
