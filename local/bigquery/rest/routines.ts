import type { CatalogStore, RoutineEntry, RoutineReference } from '../catalog.ts';
import { duplicate, invalid } from '../errors.ts';
import { analyse } from '../queries.ts';
import type { Field } from '../sql/types.ts';
import {
  type ApiRequest,
  applyPatch,
  checkEtag,
  pageOf,
  pick,
  type Route,
  recordOf,
  refuseOthers,
} from './api.ts';

const SETTABLE = ['description', 'returnTableType', 'strictMode'];
const STRUCTURE = ['routineType', 'language', 'arguments', 'definitionBody'];
const OUTPUT_ONLY = ['etag', 'routineReference', 'creationTime', 'lastModifiedTime'];
const DEFAULT_PAGE = 50;

/** Argument types in the API's spelling (StandardSqlDataType.typeKind) and the column type they stand for. */
const argumentTypes: Readonly<Record<string, Field['type']>> = {
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

/** The routines resource, for table functions in SQL; other kinds are refused by name. */
export function routineRoutes(context: { catalog: CatalogStore; now: () => Date }): Route[] {
  const { catalog } = context;
  const base = 'projects/:projectId/datasets/:datasetId/routines';
  return [
    { method: 'POST', path: base, handle: insert },
    { method: 'GET', path: base, handle: list },
    { method: 'GET', path: `${base}/:routineId`, handle: (request) => resource(get(request)) },
    { method: 'PUT', path: `${base}/:routineId`, handle: update },
    // The API has no patch for routines, but accepts the method as an update.
    { method: 'PATCH', path: `${base}/:routineId`, handle: update },
    { method: 'DELETE', path: `${base}/:routineId`, handle: remove },
  ];

  function get(request: ApiRequest): RoutineEntry {
    return catalog.routine({
      projectId: request.params.projectId!,
      datasetId: request.params.datasetId!,
      routineId: request.params.routineId!,
    });
  }

  async function insert(request: ApiRequest) {
    const { projectId, datasetId } = request.params as { projectId: string; datasetId: string };
    const { routineId } = recordOf(request.body.routineReference, 'routineReference');
    if (typeof routineId !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(routineId)) {
      throw invalid(`Invalid routine ID "${String(routineId)}".`);
    }
    const reference = { projectId, datasetId, routineId };
    let created: RoutineEntry | undefined;
    await catalog.change(() => {
      catalog.dataset(reference);
      if (catalog.find('routine', [projectId, datasetId, routineId]) !== undefined) {
        throw duplicate(`Already Exists: Routine ${projectId}:${datasetId}.${routineId}`);
      }
      created = { ...read(request.body, reference), ...catalog.newStamp() };
      check(created);
      return { put: [created] };
    });
    return resource(created!);
  }

  function list(request: ApiRequest) {
    const { projectId, datasetId } = request.params as { projectId: string; datasetId: string };
    catalog.dataset({ projectId, datasetId });
    const { page, ...next } = pageOf(catalog.routines({ projectId, datasetId }), request.query, DEFAULT_PAGE);
    return {
      ...next,
      routines: page.map((entry) =>
        pick(resource(entry), [
          'etag',
          'routineReference',
          'routineType',
          'language',
          'creationTime',
          'lastModifiedTime',
        ]),
      ),
    };
  }

  async function update(request: ApiRequest) {
    let changed: RoutineEntry | undefined;
    await catalog.change(() => {
      const before = get(request);
      checkEtag(request.headers, before.etag);
      changed = { ...read(request.body, before.reference), ...catalog.newStamp(before) };
      check(changed);
      return { put: [changed] };
    });
    return resource(changed!);
  }

  async function remove(request: ApiRequest) {
    await catalog.change(() => ({ remove: [get(request)] }));
    return undefined;
  }

  /** Checks the body as BigQuery does when a routine is made: by analysing a call of it. */
  function check(routine: RoutineEntry): void {
    const { projectId, datasetId, routineId } = routine.reference;
    const queries = catalog.forQueries(projectId);
    const name = `\`${projectId}.${datasetId}.${routineId}\``;
    const values = routine.arguments.map((argument) => `CAST(NULL AS ${argument.typeKind})`);
    analyse(`SELECT * FROM ${name}(${values.join(', ')})`, {
      catalog: {
        ...queries,
        tableFunction: (reference) =>
          reference.projectId === projectId &&
          reference.datasetId === datasetId &&
          reference.routineId === routineId
            ? { arguments: routine.arguments.map(({ name, type }) => ({ name, type })), body: routine.body }
            : queries.tableFunction(reference),
      },
      now: context.now(),
    });
  }
}

function read(
  body: Readonly<Record<string, unknown>>,
  reference: RoutineReference,
): Pick<RoutineEntry, 'kind' | 'reference' | 'properties' | 'arguments' | 'body'> {
  refuseOthers(body, [...SETTABLE, ...STRUCTURE, ...OUTPUT_ONLY], 'Routine');
  if (body.routineType !== 'TABLE_VALUED_FUNCTION') {
    throw invalid(
      `Routine type ${String(body.routineType)} is not supported by the local BigQuery; only TABLE_VALUED_FUNCTION is.`,
    );
  }
  if (body.language !== undefined && body.language !== 'SQL') {
    throw invalid(
      `Routine language ${String(body.language)} is not supported by the local BigQuery; only SQL is.`,
    );
  }
  if (typeof body.definitionBody !== 'string' || body.definitionBody === '') {
    throw invalid('Routine definitionBody must be specified.');
  }
  const given = body.arguments ?? [];
  if (!Array.isArray(given)) throw invalid("Invalid value at 'arguments': a list is required");
  return {
    kind: 'routine',
    reference,
    properties: applyPatch({}, pick(body, SETTABLE)),
    arguments: given.map(readArgument),
    body: body.definitionBody,
  };
}

function readArgument(value: unknown): RoutineEntry['arguments'][number] {
  const given = recordOf(value, 'arguments');
  refuseOthers(given, ['name', 'dataType', 'argumentKind'], 'Routine argument');
  const typeKind = String(recordOf(given.dataType, 'dataType').typeKind ?? '');
  const type = argumentTypes[typeKind];
  if (typeof given.name !== 'string' || given.name === '')
    throw invalid('Routine argument name must be specified.');
  if (type === undefined) {
    throw invalid(`Routine argument ${given.name}: type ${typeKind} is not supported by the local BigQuery.`);
  }
  return { name: given.name, typeKind, type };
}

function resource(entry: RoutineEntry): Record<string, unknown> {
  return {
    etag: entry.etag,
    routineReference: entry.reference,
    routineType: 'TABLE_VALUED_FUNCTION',
    creationTime: String(entry.creationTime),
    lastModifiedTime: String(entry.lastModifiedTime),
    language: 'SQL',
    arguments: entry.arguments.map(({ name, typeKind }) => ({ name, dataType: { typeKind } })),
    definitionBody: entry.body,
    ...entry.properties,
  };
}
