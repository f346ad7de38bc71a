import { setTimeout as wait } from 'node:timers/promises';
import { errorProto, invalid, notFound, notImplemented } from '../errors.ts';
import type { Translated } from '../sql/index.ts';
import {
  type ApiRequest,
  isRecord,
  pageOf,
  type Route,
  readPageToken,
  recordOf,
  refuseOthers,
  wholeNumber,
  writePageToken,
} from './api.ts';
import type { Job, JobStore, QueryRequest } from './job-store.ts';
import { askedFor, QUERY_PROPERTIES, queryConfiguration, readQuery } from './query-request.ts';
import { restRow, timestampFormat } from './rows-to-rest.ts';

const LOCATION = 'US';
const DEFAULT_TIMEOUT_MS = 10_000;
/** "The maximum value is 200 seconds" is what clients are told to expect; a longer wait is answered incomplete too. */
const MAX_TIMEOUT_MS = 200_000;
/** getQueryResults and jobs.query answer at most 10 MB of rows per page. */
const MAX_PAGE_BYTES = 10 * 1024 * 1024;
const DEFAULT_LIST_PAGE = 50;

const QUERY_REQUEST_PROPERTIES = [
  ...QUERY_PROPERTIES,
  'kind',
  'dryRun',
  'maxResults',
  'timeoutMs',
  'location',
  'labels',
  'formatOptions',
  'requestId',
  'jobCreationMode',
  'jobTimeoutMs',
];

