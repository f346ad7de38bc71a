import type { CatalogStore, DatasetEntry } from '../catalog.ts';
import { duplicate, invalid, notImplemented, resourceInUse } from '../errors.ts';
import {
  type ApiRequest,
  applyPatch,
  checkEtag,
  checkLabels,
  pageOf,
  pick,
  type Route,
  recordOf,
  refuseOthers,
} from './api.ts';

const SETTABLE = [
  'friendlyName',
  'description',
  'labels',
  'location',
  'defaultTableExpirationMs',
  'defaultPartitionExpirationMs',
  'maxTimeTravelHours',
  'storageBillingModel',
];
const OUTPUT_ONLY = [
  'kind',
  'etag',
  'id',
  'selfLink',
  'datasetReference',
  'creationTime',
  'lastModifiedTime',
  'type',
  'isCaseInsensitive',
  'satisfiesPzs',
];
const DEFAULT_PAGE = 50;

/** The datasets resource: insert, get, list, patch, update, delete. */
export function datasetRoutes(catalog: CatalogStore): Route[] {
  return [
    { method: 'POST', path: 'projects/:projectId/datasets', handle: insert },
    { method: 'GET', path: 'projects/:projectId/datasets', handle: list },
    {
      method: 'GET',
      path: 'projects/:projectId/datasets/:datasetId',
      handle: (request) => resource(get(request)),
    },
    {
      method: 'PATCH',
      path: 'projects/:projectId/datasets/:datasetId',
      handle: (request) => change(request, 'patch'),
    },
    {
      method: 'PUT',
      path: 'projects/:projectId/datasets/:datasetId',
      handle: (request) => change(request, 'update'),
    },
    { method: 'DELETE', path: 'projects/:projectId/datasets/:datasetId', handle: remove },
  ];

  function get(request: ApiRequest): DatasetEntry {
    return catalog.dataset({ projectId: request.params.projectId!, datasetId: request.params.datasetId! });
  }

  async function insert(request: ApiRequest) {
    const projectId = request.params.projectId!;
    const { datasetId } = recordOf(request.body.datasetReference, 'datasetReference');
    if (typeof datasetId !== 'string' || !/^[A-Za-z0-9_]{1,1024}$/.test(datasetId)) {
      throw invalid(
        `Invalid dataset ID "${String(datasetId)}". Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.`,
      );
    }
    const properties = readProperties(request.body);
    const entry: DatasetEntry = {
      kind: 'dataset',
      reference: { projectId, datasetId },
      properties: { location: 'US', ...properties },
      ...catalog.newStamp(),
    };
    await catalog.change(() => {
      if (catalog.find('dataset', [projectId, datasetId]) !== undefined) {
        throw duplicate(`Already Exists: Dataset ${projectId}:${datasetId}`);
      }
      return { put: [entry] };
    });
    return resource(entry);
  }

  function list(request: ApiRequest) {
    if (request.query.has('filter')) throw notImplemented('datasets.list with a filter');
    const { page, ...next } = pageOf(
      catalog.datasets(request.params.projectId!),
      request.query,
      DEFAULT_PAGE,
    );
    return {
      kind: 'bigquery#datasetList',
      ...next,
      datasets: page.map((entry) =>
        pick(resource(entry), ['kind', 'id', 'datasetReference', 'labels', 'friendlyName', 'location']),
      ),
    };
  }

  async function change(request: ApiRequest, how: 'patch' | 'update') {
    const given = readProperties(request.body);
    let changed: DatasetEntry | undefined;
    await catalog.change(() => {
      const before = get(request);
      checkEtag(request.headers, before.etag);
      const properties = how === 'patch' ? applyPatch(before.properties, given) : applyPatch({}, given);
      if (properties.location !== undefined && properties.location !== before.properties.location) {
        throw invalid('Cannot change the location of a dataset.');
      }
      properties.location = before.properties.location;
      changed = { ...before, properties, ...catalog.newStamp(before) };
      return { put: [changed] };
    });
    return resource(changed!);
  }

  async function remove(request: ApiRequest) {
    await catalog.change(() => {
      const entry = get(request);
      const tables = catalog.tables(entry.reference);
      const contents = [...tables, ...catalog.routines(entry.reference)];
      if (contents.length > 0 && request.query.get('deleteContents') !== 'true') {
        const { projectId, datasetId } = entry.reference;
        throw resourceInUse(`Dataset ${projectId}:${datasetId} is still in use`);
      }
      return {
        remove: [entry, ...contents],
        ddl: tables
          .filter((table) => table.kind === 'table')
          .map((table) => `DROP TABLE ${table.duckdbName}`),
      };
    });
    return undefined;
  }
}

function readProperties(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  refuseOthers(body, [...SETTABLE, ...OUTPUT_ONLY], 'Dataset');
  checkLabels(body.labels);
  return pick(body, SETTABLE);
}

function resource(entry: DatasetEntry): Record<string, unknown> {
  const { projectId, datasetId } = entry.reference;
  return {
    kind: 'bigquery#dataset',
    etag: entry.etag,
    id: `${projectId}:${datasetId}`,
    selfLink: `https://bigquery.googleapis.com/bigquery/v2/projects/${projectId}/datasets/${datasetId}`,
    datasetReference: { datasetId, projectId },
    ...entry.properties,
    creationTime: String(entry.creationTime),
    lastModifiedTime: String(entry.lastModifiedTime),
    type: 'DEFAULT',
  };
}
