/** A column as BigQuery's REST API writes it (TableFieldSchema). */
export interface Field {
  name: string;
  type: FieldType;
  mode: 'NULLABLE' | 'REQUIRED' | 'REPEATED';
  fields?: Field[];
  description?: string;
}

export type FieldType =
  | 'STRING'
  | 'BYTES'
  | 'INTEGER'
  | 'FLOAT'
  | 'NUMERIC'
  | 'BIGNUMERIC'
  | 'BOOLEAN'
  | 'TIMESTAMP'
  | 'DATE'
  | 'TIME'
  | 'DATETIME'
  | 'JSON'
  | 'RECORD'
  | 'INT64'
  | 'FLOAT64'
  | 'BOOL'
  | 'STRUCT';

export type ScalarKind =
  | 'STRING'
  | 'BYTES'
  | 'INT64'
  | 'FLOAT64'
  | 'NUMERIC'
  | 'BOOL'
  | 'TIMESTAMP'
  | 'DATE'
  | 'TIME'
  | 'DATETIME'
  | 'JSON';

/** A GoogleSQL type. NULL is the literal whose type its surroundings decide; INTERVAL lives only inside date arithmetic. */
export type SqlType =
  | { kind: ScalarKind }
  | { kind: 'NULL' }
  | { kind: 'ARRAY'; element: SqlType }
  | { kind: 'STRUCT'; fields: StructField[] };

export interface StructField {
  /** Absent for a field without a name, as in `STRUCT(1)`. */
  name?: string;
  type: SqlType;
}

const kindOfFieldType: Record<string, ScalarKind> = {
  STRING: 'STRING',
  BYTES: 'BYTES',
  INTEGER: 'INT64',
  INT64: 'INT64',
  FLOAT: 'FLOAT64',
  FLOAT64: 'FLOAT64',
  NUMERIC: 'NUMERIC',
  BOOLEAN: 'BOOL',
  BOOL: 'BOOL',
  TIMESTAMP: 'TIMESTAMP',
  DATE: 'DATE',
  TIME: 'TIME',
  DATETIME: 'DATETIME',
  JSON: 'JSON',
};

const fieldTypeOfKind: Record<ScalarKind, FieldType> = {
  STRING: 'STRING',
  BYTES: 'BYTES',
  INT64: 'INTEGER',
  FLOAT64: 'FLOAT',
  NUMERIC: 'NUMERIC',
  BOOL: 'BOOLEAN',
  TIMESTAMP: 'TIMESTAMP',
  DATE: 'DATE',
  TIME: 'TIME',
  DATETIME: 'DATETIME',
  JSON: 'JSON',
};

/** The scalar a type name stands for, in SQL's or the REST API's spelling; undefined when there is none here. */
export function scalarKind(name: string): ScalarKind | undefined {
  const aliases: Record<string, ScalarKind> = {
    INT: 'INT64',
    SMALLINT: 'INT64',
    BIGINT: 'INT64',
    TINYINT: 'INT64',
    BYTEINT: 'INT64',
    DECIMAL: 'NUMERIC',
  };
  const upper = name.toUpperCase();
  return kindOfFieldType[upper] ?? aliases[upper];
}

/** The type of a column of a table; undefined when the local BigQuery has no such type. */
export function typeOfField(field: Field): SqlType | undefined {
  const single = typeOfSingleField(field);
  if (!single) return undefined;
  return field.mode === 'REPEATED' ? { kind: 'ARRAY', element: single } : single;
}

function typeOfSingleField(field: Field): SqlType | undefined {
  if (field.type === 'RECORD' || field.type === 'STRUCT') {
    const fields: StructField[] = [];
    for (const inner of field.fields ?? []) {
      const type = typeOfField(inner);
      if (!type) return undefined;
      fields.push({ name: inner.name, type });
    }
    return { kind: 'STRUCT', fields };
  }
  const kind = kindOfFieldType[field.type];
  return kind && { kind };
}

/** The column that a result of this type is described by. A NULL without a type is an INTEGER, as in BigQuery. */
export function fieldOfType(name: string, type: SqlType): Field {
  switch (type.kind) {
    case 'NULL':
      return { name, type: 'INTEGER', mode: 'NULLABLE' };
    case 'ARRAY':
      return { ...fieldOfType(name, type.element), mode: 'REPEATED' };
    case 'STRUCT':
      return {
        name,
        type: 'RECORD',
        mode: 'NULLABLE',
        fields: type.fields.map((field, index) => fieldOfType(structFieldName(field, index), field.type)),
      };
    default:
      return { name, type: fieldTypeOfKind[type.kind], mode: 'NULLABLE' };
  }
}

/** The name a struct field has inside DuckDB and in a result: its own, or BigQuery's `_field_N`. */
export function structFieldName(field: StructField, index: number): string {
  return field.name ?? `_field_${index + 1}`;
}

/** A type as BigQuery's messages write it. */
export function typeName(type: SqlType): string {
  switch (type.kind) {
    case 'NULL':
      return 'INT64';
    case 'ARRAY':
      return `ARRAY<${typeName(type.element)}>`;
    case 'STRUCT':
      return `STRUCT<${type.fields.map((field) => (field.name ? `${field.name} ` : '') + typeName(field.type)).join(', ')}>`;
    default:
      return type.kind;
  }
}

/** The DuckDB type that holds values of a GoogleSQL type. */
export function duckdbType(type: SqlType): string {
  switch (type.kind) {
    case 'NULL':
    case 'INT64':
      return 'BIGINT';
    case 'STRING':
      return 'VARCHAR';
    case 'BYTES':
      return 'BLOB';
    case 'FLOAT64':
      return 'DOUBLE';
    case 'NUMERIC':
      return 'DECIMAL(38,9)';
    case 'BOOL':
      return 'BOOLEAN';
    case 'TIMESTAMP':
      return 'TIMESTAMPTZ';
    case 'DATETIME':
      return 'TIMESTAMP';
    case 'DATE':
    case 'TIME':
    case 'JSON':
      return type.kind;
    case 'ARRAY':
      return `${duckdbType(type.element)}[]`;
    case 'STRUCT':
      return `STRUCT(${type.fields.map((field, index) => `${quoteName(structFieldName(field, index))} ${duckdbType(field.type)}`).join(', ')})`;
  }
}

/** A name as a quoted DuckDB identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function sameType(left: SqlType, right: SqlType): boolean {
  if (left.kind === 'ARRAY' && right.kind === 'ARRAY') return sameType(left.element, right.element);
  if (left.kind === 'STRUCT' && right.kind === 'STRUCT') {
    return (
      left.fields.length === right.fields.length &&
      left.fields.every((field, index) => sameType(field.type, right.fields[index]!.type))
    );
  }
  return left.kind === right.kind;
}

export const isNumeric = (type: SqlType): boolean =>
  type.kind === 'INT64' || type.kind === 'FLOAT64' || type.kind === 'NUMERIC';
