import { invalid, invalidQuery, notImplemented } from '../errors.ts';
import type { QueryParameter } from '../sql/index.ts';
import { isRecord, recordOf, wholeNumber } from './api.ts';
import type { QueryRequest } from './job-store.ts';

/** What jobs.query and a query job's configuration have in common. */
export const QUERY_PROPERTIES = [
  'query',
  'useLegacySql',
  'defaultDataset',
  'queryParameters',
  'parameterMode',
  'maximumBytesBilled',
  'useQueryCache',
  'priority',
];

/**
 * The other properties of JobConfigurationQuery (rest/v2/Job): each changes what a query does, so it is refused rather
 * than passed over.
 */
const UNSUPPORTED_PROPERTIES = [
  'tableDefinitions',
  'externalTableDefinitions',
  'userDefinedFunctionResources',
  'schemaUpdateOptions',
  'timePartitioning',
  'rangePartitioning',
  'clustering',
  'destinationEncryptionConfiguration',
  'scriptOptions',
  'connectionProperties',
  'createSession',
  'continuous',
  'writeIncrementalResults',
];

/** Where the result of a job goes; a jobs.query has no such properties. */
const DESTINATION_PROPERTIES = ['destinationTable', 'createDisposition', 'writeDisposition'];

/**
 * The query of a job's configuration. What is no property of it is left out, as BigQuery does: the Node client leaves its
 * own options there (`types`, `wrapIntegers`, `parseJSON`, `maxResults`, ...).
 */
export function queryConfiguration(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const name of UNSUPPORTED_PROPERTIES) {
    if (!isOff(given[name])) throw notImplemented(`JobConfigurationQuery: property '${name}'`);
  }
  const names = [...QUERY_PROPERTIES, ...DESTINATION_PROPERTIES];
  return Object.fromEntries(names.filter((name) => name in given).map((name) => [name, given[name]]));
}

/** The properties of a jobs.query without those that ask for nothing, as `createSession: false` does. */
export function askedFor(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !(UNSUPPORTED_PROPERTIES.includes(name) && isOff(value))),
  );
}

const isOff = (value: unknown): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

/** Reads a query with its parameters, as jobs.query and jobs.insert both send it. */
export function readQuery(
  body: Readonly<Record<string, unknown>>,
  projectId: string,
  labels: Record<string, unknown>,
  timeoutMs: number | undefined,
): QueryRequest {
  if (typeof body.query !== 'string' || body.query.trim() === '')
    throw invalid('Required parameter is missing: query');
  // The REST API's default is legacy SQL.
  if (body.useLegacySql !== false) {
    throw invalidQuery('Legacy SQL is not supported by the local BigQuery; set useLegacySql to false.');
  }
  const dataset = recordOf(body.defaultDataset, 'defaultDataset');
  const mode = body.parameterMode === undefined ? undefined : String(body.parameterMode).toUpperCase();
  if (mode !== undefined && mode !== 'NAMED' && mode !== 'POSITIONAL' && mode !== 'NONE') {
    throw invalid(`Invalid parameterMode: ${mode}`);
  }
  const parameters = body.queryParameters;
  if (parameters !== undefined && !Array.isArray(parameters)) throw invalid('queryParameters must be a list');
  const destination = readDestination(body, projectId);
  const maximumBytesBilled = wholeNumber(body.maximumBytesBilled, 'maximumBytesBilled');
  return {
    projectId,
    query: body.query,
    labels,
    ...(destination === undefined ? {} : { destination }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    configuration: { ...body, useLegacySql: false, priority: body.priority ?? 'INTERACTIVE' },
    ...(parameters === undefined ? {} : { parameters: parameters.map(readParameter) }),
    ...(mode === 'NAMED' || mode === 'POSITIONAL' ? { parameterMode: mode } : {}),
    ...(maximumBytesBilled === undefined ? {} : { maximumBytesBilled }),
    ...(typeof dataset.datasetId === 'string'
      ? {
          defaultDataset: {
            projectId: typeof dataset.projectId === 'string' ? dataset.projectId : projectId,
            datasetId: dataset.datasetId,
          },
        }
      : {}),
  };
}

const writeDispositions = ['WRITE_EMPTY', 'WRITE_APPEND', 'WRITE_TRUNCATE', 'WRITE_TRUNCATE_DATA'] as const;
const createDispositions = ['CREATE_IF_NEEDED', 'CREATE_NEVER'] as const;

function readDestination(
  body: Readonly<Record<string, unknown>>,
  projectId: string,
): QueryRequest['destination'] {
  if (isOff(body.destinationTable)) {
    for (const name of DESTINATION_PROPERTIES) {
      if (!isOff(body[name])) throw notImplemented(`'${name}' without a destinationTable`);
    }
    return undefined;
  }
  const table = recordOf(body.destinationTable, 'destinationTable');
  const { datasetId, tableId } = table;
  if (typeof datasetId !== 'string' || typeof tableId !== 'string') {
    throw invalid('Required parameter is missing: destinationTable.datasetId and tableId');
  }
  if (!/^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]{1,1024}$/u.test(tableId)) {
    throw invalid(
      `Invalid table ID "${tableId}", or one with a decorator, which is not supported by the local BigQuery.`,
    );
  }
  return {
    table: {
      projectId: typeof table.projectId === 'string' ? table.projectId : projectId,
      datasetId,
      tableId,
    },
    write: oneOf(body, 'writeDisposition', writeDispositions),
    create: oneOf(body, 'createDisposition', createDispositions),
  };
}

/** The property's value, the first of `values` where it is absent. */
function oneOf<const T extends string>(
  body: Readonly<Record<string, unknown>>,
  name: string,
  values: readonly [T, ...T[]],
): T {
  const value = body[name] ?? values[0];
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw invalid(`Invalid value at '${name}': ${String(value)}`);
  return found;
}

function readParameter(value: unknown): QueryParameter {
  const given = recordOf(value, 'queryParameters');
  const type = recordOf(given.parameterType, 'queryParameters.parameterType');
  const named = typeof given.name === 'string' && given.name !== '' ? { name: given.name } : {};
  if (typeof type.type !== 'string') {
    throw invalid(`Query parameter ${JSON.stringify(given.name ?? '')} has no type`);
  }
  return {
    ...named,
    type: type as unknown as QueryParameter['type'],
    value: readParameterValue(given.parameterValue),
  };
}

/** The API's values are strings; clients send JSON numbers and booleans too, which it takes as their text. */
function readParameterValue(given: unknown): QueryParameter['value'] {
  const { value, arrayValues, structValues } = recordOf(given, 'queryParameters.parameterValue');
  if (typeof value === 'object' && value !== null) throw invalid('A query parameter value must be a scalar');
  if (arrayValues !== undefined && !Array.isArray(arrayValues)) throw invalid('arrayValues must be a list');
  return {
    ...(value === undefined ? {} : { value: value === null ? null : String(value) }),
    ...(arrayValues === undefined ? {} : { arrayValues: arrayValues.map(readParameterValue) }),
    ...(isRecord(structValues)
      ? {
          structValues: Object.fromEntries(
            Object.entries(structValues).map(([name, inner]) => [name, readParameterValue(inner)]),
          ),
        }
      : {}),
  };
}
