import { type Answer, refuse, refuseWithReason } from './answer.ts';
import type { ApiName, FaultName } from './faults.ts';
import {
  concurrentExhausted,
  exhausted,
  serverErrorsExhausted,
  thresholdedExhausted,
} from './google-analytics/quota.ts';
import { queriesExceeded, unitsExceeded } from './youtube/quota.ts';

/** A page of Google's front end, which is no JSON. */
export interface HtmlAnswer {
  status: number;
  html: string;
}

/** The answer of a fault that refuses; undefined for those that let the call run. In the words of the API that was called. */
export function refusalOf(fault: FaultName, api: ApiName): Answer | HtmlAnswer | undefined {
  const isOld = api === 'youtube_analytics' || api === 'youtube_data' || api === 'youtube_partner';
  const worded = (status: number, reason: string, message: string, name: string): Answer =>
    isOld ? refuseWithReason(status, reason, message, { status: name }) : refuse(status, message);
  switch (fault) {
    case 'invalid_argument':
      return worded(400, 'badRequest', 'Request contains an invalid argument.', 'INVALID_ARGUMENT');
    case 'unauthenticated':
      return worded(
        401,
        'authError',
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
        'UNAUTHENTICATED',
      );
    case 'permission_denied':
      return worded(
        403,
        'forbidden',
        isOld
          ? 'Forbidden'
          : 'User does not have sufficient permissions for this property. To learn more about Property ID, see https://developers.google.com/analytics/devguides/reporting/data/v1/property-id.',
        'PERMISSION_DENIED',
      );
    case 'not_found':
      return worded(404, 'notFound', 'Requested entity was not found.', 'NOT_FOUND');
    case 'concurrent_requests':
      return concurrentExhausted();
    case 'tokens_per_day':
      return exhausted('property tokens per day', '24 hours');
    case 'tokens_per_hour':
      return exhausted('property tokens per hour', 'an hour');
    case 'tokens_per_project_per_hour':
      return exhausted('property tokens for a project per hour', 'an hour');
    case 'thresholded_requests':
      return thresholdedExhausted();
    case 'server_errors':
      return serverErrorsExhausted();
    case 'rate_limited':
      return queriesExceeded('per minute');
    case 'queries_per_day':
      return queriesExceeded('per day');
    case 'quota_exceeded':
      return unitsExceeded();
    case 'internal':
      if (api === 'token') return { status: 500, body: { error: 'internal_failure' } };
      return worded(500, 'backendError', 'Internal error encountered.', 'INTERNAL');
    case 'unavailable':
      return worded(503, 'backendError', 'The service is currently unavailable.', 'UNAVAILABLE');
    case 'bad_gateway':
      return { status: 502, html: '<!DOCTYPE html>\n<title>Error 502 (Server Error)!!1</title>' };
    case 'gateway_timeout':
      return worded(
        504,
        'backendError',
        'Deadline expired before operation could complete.',
        'DEADLINE_EXCEEDED',
      );
    case 'invalid_grant':
      return {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
      };
    case 'invalid_client':
      return {
        status: 401,
        body: { error: 'invalid_client', error_description: 'The OAuth client was not found.' },
      };
    default:
      return undefined;
  }
}

type Fields = Record<string, unknown>;

/** A good answer bent as Google at times answers. `offset` is the first row of the page that was asked for. */
export function bendAnswer(fault: FaultName, api: ApiName, answer: Answer, offset: number): Answer {
  if (answer.status !== 200) return answer;
  if (fault === 'errors_in_200' && api !== 'google_analytics') {
    const errors = {
      code: 'INTERNAL_ERROR',
      requestId: 'local',
      error: [{ domain: 'GDATA', code: 'internalError', externalErrorMessage: 'Internal error' }],
    };
    return { status: 200, body: { kind: 'youtubeAnalytics#resultTable', errors } };
  }
  const body: Fields = { ...answer.body };
  const reports = body.reports;
  if (Array.isArray(reports)) {
    // Of a batch the first report is bent.
    const [first, ...others]: unknown[] = reports;
    const bent = isFields(first) ? bendReport(fault, { ...first }, offset) : first;
    return { status: 200, body: { ...body, reports: [bent, ...others] } };
  }
  return { status: 200, body: bendReport(fault, body, offset) };
}

function bendReport(fault: FaultName, body: Fields, offset: number): Fields {
  const rows: unknown[] = Array.isArray(body.rows) ? body.rows : [];
  switch (fault) {
    case 'float_integers':
      return JSON.parse(
        JSON.stringify(body, (key, value: unknown) =>
          key === 'metricValues' && Array.isArray(value) ? value.map(asFloat) : value,
        ),
      ) as Fields;
    case 'row_count_changes':
      return typeof body.rowCount === 'number' && offset > 0
        ? { ...body, rowCount: body.rowCount + 1 }
        : body;
    case 'no_row_count':
      return without(body, 'rowCount');
    case 'row_count_without_rows':
      return {
        ...without(body, 'rows'),
        rowCount: typeof body.rowCount === 'number' ? body.rowCount : 5,
      };
    case 'empty_page':
      return offset > 0 ? without(body, 'rows') : body;
    case 'short_page':
      return { ...body, rows: rows.slice(0, Math.max(1, Math.floor(rows.length / 2))) };
    case 'duplicate_row':
      return rows.length > 0 ? { ...body, rows: [...rows.slice(0, -1), rows[0]] } : body;
    case 'other_date':
      return {
        ...body,
        rows: rows.map((row, index) => {
          const values = index === 0 && isFields(row) ? row.dimensionValues : undefined;
          if (!Array.isArray(values)) return row;
          return { ...(isFields(row) ? row : {}), dimensionValues: values.map(() => ({ value: '(other)' })) };
        }),
      };
    case 'swapped_headers': {
      const headers = body.metricHeaders ?? body.columnHeaders;
      const swapped = Array.isArray(headers) ? [...headers].reverse() : headers;
      return 'metricHeaders' in body
        ? { ...body, metricHeaders: swapped }
        : { ...body, columnHeaders: swapped };
    }
    default:
      return body;
  }
}

function asFloat(value: unknown): unknown {
  if (!isFields(value) || typeof value.value !== 'string' || !/^\d+$/.test(value.value)) return value;
  return { value: `${value.value}.0` };
}

function without(body: Fields, name: string): Fields {
  const { [name]: _, ...rest } = body;
  return rest;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
