import type { IncomingHttpHeaders } from 'node:http';
import { GoogleError, invalid } from '../errors.ts';

/** A request after routing: the path's parameters by name, the query string, the body as an object. */
export interface ApiRequest {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  body: Readonly<Record<string, unknown>>;
  headers: IncomingHttpHeaders;
}

/** What a route answers; undefined is 204 without a body. */
export type ApiAnswer = object | undefined;

export type Handler = (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer;

export interface Route {
  method: string;
  /** Segments below /bigquery/v2, `:name` for a parameter; a trailing `*` matches the rest. */
  path: string;
  handle: Handler;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown, name: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw invalid(`Invalid value at '${name}': an object is required`);
  return value;
}

/** A whole number out of the query string or a body; undefined when absent. */
export function wholeNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const parsed = Number(value);
  if (!Number.isSafeInteger(parsed) || parsed < 0)
    throw invalid(`Invalid value at '${name}': ${String(value)}`);
  return parsed;
}

/** Refuses the properties that are set and not listed, naming the first. */
export function refuseOthers(
  body: Readonly<Record<string, unknown>>,
  known: readonly string[],
  what: string,
): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null || known.includes(name)) continue;
    throw invalid(`${what}: property '${name}' is unknown or not supported by the local BigQuery.`);
  }
}

/** One page of a list; the token is the place of the next item. */
export function pageOf<T>(
  items: readonly T[],
  query: URLSearchParams,
  defaultSize: number,
): { page: T[]; nextPageToken?: string } {
  const start = readPageToken(query.get('pageToken'));
  const size = wholeNumber(query.get('maxResults'), 'maxResults') ?? defaultSize;
  const page = items.slice(start, start + size);
  const next = start + page.length;
  return next < items.length && page.length > 0 ? { page, nextPageToken: writePageToken(next) } : { page };
}

export function writePageToken(position: number): string {
  return Buffer.from(`at:${position}`).toString('base64url');
}

export function readPageToken(token: string | null | undefined): number {
  if (token === null || token === undefined || token === '') return 0;
  const found = /^at:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (found === null) throw invalid('Invalid value for: pageToken is not valid');
  return Number(found[1]);
}

/** Honours If-Match, as patch and update do. */
export function checkEtag(headers: IncomingHttpHeaders, etag: string): void {
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted === '*' || wanted.replaceAll('"', '') === etag) return;
  throw new GoogleError(412, 'conditionNotMet', 'FAILED_PRECONDITION', 'Precondition check failed.');
}

/** Applies a patch to properties: null removes, labels merge key by key, everything else replaces. */
export function applyPatch(
  before: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[name];
    else if (name === 'labels' && isRecord(value)) {
      const labels = applyPatch(recordOf(before[name], name), value);
      result[name] = labels;
    } else result[name] = value;
  }
  return result;
}

export function pick(
  source: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of names) if (name in source) result[name] = source[name];
  return result;
}

export function checkLabels(value: unknown): void {
  for (const [key, label] of Object.entries(recordOf(value, 'labels'))) {
    if (label === null) continue;
    if (
      !/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key) ||
      typeof label !== 'string' ||
      label.length > 63
    ) {
      throw invalid(`Invalid label: ${key}`);
    }
  }
}
