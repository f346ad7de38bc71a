import { quoteIdentifier } from './duckdb.ts';
import { invalid } from './errors.ts';
import type { Field } from './sql/types.ts';

/** A field as REST sends it: every part may be missing or wrong. */
export interface RawField {
  name?: unknown;
  type?: unknown;
  mode?: unknown;
  fields?: unknown;
  description?: unknown;
  defaultValueExpression?: unknown;
  [other: string]: unknown;
}

const duckdbTypes: Readonly<Record<string, string>> = {
  STRING: 'VARCHAR',
  BYTES: 'BLOB',
  INTEGER: 'BIGINT',
  FLOAT: 'DOUBLE',
  NUMERIC: 'DECIMAL(38,9)',
  BOOLEAN: 'BOOLEAN',
  TIMESTAMP: 'TIMESTAMPTZ',
  DATE: 'DATE',
  TIME: 'TIME',
  DATETIME: 'TIMESTAMP',
  JSON: 'JSON',
};

const typeAliases: Readonly<Record<string, string>> = {
  INT64: 'INTEGER',
  FLOAT64: 'FLOAT',
  BOOL: 'BOOLEAN',
  STRUCT: 'RECORD',
  DECIMAL: 'NUMERIC',
};

/** BigQuery's own limit on the nesting of RECORDs. */
const MAX_RECORD_DEPTH = 15;

/**
 * Reads the fields of a table schema, refusing what BigQuery refuses and what is not kept here
 * (default values, policy tags, collations, parametrised types).
 */
export function readFields(raw: unknown, path = '', depth = 0): Field[] {
  if (!Array.isArray(raw)) throw invalid('Schema fields must be a list.');
  if (depth > MAX_RECORD_DEPTH) throw invalid(`RECORD nesting exceeds ${MAX_RECORD_DEPTH} levels.`);
  const seen = new Set<string>();
  return raw.map((entry: RawField) => {
    const field = readField(entry, path, depth);
    const folded = field.name.toLowerCase();
    if (seen.has(folded)) {
      throw invalid(`Field ${field.name} already exists in schema`);
    }
    seen.add(folded);
    return field;
  });
}

function readField(entry: RawField, path: string, depth: number): Field {
  const name = typeof entry?.name === 'string' ? entry.name : '';
  if (!/^[\p{L}_][\p{L}\p{M}\p{N}\p{Pc}\p{Pd}&%=+:'<>#| ]{0,299}$/u.test(name)) {
    throw invalid(
      `Invalid field name "${name}". Fields must contain the allowed characters, and be at most 300 characters long.`,
    );
  }
  const dotted = path === '' ? name : `${path}.${name}`;
  const given = String(entry.type ?? '').toUpperCase();
  const type = typeAliases[given] ?? given;
  for (const unsupported of [
    'defaultValueExpression',
    'policyTags',
    'collation',
    'maxLength',
    'precision',
    'scale',
    'rangeElementType',
  ]) {
    const value = entry[unsupported];
    if (value !== undefined && value !== null && value !== '') {
      throw invalid(`Field ${dotted}: ${unsupported} is not supported by the local BigQuery.`);
    }
  }
  if (type !== 'RECORD' && duckdbTypes[type] === undefined) {
    throw invalid(
      `Field ${dotted}: ${given === '' ? 'Type is missing' : `type ${given} is unknown or not supported by the local BigQuery`}.`,
    );
  }
  const mode = String(entry.mode ?? 'NULLABLE').toUpperCase() || 'NULLABLE';
  if (mode !== 'NULLABLE' && mode !== 'REQUIRED' && mode !== 'REPEATED') {
    throw invalid(`Field ${dotted}: Invalid mode: ${mode}`);
  }
  const field: Field = { name, type: type as Field['type'], mode };
  if (type === 'RECORD') {
    field.fields = readFields(entry.fields ?? [], dotted, depth + 1);
    if (field.fields.length === 0) throw invalid(`Field ${dotted} is type RECORD but has no schema`);
  } else if (Array.isArray(entry.fields) && entry.fields.length > 0) {
    throw invalid(`Field ${dotted} is type ${type} but has nested fields`);
  }
  if (typeof entry.description === 'string') field.description = entry.description;
  return field;
}

/** The DuckDB type that stores one field. */
export function duckdbType(field: Field): string {
  const single =
    field.type === 'RECORD'
      ? `STRUCT(${(field.fields ?? []).map((sub) => `${quoteIdentifier(sub.name)} ${duckdbType(sub)}`).join(', ')})`
      : duckdbTypes[field.type];
  if (single === undefined) throw invalid(`Type ${field.type} is not supported by the local BigQuery.`);
  return field.mode === 'REPEATED' ? `${single}[]` : single;
}

/** What makes the DuckDB table behind a table. */
export function createStatement(table: { duckdbName: string; fields: readonly Field[] }): string {
  const columns = table.fields.map((field) => `${quoteIdentifier(field.name)} ${duckdbType(field)}`);
  return `CREATE TABLE ${table.duckdbName}(${columns.join(', ')})`;
}

/**
 * What changes an existing table to a new schema: new columns at any depth, in DuckDB's words.
 * BigQuery allows additions and REQUIRED to NULLABLE only; anything else is its "Provided Schema does not match".
 * Columns keep the order of the old schema, as in BigQuery, with the new ones behind.
 */
export function planSchemaChange(
  table: { display: string; duckdbName: string },
  before: readonly Field[],
  after: readonly Field[],
): { fields: Field[]; statements: string[] } {
  const statements: string[] = [];
  const fields = mergeFields(before, after, [], '');
  return { fields, statements };

  function refuse(message: string): never {
    throw invalid(`Provided Schema does not match Table ${table.display}. ${message}`);
  }

  function mergeFields(
    old: readonly Field[],
    wanted: readonly Field[],
    storagePath: readonly string[],
    path: string,
  ): Field[] {
    const byName = new Map(wanted.map((field) => [field.name.toLowerCase(), field]));
    const merged = old.map((field) => {
      const dotted = path === '' ? field.name : `${path}.${field.name}`;
      const next = byName.get(field.name.toLowerCase());
      if (next === undefined) refuse(`Field ${dotted} is missing in new schema`);
      byName.delete(field.name.toLowerCase());
      if (next.type !== field.type)
        refuse(`Field ${dotted} has changed type from ${field.type} to ${next.type}`);
      if (next.mode !== field.mode && !(field.mode === 'REQUIRED' && next.mode === 'NULLABLE')) {
        refuse(`Field ${dotted} has changed mode from ${field.mode} to ${next.mode}`);
      }
      const result: Field = { ...next, name: field.name };
      if (field.type === 'RECORD') {
        const inner = [...storagePath, field.name, ...(field.mode === 'REPEATED' ? ['element'] : [])];
        result.fields = mergeFields(field.fields ?? [], next.fields ?? [], inner, dotted);
      }
      return result;
    });
    for (const added of byName.values()) {
      if (added.mode === 'REQUIRED') {
        refuse(
          `Cannot add required fields to an existing schema. (field: ${path === '' ? added.name : `${path}.${added.name}`})`,
        );
      }
      const column = [...storagePath, added.name].map(quoteIdentifier).join('.');
      statements.push(`ALTER TABLE ${table.duckdbName} ADD COLUMN ${column} ${duckdbType(added)}`);
      merged.push(added);
    }
    return merged;
  }
}
