import { isDeepStrictEqual } from 'node:util';
import { type CatalogStore, displayTable, type TableEntry } from '../catalog.ts';
import type { Database } from '../duckdb.ts';
import { duplicate, invalid } from '../errors.ts';
import { analyseQuery } from '../queries.ts';
import type { TableReference } from '../sql/index.ts';
import type { Field } from '../sql/types.ts';
import { createStatement, planSchemaChange, readFields } from '../table-schema.ts';
import { measureTable, totalBytes } from '../table-size.ts';
import {
  type ApiRequest,
  applyPatch,
  checkEtag,
  checkLabels,
  isRecord,
  pageOf,
  pick,
  type Route,
  recordOf,
  refuseOthers,
  wholeNumber,
} from './api.ts';
import { checkClustering, readPartitioning, readRangePartitioning } from './table-layout.ts';

const SETTABLE = ['friendlyName', 'description', 'labels', 'expirationTime', 'clustering'];
const STRUCTURE = ['schema', 'view', 'timePartitioning', 'rangePartitioning', 'requirePartitionFilter'];
const OUTPUT_ONLY = [
  'kind',
  'etag',
  'id',
  'selfLink',
  'tableReference',
  'type',
  'location',
  'creationTime',
  'lastModifiedTime',
  'numBytes',
  'numLongTermBytes',
  'numRows',
  'numTotalLogicalBytes',
  'numActiveLogicalBytes',
  'numLongTermLogicalBytes',
  'streamingBuffer',
];
const DEFAULT_PAGE = 50;
/** The tables resource, views among them: insert, get, list, patch, update, delete. */
export function tableRoutes(context: {
  catalog: CatalogStore;
  database: Database;
  now: () => Date;
}): Route[] {
  const { catalog, database } = context;
  const base = 'projects/:projectId/datasets/:datasetId/tables';
  return [
    { method: 'POST', path: base, handle: insert },
    { method: 'GET', path: base, handle: list },
    { method: 'GET', path: `${base}/:tableId`, handle: (request) => describe(get(request)) },
    { method: 'PATCH', path: `${base}/:tableId`, handle: (request) => change(request, 'patch') },
    { method: 'PUT', path: `${base}/:tableId`, handle: (request) => change(request, 'update') },
    { method: 'DELETE', path: `${base}/:tableId`, handle: remove },
  ];

  function get(request: ApiRequest): TableEntry {
    return catalog.table({
      projectId: request.params.projectId!,
      datasetId: request.params.datasetId!,
      tableId: request.params.tableId!,
    });
  }

  async function insert(request: ApiRequest) {
    const { projectId, datasetId } = request.params as { projectId: string; datasetId: string };
    const { tableId } = recordOf(request.body.tableReference, 'tableReference');
    if (typeof tableId !== 'string' || !/^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]{1,1024}$/u.test(tableId)) {
      throw invalid(
        `Invalid table ID "${String(tableId)}". Table IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.`,
      );
    }
    const reference = { projectId, datasetId, tableId };
    let created: TableEntry | undefined;
    await catalog.change(() => {
      const dataset = catalog.dataset(reference);
      if (catalog.find('table', [projectId, datasetId, tableId]) !== undefined) {
        throw duplicate(`Already Exists: Table ${displayTable(reference)}`);
      }
      const properties = readProperties(request.body);
      const lifetime = dataset.properties.defaultTableExpirationMs;
      const stamp = catalog.newStamp();
      if (lifetime !== undefined) properties.expirationTime ??= String(stamp.creationTime + Number(lifetime));
      created = {
        ...readStructure(request.body, reference),
        properties: applyPatch({}, properties),
        ...stamp,
      };
      checkClustering(created);
      return { put: [created], ddl: created.kind === 'table' ? [createStatement(created)] : [] };
    });
    return describe(created!);
  }

  function readStructure(
    body: Readonly<Record<string, unknown>>,
    reference: TableReference,
  ): Omit<TableEntry, 'properties' | 'etag' | 'creationTime' | 'lastModifiedTime'> {
    if (isRecord(body.view)) {
      for (const other of ['timePartitioning', 'rangePartitioning', 'clustering']) {
        if (body[other] !== undefined && body[other] !== null) throw invalid(`A view cannot have ${other}.`);
      }
      const { query, schema } = readView(body.view, reference);
      return { kind: 'view', reference, fields: describeFields(schema, body.schema), duckdbName: '', query };
    }
    const fields = readFields(recordOf(body.schema, 'schema').fields ?? []);
    if (fields.length === 0)
      throw invalid('A table without a schema is not supported by the local BigQuery.');
    const timePartitioning = readPartitioning(body.timePartitioning, fields);
    const rangePartitioning = readRangePartitioning(body.rangePartitioning, fields);
    if (timePartitioning !== undefined && rangePartitioning !== undefined) {
      throw invalid('Only one of timePartitioning and rangePartitioning should be specified.');
    }
    return {
      kind: 'table',
      reference,
      fields,
      duckdbName: catalog.newDuckdbName(reference.tableId),
      query: '',
      ...(timePartitioning === undefined ? {} : { timePartitioning }),
      ...(rangePartitioning === undefined ? {} : { rangePartitioning }),
    };
  }

  /** A view is checked when it is made, as BigQuery does: what it names must exist. */
  function readView(
    view: Record<string, unknown>,
    reference: TableReference,
  ): { query: string; schema: Field[] } {
    refuseOthers(view, ['query', 'useLegacySql'], 'View');
    // The REST API's default for views is legacy SQL.
    if (view.useLegacySql !== false)
      throw invalid('Legacy SQL views are not supported by the local BigQuery.');
    if (typeof view.query !== 'string' || view.query === '') throw invalid('View query must be specified.');
    const { schema } = analyseQuery(view.query, {
      catalog: catalog.forQueries(reference.projectId),
      now: context.now(),
    });
    return { query: view.query, schema };
  }

  function list(request: ApiRequest) {
    const { projectId, datasetId } = request.params as { projectId: string; datasetId: string };
    catalog.dataset({ projectId, datasetId });
    const all = catalog.tables({ projectId, datasetId });
    const { page, ...next } = pageOf(all, request.query, DEFAULT_PAGE);
    return {
      kind: 'bigquery#tableList',
      ...next,
      tables: page.map((entry) => ({
        ...pick(resource(entry), [
          'kind',
          'id',
          'tableReference',
          'type',
          'friendlyName',
          'labels',
          'timePartitioning',
          'rangePartitioning',
          'clustering',
          'creationTime',
          'expirationTime',
        ]),
        ...(entry.kind === 'view' ? { view: { useLegacySql: false } } : {}),
      })),
      totalItems: all.length,
    };
  }

  async function change(request: ApiRequest, how: 'patch' | 'update') {
    const given = readProperties(request.body);
    let changed: TableEntry | undefined;
    await catalog.change(() => {
      const before = get(request);
      checkEtag(request.headers, before.etag);
      const properties = how === 'patch' ? applyPatch(before.properties, given) : applyPatch({}, given);
      const structure = changeStructure(before, request.body);
      changed = { ...before, ...structure.entry, properties, ...catalog.newStamp(before) };
      checkClustering(changed);
      return { put: [changed], ddl: structure.statements };
    });
    return describe(changed!);
  }

  function changeStructure(
    before: TableEntry,
    body: Readonly<Record<string, unknown>>,
  ): { entry: Partial<TableEntry>; statements: string[] } {
    if (before.kind === 'view') {
      if (!isRecord(body.view)) {
        return { entry: { fields: describeFields(before.fields, body.schema) }, statements: [] };
      }
      // The client sends the query alone when it changes a view it has read.
      const { query, schema } = readView({ useLegacySql: false, ...body.view }, before.reference);
      return { entry: { query, fields: describeFields(schema, body.schema) }, statements: [] };
    }
    if (isRecord(body.view)) throw invalid('Cannot convert a table to a view.');
    const entry: Partial<TableEntry> = {};
    if (body.timePartitioning !== undefined) {
      const after = readPartitioning(body.timePartitioning, before.fields);
      if (after === undefined || after.field !== before.timePartitioning?.field) {
        throw invalid('Cannot change partitioning spec for a partitioned/clustered table.');
      }
      entry.timePartitioning = after;
    }
    if (body.rangePartitioning !== undefined) {
      const after = readRangePartitioning(body.rangePartitioning, before.fields);
      if (!isDeepStrictEqual(after, before.rangePartitioning)) {
        throw invalid('Cannot change partitioning spec for a partitioned/clustered table.');
      }
    }
    if (!isRecord(body.schema)) return { entry, statements: [] };
    const wanted = readFields(body.schema.fields ?? []);
    const display = displayTable(before.reference);
    const { fields, statements } = planSchemaChange(
      { display, duckdbName: before.duckdbName },
      before.fields,
      wanted,
    );
    return { entry: { ...entry, fields }, statements };
  }

  async function remove(request: ApiRequest) {
    await catalog.change(() => {
      const entry = get(request);
      return { remove: [entry], ddl: entry.kind === 'table' ? [`DROP TABLE ${entry.duckdbName}`] : [] };
    });
    return undefined;
  }

  async function describe(entry: TableEntry) {
    if (entry.kind === 'view') return resource(entry);
    const size = await database.read((connection) =>
      measureTable(connection, entry.duckdbName, entry.fields),
    );
    return {
      ...resource(entry),
      numRows: String(size.rows),
      numBytes: String(totalBytes(size)),
      numLongTermBytes: '0',
    };
  }
}

