import type { DuckDBConnection } from '@duckdb/node-api';
import type { TableEntry } from '../catalog.ts';
import { quoteIdentifier } from '../duckdb.ts';
import type { Field } from '../sql/types.ts';
import { measureTable, type TableSize } from '../table-size.ts';
import type { Partition } from './prune.ts';

export interface MeasuredTable {
  size: TableSize;
  /** One that holds everything where the table has no partitions. */
  partitions: { partition: Partition; rows: number }[];
}

/** Sizes of tables, measured again only after they were written to. */
export interface TableMeasures {
  of(connection: DuckDBConnection, entry: TableEntry): Promise<MeasuredTable>;
  /** To be called when a write to the table is committed. */
  forget(duckdbName: string): void;
}

export function keepTableMeasures(): TableMeasures {
  const versions = new Map<string, number>();
  const kept = new Map<string, { version: number; fields: readonly Field[]; measured: MeasuredTable }>();
  return {
    async of(connection, entry) {
      const { duckdbName, fields } = entry;
      const version = versions.get(duckdbName) ?? 0;
      const found = kept.get(duckdbName);
      if (found?.version === version && found.fields === fields) return found.measured;
      const measured = await measure(connection, entry);
      // Of a time before a write that was committed meanwhile it is kept under the version before, which nobody asks for.
      kept.set(duckdbName, { version, fields, measured });
      return measured;
    },
    forget(duckdbName) {
      versions.set(duckdbName, (versions.get(duckdbName) ?? 0) + 1);
    },
  };
}

async function measure(connection: DuckDBConnection, entry: TableEntry): Promise<MeasuredTable> {
  const size = await measureTable(connection, entry.duckdbName, entry.fields);
  const key = partitionKey(entry);
  if (key === undefined) return { size, partitions: [{ partition: { kind: 'other' }, rows: size.rows }] };
  const counted = await connection.runAndReadAll(
    `SELECT ${key.sql} AS key, count(*) FROM ${entry.duckdbName} GROUP BY key`,
  );
  const partitions = counted.getRows().map(([value, rows]) => ({
    partition:
      value === null || value === undefined
        ? { kind: 'null' as const }
        : key.partition(BigInt(String(value))),
    rows: Number(rows),
  }));
  return { size, partitions };
}

const MICROS_PER_DAY = 86_400_000_000n;

function partitionKey(
  entry: TableEntry,
): { sql: string; partition: (value: bigint) => Partition } | undefined {
  const { timePartitioning, rangePartitioning } = entry;
  if (rangePartitioning !== undefined) {
    const { field, range } = rangePartitioning;
    const [start, end, interval] = [range.start, range.end, range.interval].map(BigInt) as [
      bigint,
      bigint,
      bigint,
    ];
    return {
      sql: `CAST(floor((${quoteIdentifier(field)} - ${start}) / ${interval}) AS BIGINT)`,
      partition(value) {
        const low = start + value * interval;
        return low < start || low >= end
          ? { kind: 'other' }
          : { kind: 'range', low, high: low + interval - 1n };
      },
    };
  }
  const name = timePartitioning?.field;
  if (name === undefined) return undefined;
  const column = quoteIdentifier(name);
  const type = entry.fields.find((field) => field.name === name)?.type;
  if (type === 'DATE') {
    return {
      sql: `date_diff('day', DATE '1970-01-01', ${column})`,
      partition: (day) => ({ kind: 'range', low: day, high: day }),
    };
  }
  return {
    sql: `CAST(floor(epoch_us(${column}) / ${MICROS_PER_DAY}) AS BIGINT)`,
    partition: (day) => ({
      kind: 'range',
      low: day * MICROS_PER_DAY,
      high: (day + 1n) * MICROS_PER_DAY - 1n,
    }),
  };
}
