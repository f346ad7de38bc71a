import { unescape as decodePercent } from 'node:querystring';

/** What the elements of a request are, which the path alone tells. */
export type Route = 'collect' | 'item' | 'user_mapping' | 'cstm' | 'custom';

export interface Endpoint {
  readonly route: Route;
  /** The project that the path names; undefined for an element that came without its path. */
  readonly project: string | undefined;
}

const endpoints: readonly (readonly [Route, RegExp])[] = [
  ['collect', /^(?:\/v3)?\/projects\/([^/]+)\/collect\/?$/],
  ['item', /^(?:\/v3)?\/projects\/([^/]+)\/collect\/item\/?$/],
  ['user_mapping', /^(?:\/v3)?\/projects\/([^/]+)\/collect\/user-mapping\/?$/],
  // SaaS: what servers measure.
  ['cstm', /^\/v3\/([^/]+)\/s2s\/cstm\/?$/],
  // The SDK of 2017.
  ['custom', /^\/custom\/([^/]+)\/events\/?$/],
];

/** Undefined where no SDK of GrowingIO sends to the path. The Python SDK keeps a trailing slash of its host: `//v3/...`. */
export function readEndpoint(path: string): Endpoint | undefined {
  const folded = path.replace(/\/{2,}/g, '/');
  for (const [route, pattern] of endpoints) {
    const name = pattern.exec(folded)?.[1];
    if (name !== undefined) return { route, project: decodePercent(name) };
  }
  return undefined;
}