function readProperties(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  refuseOthers(body, [...SETTABLE, ...STRUCTURE, ...OUTPUT_ONLY], 'Table');
  checkLabels(body.labels);
  wholeNumber(body.expirationTime, 'expirationTime');
  if (body.requirePartitionFilter === true) {
    throw invalid('requirePartitionFilter is not supported by the local BigQuery.');
  }
  return pick(body, SETTABLE);
}

/** A view's fields come from its query; only descriptions may be set over them. */
function describeFields(fields: readonly Field[], schema: unknown): Field[] {
  if (!isRecord(schema) || !Array.isArray(schema.fields)) return [...fields];
  const given = schema.fields.filter(isRecord);
  return fields.map((field) => {
    const description = given.find((other) => other.name === field.name)?.description;
    return typeof description === 'string' ? { ...field, description } : field;
  });
}

function resource(entry: TableEntry): Record<string, unknown> {
  const { projectId, datasetId, tableId } = entry.reference;
  return {
    kind: 'bigquery#table',
    etag: entry.etag,
    id: displayTable(entry.reference),
    selfLink: `https://bigquery.googleapis.com/bigquery/v2/projects/${projectId}/datasets/${datasetId}/tables/${tableId}`,
    tableReference: { projectId, datasetId, tableId },
    ...entry.properties,
    schema: { fields: entry.fields },
    type: entry.kind === 'view' ? 'VIEW' : 'TABLE',
    location: 'US',
    ...(entry.timePartitioning === undefined ? {} : { timePartitioning: entry.timePartitioning }),
    ...(entry.rangePartitioning === undefined ? {} : { rangePartitioning: entry.rangePartitioning }),
    ...(entry.kind === 'view' ? { view: { query: entry.query, useLegacySql: false } } : {}),
    creationTime: String(entry.creationTime),
    lastModifiedTime: String(entry.lastModifiedTime),
  };
}
