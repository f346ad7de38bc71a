import type { IncomingHttpHeaders } from 'node:http';
import { notImplemented } from './errors.ts';

const REFUSED = [
  // Keys of the customer, also for the source of a copy.
  /^x-goog-(?:copy-source-)?encryption-/,
  // Preconditions, metadata and access lists of the XML API.
  /^x-goog-(?:if|meta|acl|copy-source)/,
  /^x-http-method-override$/,
  /^if-(?:(?:un)?modified-since|range)$/,
];

/** Refuses headers that change what a request means and that nothing here heeds. */
export function checkHeaders(method: string, headers: IncomingHttpHeaders): void {
  for (const name of Object.keys(headers)) {
    if (REFUSED.some((pattern) => pattern.test(name))) throw notImplemented(`The header ${name}`);
  }
  const isRead = method === 'GET' || method === 'HEAD';
  if (!isRead && (headers['if-match'] !== undefined || headers['if-none-match'] !== undefined)) {
    throw notImplemented('A precondition on the ETag of what is written');
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw notImplemented(`Content-Encoding: ${encoding.slice(0, 50)} of a request`);
  }
}
