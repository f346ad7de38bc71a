/** The BigQuery column types the warehouse uses, by their GoogleSQL names. */
export type ColumnType = 'STRING' | 'BYTES' | 'INT64' | 'FLOAT64' | 'BOOL' | 'TIMESTAMP' | 'DATE' | 'JSON';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly mode: 'REQUIRED' | 'NULLABLE' | 'REPEATED';
  readonly description: string;
}

/**
 * One table of the warehouse, the single source from which Terraform's schema file,
 * the Storage Write row descriptor and the TypeScript row type are generated.
 *
 * A column's place is its field number in encoded rows that may still be in flight:
 * new columns go to the end, none is ever moved or removed.
 */
export interface Table {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** The TIMESTAMP or DATE column of the daily partitions; null where there are none. */
  readonly partitionBy: string | null;
  /** Partitions by an INT64 column in place of days. */
  readonly rangePartition?: RangePartition;
  /** How long a daily partition is kept; for ever where it is not given. */
  readonly expireAfterDays?: number;
  readonly clusterBy: readonly string[];
  /** Appends are at-least-once, so every table says which columns make a row one row. */
  readonly key: readonly string[];
}

/** From `start` up to, not including, `end`, a partition for each `interval`; BigQuery allows 10,000 of them. */
export interface RangePartition {
  readonly field: string;
  readonly start: number;
  readonly end: number;
  readonly interval: number;
}

export const required = (name: string, type: ColumnType, description: string): Column => ({
  name,
  type,
  mode: 'REQUIRED',
  description,
});

export const nullable = (name: string, type: ColumnType, description: string): Column => ({
  name,
  type,
  mode: 'NULLABLE',
  description,
});

export const repeated = (name: string, type: ColumnType, description: string): Column => ({
  name,
  type,
  mode: 'REPEATED',
  description,
});
