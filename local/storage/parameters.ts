import { invalid, notImplemented, required, StorageError } from './errors.ts';

/** What https://cloud.google.com/storage/docs/json_api/v1/parameters gives every method, as far as it is taken here. */
const EVERYWHERE = ['alt', 'prettyPrint', 'key', 'quotaUser', 'uploadType'];

/** Values that ask for nothing beyond what is answered anyway. Google's client for Go sends them with every listing; where access is uniform there are no ACLs, which `full` would add. */
const SAYING_NOTHING: Readonly<Record<string, readonly string[]>> = {
  projection: ['noAcl', 'full'],
  includeTrailingDelimiter: ['false'],
  versions: ['false'],
};

/** Refuses a parameter that the method does not take here: to ignore it could change what the request means. */
export function checkParameters(query: URLSearchParams, taken: readonly string[]): void {
  const seen = new Set<string>();
  for (const [name, value] of query) {
    if (seen.has(name)) throw invalid(`The parameter ${name} is given twice.`, name);
    seen.add(name);
    if (SAYING_NOTHING[name]?.includes(value)) continue;
    if (name in SAYING_NOTHING) throw notImplemented(`The query parameter ${name}=${value}`, name);
    if (!taken.includes(name) && !EVERYWHERE.includes(name)) {
      throw notImplemented(`The query parameter ${name}`, name);
    }
    if (name === 'alt' && value !== 'json' && !(value === 'media' && taken.includes('alt=media'))) {
      throw notImplemented(`The query parameter alt=${value}`, name);
    }
    if (name === 'uploadType' && !taken.includes('uploadType')) {
      throw notImplemented('The query parameter uploadType', name);
    }
  }
}

export function readInt64(query: URLSearchParams, name: string): bigint | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || BigInt.asIntN(64, value) !== value) {
    throw new StorageError(400, 'invalidParameter', `Invalid value '${text.slice(0, 100)}' for ${name}.`, {
      type: 'parameter',
      name,
    });
  }
  return value;
}

export function readRequired(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null || value === '') throw required(name);
  return value;
}

/** How many results a page may have; asking for more than 1,000 gives 1,000. */
export function readPageSize(query: URLSearchParams): number {
  const asked = readInt64(query, 'maxResults') ?? 1000n;
  if (asked < 1n) throw invalid(`Invalid value for maxResults: ${asked}.`, 'maxResults');
  return Number(asked > 1000n ? 1000n : asked);
}
