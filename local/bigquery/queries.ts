import {
  type DuckDBConnection,
  DuckDBListValue,
  DuckDBStructValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { GoogleError, invalidQuery, notFound } from './errors.ts';
import { type Field, GoogleSqlError, type Translated, type TranslatedQuery, translate } from './sql/index.ts';

type TranslateOptions = Parameters<typeof translate>[1];

/** Translates GoogleSQL, turning the translator's errors into Google's. */
export function analyse(query: string, options: TranslateOptions): Translated {
  try {
    return translate(query, options);
  } catch (error) {
    if (!(error instanceof GoogleSqlError)) throw internalError(error);
    if (error.reason === 'notFound') throw notFound(error.message);
    throw invalidQuery(error.message);
  }
}

/** As `analyse`, for what must be a query: the text of a view or of a table function. */
export function analyseQuery(query: string, options: TranslateOptions): TranslatedQuery {
  const translated = analyse(query, options);
  if (translated.kind !== 'select') {
    throw invalidQuery(`A query is expected here, but this is ${translated.kind.toUpperCase()}`);
  }
  return translated;
}

/** Runs a translated query; a failure of a value (a cast, a division) is the query's own. */
export async function runQuery(
  connection: DuckDBConnection,
  translated: TranslatedQuery,
): Promise<DuckDBValue[][]> {
  return asQueryFailure(async () => {
    const rows = (await connection.runAndReadAll(translated.sql)).getRows();
    refuseNullElements(rows, translated.schema);
    return rows;
  });
}

/** Turns what DuckDB throws at a statement into Google's errors. */
export async function asQueryFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw queryFailure(error);
  }
}

/** "BigQuery raises an error if the query result has an array which contains a NULL element": docs/arrays. */
function refuseNullElements(rows: readonly DuckDBValue[][], schema: readonly Field[]): void {
  const arrays = schema.flatMap((field, index) => (holdsArray(field) ? [{ field, index }] : []));
  if (arrays.length === 0) return;
  for (const row of rows) for (const { field, index } of arrays) visit(row[index] ?? null, field);

  function visit(value: DuckDBValue, field: Field): void {
    if (value instanceof DuckDBListValue) {
      for (const item of value.items) {
        if (item === null) {
          throw invalidQuery(`Array cannot have a null element; error in writing field ${field.name}`);
        }
        visit(item, field);
      }
    } else if (value instanceof DuckDBStructValue) {
      const members = Object.values(value.entries);
      for (const [index, member] of (field.fields ?? []).entries()) visit(members[index] ?? null, member);
    }
  }
}

const holdsArray = (field: Field): boolean =>
  field.mode === 'REPEATED' || (field.fields ?? []).some(holdsArray);

function queryFailure(error: unknown): GoogleError {
  if (error instanceof GoogleError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/^INTERRUPT/i.test(message)) {
    return new GoogleError(
      400,
      'stopped',
      'CANCELLED',
      'Job execution was cancelled: User requested cancellation',
    );
  }
  // What DuckDB cannot parse or bind is a fault of the translation, not of the caller's query.
  if (/^(Parser|Binder|Catalog|Internal|Not implemented|IO|Out of Memory) Error/i.test(message))
    return internalError(error);
  return invalidQuery(message.replace(/^(Conversion|Invalid Input|Out of Range|Constraint) Error: /i, ''));
}

/** It will fail again: with the 500 of BigQuery's internal errors the clients would try for half a minute before they say so. */
function internalError(error: unknown): GoogleError {
  const message = error instanceof Error ? error.message : String(error);
  return new GoogleError(
    501,
    'internalError',
    'UNIMPLEMENTED',
    `The local BigQuery failed to run the query: ${message}`,
  );
}