/** Query jobs: jobs.query, insert, get, list, cancel, delete, getQueryResults; other kinds of job are refused by name. */
export function jobRoutes(jobs: JobStore): Route[] {
  return [
    { method: 'POST', path: 'projects/:projectId/queries', handle: query },
    { method: 'GET', path: 'projects/:projectId/queries/:jobId', handle: getQueryResults },
    { method: 'POST', path: 'projects/:projectId/jobs', handle: insert },
    { method: 'GET', path: 'projects/:projectId/jobs', handle: list },
    {
      method: 'GET',
      path: 'projects/:projectId/jobs/:jobId',
      handle: (request) => jobResource(get(request)),
    },
    { method: 'POST', path: 'projects/:projectId/jobs/:jobId/cancel', handle: cancel },
    {
      method: 'DELETE',
      path: 'projects/:projectId/jobs/:jobId/delete',
      handle(request) {
        jobs.remove(get(request));
        return undefined;
      },
    },
  ];

  function get(request: ApiRequest): Job {
    const { projectId, jobId } = request.params as { projectId: string; jobId: string };
    const location = request.query.get('location');
    if (location !== null && location !== '' && location.toUpperCase() !== LOCATION) {
      throw notFound(`Not found: Job ${projectId}:${location}.${jobId}`);
    }
    return jobs.get(projectId, jobId);
  }

  async function query(request: ApiRequest) {
    const body = askedFor(request.body);
    refuseOthers(body, QUERY_REQUEST_PROPERTIES, 'QueryRequest');
    const parsed = readQuery(
      body,
      request.params.projectId!,
      recordOf(body.labels, 'labels'),
      wholeNumber(body.jobTimeoutMs, 'jobTimeoutMs'),
    );
    const format = timestampFormat(recordOf(body.formatOptions, 'formatOptions'));
    if (body.dryRun === true) {
      const { translated, bytesProcessed } = await jobs.dryRun(parsed);
      return {
        kind: 'bigquery#queryResponse',
        schema: schemaOf(translated),
        jobReference: { projectId: parsed.projectId, location: LOCATION },
        totalBytesProcessed: String(bytesProcessed),
        jobComplete: true,
        cacheHit: false,
        statementType: statementType(translated),
      };
    }
    const job = jobs.start(parsed);
    const answer = await results(jobs, job, {
      timeoutMs: wholeNumber(body.timeoutMs, 'timeoutMs') ?? DEFAULT_TIMEOUT_MS,
      maxResults: wholeNumber(body.maxResults, 'maxResults'),
      start: 0,
      format,
    });
    return { kind: 'bigquery#queryResponse', ...answer };
  }

  async function getQueryResults(request: ApiRequest) {
    const { query } = request;
    const answer = await results(jobs, get(request), {
      timeoutMs: wholeNumber(query.get('timeoutMs'), 'timeoutMs') ?? DEFAULT_TIMEOUT_MS,
      maxResults: wholeNumber(query.get('maxResults'), 'maxResults'),
      start: query.get('pageToken')
        ? readPageToken(query.get('pageToken'))
        : (wholeNumber(query.get('startIndex'), 'startIndex') ?? 0),
      format: timestampFormat({
        useInt64Timestamp: query.get('formatOptions.useInt64Timestamp') ?? undefined,
        timestampOutputFormat: query.get('formatOptions.timestampOutputFormat') ?? undefined,
      }),
    });
    return { kind: 'bigquery#getQueryResultsResponse', etag: get(request).jobId, ...answer };
  }

  async function insert(request: ApiRequest) {
    refuseOthers(request.body, ['configuration', 'jobReference', 'kind'], 'Job');
    const configuration = recordOf(request.body.configuration, 'configuration');
    for (const kind of ['load', 'extract', 'copy']) {
      if (isRecord(configuration[kind])) throw notImplemented(`A job of kind ${kind}`);
    }
    refuseOthers(configuration, ['query', 'dryRun', 'labels', 'jobTimeoutMs', 'jobType'], 'JobConfiguration');
    if (!isRecord(configuration.query))
      throw invalid(
        'Job configuration must contain exactly one job-specific configuration object (e.g., query, load, extract, spark), but there were 0: ',
      );
    const parsed = readQuery(
      queryConfiguration(configuration.query),
      request.params.projectId!,
      recordOf(configuration.labels, 'labels'),
      wholeNumber(configuration.jobTimeoutMs, 'configuration.jobTimeoutMs'),
    );
    const reference = recordOf(request.body.jobReference, 'jobReference');
    if (typeof reference.location === 'string' && reference.location.toUpperCase() !== LOCATION) {
      throw notImplemented(`Location ${reference.location}`);
    }
    if (configuration.dryRun === true) {
      const { translated, bytesProcessed } = await jobs.dryRun(parsed);
      return dryRunResource(parsed, translated, bytesProcessed);
    }
    if (typeof reference.jobId === 'string') {
      if (!/^[A-Za-z0-9_-]{1,1024}$/.test(reference.jobId))
        throw invalid(`Invalid job ID "${reference.jobId}"`);
      parsed.jobId = reference.jobId;
    }
    return jobResource(jobs.start(parsed));
  }

  function list(request: ApiRequest) {
    const states = request.query.getAll('stateFilter').map((state) => state.toUpperCase());
    const all = jobs
      .list(request.params.projectId!)
      .filter((job) => states.length === 0 || states.includes(stateOf(job)));
    const { page, ...next } = pageOf(all, request.query, DEFAULT_LIST_PAGE);
    return {
      kind: 'bigquery#jobList',
      ...next,
      jobs: page.map((job) => ({ ...jobResource(job), state: stateOf(job) })),
    };
  }

  async function cancel(request: ApiRequest) {
    const job = get(request);
    jobs.cancel(job);
    await job.done;
    return { kind: 'bigquery#jobCancelResponse', job: jobResource(job) };
  }
}

/** Waits for the job within the timeout, and answers one page of its result. */
async function results(
  jobs: JobStore,
  job: Job,
  page: {
    timeoutMs: number;
    maxResults: number | undefined;
    start: number;
    format: ReturnType<typeof timestampFormat>;
  },
): Promise<Record<string, unknown>> {
  const jobReference = { projectId: job.projectId, jobId: job.jobId, location: LOCATION };
  const stop = new AbortController();
  await Promise.race([
    job.done,
    wait(Math.min(page.timeoutMs, MAX_TIMEOUT_MS), undefined, { signal: stop.signal }).catch(() => undefined),
  ]);
  stop.abort();
  if (job.endedAt === undefined) return { jobReference, jobComplete: false };
  if (job.error !== undefined) throw job.error;
  const { translated } = job;
  if (translated === undefined) throw notFound(`Not found: the result of job ${job.jobId}`);
  const { rows: wanted, total } = await jobs.readRows(job, page.start, page.maxResults);
  const fields = jobs.fieldsOf(job);
  const sent: object[] = [];
  let bytes = 0;
  for (const row of wanted) {
    const rest = restRow(row, fields, page.format);
    bytes += JSON.stringify(rest).length;
    if (bytes > MAX_PAGE_BYTES && sent.length > 0) break;
    sent.push(rest);
  }
  const next = page.start + sent.length;
  // maxResults 0 asks for the schema alone. A token there would have a client that follows tokens ask for ever.
  const more = next < total && sent.length > 0;
  return {
    schema: translated.kind === 'select' ? { fields } : {},
    jobReference,
    totalRows: String(total),
    ...(more ? { pageToken: writePageToken(next) } : {}),
    ...(sent.length > 0 ? { rows: sent } : {}),
    totalBytesProcessed: String(job.bytesProcessed),
    totalBytesBilled: String(job.bytesProcessed),
    jobComplete: true,
    cacheHit: false,
    statementType: statementType(translated),
    ...changeStatistics(job),
  };
}

