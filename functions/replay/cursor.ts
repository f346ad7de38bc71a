import { z } from 'zod';

/** Where a slice ended: the last row that it decided, in the order in which rows are picked. Instants in microseconds since 1970. */
export interface Cursor {
  /** When the replay began: what came into quarantine later is not for it, or it might never end. */
  readonly until: number;
  readonly receivedAt: number;
  readonly batchId: string;
  readonly quarantineId: string;
}

/** As text to hand around, which means nothing to anybody else. */
export const writeCursor = ({ until, receivedAt, batchId, quarantineId }: Cursor): string =>
  Buffer.from(JSON.stringify([until, receivedAt, batchId, quarantineId])).toString('base64url');

/** Undefined where the text is no cursor. */
export function readCursor(text: string): Cursor | undefined {
  try {
    const parsed = written.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (!parsed.success) return undefined;
    const [until, receivedAt, batchId, quarantineId] = parsed.data;
    return { until, receivedAt, batchId, quarantineId };
  } catch {
    return undefined;
  }
}

const micros = z.int().min(0);
const written = z.tuple([micros, micros, z.string().max(1024), z.string().max(64)]);
