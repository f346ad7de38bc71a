import { unescape as decodePercent } from 'node:querystring';

/**
 * A parameter of a query as browsers write it with encodeURIComponent: `%XX` is decoded and a bare `+` stays one, since
 * base64 may hold it. What is no valid escape stays as it is.
 */
export function readParameter(query: string, name: string): string | undefined {
  if (!query.includes(name)) return undefined;
  for (const part of query.split('&')) {
    if (part.startsWith(name) && part[name.length] === '=') return decodePercent(part.slice(name.length + 1));
  }
  return undefined;
}