const statementType = (translated: Translated): string => translated.kind.toUpperCase();

/** A statement that changes rows answers none, and an empty schema. */
const schemaOf = (translated: Translated): object =>
  translated.kind === 'select' ? { fields: translated.schema } : {};

function changeStatistics({ changed }: Job): Record<string, unknown> {
  if (changed === undefined) return {};
  const { inserted, updated, deleted } = changed;
  return {
    numDmlAffectedRows: String(inserted + updated + deleted),
    dmlStats: {
      insertedRowCount: String(inserted),
      updatedRowCount: String(updated),
      deletedRowCount: String(deleted),
    },
  };
}

function stateOf(job: Job): string {
  return job.endedAt === undefined ? 'RUNNING' : 'DONE';
}

function jobResource(job: Job): Record<string, unknown> {
  const error = job.endedAt === undefined || job.error === undefined ? undefined : errorProto(job.error);
  return {
    kind: 'bigquery#job',
    etag: `${job.jobId}:${stateOf(job)}`,
    id: `${job.projectId}:${LOCATION}.${job.jobId}`,
    selfLink: `https://bigquery.googleapis.com/bigquery/v2/projects/${job.projectId}/jobs/${job.jobId}?location=${LOCATION}`,
    user_email: 'local@localhost',
    jobReference: { projectId: job.projectId, jobId: job.jobId, location: LOCATION },
    configuration: {
      jobType: 'QUERY',
      query: { ...job.request.configuration, ...destinationOf(job) },
      ...(Object.keys(job.request.labels ?? {}).length > 0 ? { labels: job.request.labels } : {}),
      ...(job.request.timeoutMs === undefined ? {} : { jobTimeoutMs: String(job.request.timeoutMs) }),
    },
    status: { state: stateOf(job), ...(error === undefined ? {} : { errorResult: error, errors: [error] }) },
    statistics: {
      creationTime: String(job.createdAt),
      startTime: String(job.createdAt),
      ...(job.endedAt === undefined ? {} : { endTime: String(job.endedAt) }),
      totalBytesProcessed: String(job.bytesProcessed),
      query: {
        totalBytesProcessed: String(job.bytesProcessed),
        totalBytesBilled: String(job.bytesProcessed),
        cacheHit: false,
        ...(job.translated === undefined
          ? {}
          : {
              statementType: statementType(job.translated),
              referencedTables: job.translated.referencedTables,
            }),
        ...changeStatistics(job),
      },
    },
  };
}

/** A statement that changes rows has its target for a destination. */
const destinationOf = ({ translated }: Job): object =>
  translated === undefined || translated.kind === 'select'
    ? {}
    : { destinationTable: translated.target.reference };

function dryRunResource(
  request: QueryRequest,
  translated: Translated,
  bytesProcessed: number,
): Record<string, unknown> {
  return {
    kind: 'bigquery#job',
    jobReference: { projectId: request.projectId, location: LOCATION },
    configuration: { jobType: 'QUERY', dryRun: true, query: request.configuration },
    status: { state: 'DONE' },
    statistics: {
      creationTime: String(Date.now()),
      totalBytesProcessed: String(bytesProcessed),
      query: {
        totalBytesProcessed: String(bytesProcessed),
        totalBytesBilled: '0',
        cacheHit: false,
        statementType: statementType(translated),
        schema: schemaOf(translated),
        referencedTables: translated.referencedTables,
      },
    },
  };
}
