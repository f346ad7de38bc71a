import type { SqlType } from './types.ts';

/** A resolved expression: its type and the DuckDB expression that means the same. */
export interface Fragment {
  /** Closed in itself, so that it may stand as an operand anywhere. */
  sql: string;
  type: SqlType;
  /** Literals and parameters adapt to their surroundings more freely than other expressions. */
  literal?: boolean;
  /** The value, when it is known while translating. */
  value?: string | bigint | number | boolean | null;
  /** The elements, when this is an array written out. */
  elements?: Fragment[];
  /** The fields' values, when this is a struct written out. */
  fields?: Fragment[];
}

/** A DuckDB string literal. */
export function quoteString(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return quoted.includes('\0') ? `(${quoted.split('\0').join("' || chr(0) || '")})` : quoted;
}

/** A DuckDB BIGINT literal; a bare `1` would be a 32-bit integer there. */
export const integerSql = (value: bigint | number): string => `CAST(${value} AS BIGINT)`;

export function integerLiteral(value: bigint): Fragment {
  return { sql: integerSql(value), type: { kind: 'INT64' }, literal: true, value };
}

export function stringLiteral(value: string): Fragment {
  return { sql: quoteString(value), type: { kind: 'STRING' }, literal: true, value };
}

export function booleanLiteral(value: boolean): Fragment {
  return { sql: String(value), type: { kind: 'BOOL' }, literal: true, value };
}

export function floatLiteral(value: number): Fragment {
  const sql = Number.isFinite(value) ? `(${value.toExponential()})` : `CAST('${value}' AS DOUBLE)`;
  return { sql: Object.is(value, -0) ? '(-0e0)' : sql, type: { kind: 'FLOAT64' }, literal: true, value };
}

export const nullLiteral: Fragment = { sql: 'NULL', type: { kind: 'NULL' }, literal: true, value: null };

/** Whether it names no column, so that DuckDB computes it once, when it plans, however often it is written. */
function isConstant(sql: string): boolean {
  const withoutTexts = sql.replaceAll(/'(?:[^']|'')*'/g, '');
  return !/"|[A-Za-z_]\w*\.[A-Za-z_]|\brandom\b/.test(withoutTexts);
}

/**
 * Puts operands into a template that uses them more than once. What is long is computed once, as the element of a
 * one-element list, because DuckDB's macros copy their arguments.
 */
export function bindOnce(operands: string[], build: (operands: string[]) => string): string {
  const long = operands.map(
    (sql) =>
      (sql.length > 60 && !isConstant(sql)) || /\b(SELECT|list_transform|OVER|error|gs_uuid)\b/i.test(sql),
  );
  if (!long.includes(true)) return build(operands);
  const packed = operands.flatMap((sql, index) => (long[index] ? [`o${index} := ${sql}`] : []));
  const body = build(operands.map((sql, index) => (long[index] ? `gs_o.o${index}` : sql)));
  // What is short stays outside: a lambda may use the columns around it.
  return `list_transform([struct_pack(${packed.join(', ')})], lambda gs_o: ${body})[1]`;
}
