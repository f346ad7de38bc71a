import { openTestDatabase, plainRows } from '../../../local/bigquery/sql/test-database.ts';
import type { Field } from '../../../local/bigquery/sql/types.ts';
import type { Answer } from './evaluator.ts';

/** The local BigQuery's GoogleSQL: translated, and run by DuckDB. */
export interface Translator {
  evaluate(sql: string): Promise<Answer>;
  close(): void;
}

export async function openTranslator(): Promise<Translator> {
  const database = await openTestDatabase();
  return {
    async evaluate(sql) {
      try {
        const { schema } = database.translate(sql);
        const rows = plainRows(await database.query(sql), schema);
        const columns = schema.map((field) => ({
          name: /^f\d+_$/.test(field.name) ? '' : field.name,
          type: typeOf(field),
        }));
        return { kind: 'rows', columns, rows };
      } catch (error) {
        return { kind: 'refused', text: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => database.close(),
  };
}

/** The type of a column as GoogleSQL writes it; REST leaves fields without a name the name that it makes up. */
function typeOf(field: Field): string {
  if (field.mode === 'REPEATED') return `ARRAY<${typeOf({ ...field, mode: 'NULLABLE' })}>`;
  if (!field.fields) return spelling[field.type] ?? field.type;
  const fields = field.fields.map(
    (one) => `${/^_field_\d+$/.test(one.name) ? '' : `${one.name} `}${typeOf(one)}`,
  );
  return `STRUCT<${fields.join(', ')}>`;
}

const spelling: Readonly<Record<string, string>> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' };
