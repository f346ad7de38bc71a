import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from './duckdb.ts';
import type { Field } from './sql/types.ts';

export interface TableSize {
  rows: number;
  /** Estimated logical bytes of each top-level column, by name. */
  columnBytes: Map<string, number>;
}

const SAMPLED_ROWS = 1_000;

/**
 * Counts the rows, and estimates the logical bytes of each column by BigQuery's size table (INT64, FLOAT64, DATE,
 * TIMESTAMP and the like 8, BOOL 1, NUMERIC 16, STRING and JSON 2 plus their UTF-8 bytes) over the first rows.
 */
export async function measureTable(
  connection: DuckDBConnection,
  duckdbName: string,
  fields: readonly Field[],
): Promise<TableSize> {
  const sums = fields.map((field) => `coalesce(sum(${sizeExpression(field)}), 0)::DOUBLE`);
  const result = await connection.runAndReadAll(
    `SELECT (SELECT count(*) FROM ${duckdbName})::BIGINT, count(*)::BIGINT${sums.map((sum) => `, ${sum}`).join('')}
     FROM (SELECT * FROM ${duckdbName} LIMIT ${SAMPLED_ROWS})`,
  );
  const [rows, sampled, ...bytes] = (result.getRows()[0] ?? []).map(Number);
  const scale = sampled === undefined || sampled === 0 ? 0 : (rows ?? 0) / sampled;
  return {
    rows: rows ?? 0,
    columnBytes: new Map(fields.map((field, index) => [field.name, Math.round((bytes[index] ?? 0) * scale)])),
  };
}

export function totalBytes(size: TableSize): number {
  return [...size.columnBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function sizeExpression(field: Field): string {
  const column = quoteIdentifier(field.name);
  const present = `${column} IS NOT NULL`;
  // Lists and structs are measured by their text: near enough for an estimate, and cheap.
  if (field.mode === 'REPEATED' || field.type === 'RECORD') return `strlen(${column}::VARCHAR)`;
  switch (field.type) {
    case 'STRING':
    case 'JSON':
      return `2 + strlen(${column})`;
    case 'BYTES':
      return `2 + octet_length(${column})`;
    case 'BOOLEAN':
      return `CASE WHEN ${present} THEN 1 ELSE 0 END`;
    case 'NUMERIC':
      return `CASE WHEN ${present} THEN 16 ELSE 0 END`;
    default:
      return `CASE WHEN ${present} THEN 8 ELSE 0 END`;
  }
}
