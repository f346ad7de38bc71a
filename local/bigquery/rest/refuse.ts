import { type GoogleError, notFound, notImplemented } from '../errors.ts';

/** Parts of BigQuery's REST API that exist in the cloud and not here, by the shape of their path. */
const refused: readonly [RegExp, string][] = [
  [/\/(models)(\/|$)/, 'A model'],
  [/\/rowAccessPolicies(\/|$)/, 'A row access policy'],
  [/:(getIamPolicy|setIamPolicy|testIamPermissions)$/, 'IAM'],
  [/:undelete$/, 'Undeleting a dataset'],
  [/\/serviceAccount$/, 'projects.getServiceAccount'],
];

/** The answer for a path without a route: what is known to exist in BigQuery is named, the rest is a 404. */
export function refuseRoute(method: string, path: string): GoogleError {
  if (/^\/(upload|resumable)\//.test(path)) return notImplemented('Media upload');
  for (const [pattern, what] of refused) if (pattern.test(path)) return notImplemented(what);
  return notFound(`Not found: ${method} ${path}`);
}
