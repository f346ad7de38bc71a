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
  'destinationTable',
  'tableDefinitions',
  'externalTableDefinitions',
  'userDefinedFunctionResources',
  'createDisposition',
  'writeDisposition',
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

/**
 * The query of a job's configuration. What is no property of it is left out, as BigQuery does: the Node client leaves its
 * own options there (`types`, `wrapIntegers`, `parseJSON`, `maxResults`, ...).
 */
export function queryConfiguration(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const name of UNSUPPORTED_PROPERTIES) {
    if (!isOff(given[name])) throw notImplemented(`JobConfigurationQuery: property '${name}'`);
  }
  return Object.fromEntries(
    QUERY_PROPERTIES.filter((name) => name in given).map((name) => [name, given[name]]),
  );
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
  const maximumBytesBilled = wholeNumber(body.maximumBytesBilled, 'maximumBytesBilled');
  return {
    projectId,
    query: body.query,
    labels,
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
