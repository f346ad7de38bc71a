import { setTimeout as wait } from 'node:timers/promises';
import type { Table } from '@google-cloud/bigquery';

/**
 * Looks every so often whether a table has got rows, through BigQuery's API, and does something then; also at the first
 * look where it has any. While that is under way it does not look, and it does not tell what becomes of it.
 */
export function watchTable(options: {
  table: Pick<Table, 'getMetadata'>;
  everyMs: number;
  onRows: () => Promise<unknown>;
}): { close(): void } {
  const { table, everyMs, onRows } = options;
  const closing = new AbortController();
  let known = '0';

  const look = async () => {
    const [{ numRows }] = await table.getMetadata();
    if (numRows === known || closing.signal.aborted) return;
    await onRows();
    // What came in the meantime is seen at the next look.
    known = numRows;
  };
  const watch = async () => {
    while (!closing.signal.aborted) {
      await wait(everyMs, undefined, { signal: closing.signal, ref: false });
      // A look that fails is followed by another.
      await look().catch(() => undefined);
    }
  };
  watch().catch(() => undefined);
  return { close: () => closing.abort() };
}
