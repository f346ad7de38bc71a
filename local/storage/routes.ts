import type { Route } from './api.ts';
import { invalid, notImplemented, StorageError } from './errors.ts';

export interface Found {
  route: Route;
  params: Record<string, string>;
}

/** Finds the route of a request, by its path as sent: an encoded slash belongs to an object's name. */
export function compileRoutes(routes: readonly Route[]): (method: string, path: string) => Found {
  const compiled = routes.map((route) => ({ route, wanted: route.path.split('/') }));
  return (method, path) => {
    const given = path.slice(1).split('/');
    for (const { route, wanted } of compiled) {
      if (route.method !== method || (isJsonApi(path) && wanted[0]!.startsWith(':'))) continue;
      const params = match(wanted, given);
      if (params !== undefined) return { route, params };
    }
    throw refuse(method, path);
  };
}

function match(wanted: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const segment = given[index];
    if (segment === undefined || segment === '') return undefined;
    if (name.startsWith('*')) {
      params[name.slice(1)] = decode(given.slice(index).join('/'));
      return params;
    }
    if (name.startsWith(':')) params[name.slice(1)] = decode(segment);
    else if (name !== segment) return undefined;
  }
  return wanted.length === given.length ? params : undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid(`Invalid path segment: ${segment.slice(0, 100)}`);
  }
}

/** What Cloud Storage's own documentation lists and this one does not do, and what nobody has. */
function refuse(method: string, path: string): StorageError {
  if (isJsonApi(path)) return notImplemented(`${method} ${path.slice(0, 200)}`);
  if (method === 'GET' || method === 'HEAD') return new StorageError(404, 'notFound', 'Not Found');
  return notImplemented(`The XML API's ${method}`);
}

/** Anything else is `/bucket/object`. */
function isJsonApi(path: string): boolean {
  return /^\/(?:(?:upload\/|download\/|batch\/)?storage\/v1|batch)(?:\/|$)/.test(path);
}
