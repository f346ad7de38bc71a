import { type CatalogStore, displayTable } from '../catalog.ts';
import { type Database, quoteIdentifier } from '../duckdb.ts';
import { invalid, notImplemented } from '../errors.ts';
import { type ApiRequest, type Route, readPageToken, wholeNumber, writePageToken } from './api.ts';
import { restRow, timestampFormat } from './rows-to-rest.ts';

const DEFAULT_PAGE = 10_000;

/** tabledata.list, and the refusal of tabledata.insertAll. */
export function tableDataRoutes(context: { catalog: CatalogStore; database: Database }): Route[] {
  const { catalog, database } = context;
  const table = 'projects/:projectId/datasets/:datasetId/tables/:tableId';
  return [
    { method: 'GET', path: `${table}/data`, handle: list },
    {
      method: 'POST',
      path: `${table}/insertAll`,
      handle() {
        throw notImplemented('tabledata.insertAll (write with the Storage Write API)');
      },
    },
  ];

  async function list(request: ApiRequest) {
    const { projectId, datasetId, tableId } = request.params as Record<
      'projectId' | 'datasetId' | 'tableId',
      string
    >;
    const entry = catalog.table({ projectId, datasetId, tableId });
    if (entry.kind === 'view')
      throw invalid(`Cannot list a table of type VIEW: ${displayTable(entry.reference)}`);
    const { query } = request;
    const fields = selectFields(entry.fields, query.get('selectedFields'));
    const start = query.has('pageToken')
      ? readPageToken(query.get('pageToken'))
      : (wholeNumber(query.get('startIndex'), 'startIndex') ?? 0);
    const size = wholeNumber(query.get('maxResults'), 'maxResults') ?? DEFAULT_PAGE;
    const format = timestampFormat({
      useInt64Timestamp: query.get('formatOptions.useInt64Timestamp') ?? undefined,
      timestampOutputFormat: query.get('formatOptions.timestampOutputFormat') ?? undefined,
    });
    const { rows, total } = await database.read(async (connection) => {
      const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${entry.duckdbName}`);
      const result = await connection.runAndReadAll(
        `SELECT ${fields.map((field) => quoteIdentifier(field.name)).join(', ')} FROM ${entry.duckdbName} LIMIT ${size} OFFSET ${start}`,
      );
      return { rows: result.getRows(), total: Number(counted.getRows()[0]?.[0] ?? 0) };
    });
    const next = start + rows.length;
    return {
      kind: 'bigquery#tableDataList',
      etag: entry.etag,
      totalRows: String(total),
      ...(next < total && rows.length > 0 ? { pageToken: writePageToken(next) } : {}),
      ...(rows.length > 0 ? { rows: rows.map((row) => restRow(row, fields, format)) } : {}),
    };
  }
}

function selectFields<T extends { name: string }>(
  fields: readonly T[],
  selected: string | null,
): readonly T[] {
  if (selected === null || selected === '') return fields;
  const names = selected.split(',').map((name) => name.trim().toLowerCase());
  for (const name of names) {
    if (name.includes('.')) throw notImplemented(`tabledata.list with the nested selected field ${name}`);
    if (!fields.some((field) => field.name.toLowerCase() === name)) throw invalid(`No such field: ${name}.`);
  }
  return fields.filter((field) => names.includes(field.name.toLowerCase()));
}
