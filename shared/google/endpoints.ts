import { refuseToStart } from '../configuration/read-configuration.ts';

/** Where a service is to be found: on this laptop, or undefined for Google's own. */
export type LocalEndpoint = { readonly host: string; readonly port: number };

const names = [
  'LOCAL_PUBSUB',
  'LOCAL_BIGQUERY',
  'LOCAL_BIGQUERY_STORAGE',
  'LOCAL_STORAGE',
  'LOCAL_TOKEN_ISSUER',
  'LOCAL_MONITORING',
  'LOCAL_GOOGLE_APIS',
  'LOCAL_ANALYTICS_ADMIN',
] as const;
export type LocalVariable = (typeof names)[number];

/**
 * Reads `host:port` from one of the LOCAL_ variables; undefined when unset, so the real cloud.
 *
 * On Cloud Run (K_SERVICE) any LOCAL_ variable, of whatever name, ends the process: a local endpoint there would send
 * data, or trust tokens, where nobody meant to.
 */
export function readLocalEndpoint(
  name: LocalVariable,
  environment: NodeJS.ProcessEnv,
): LocalEndpoint | undefined {
  const value = readLocalVariable(name, environment);
  if (value === undefined) return undefined;
  const match = /^(?<host>[^\s/:]+):(?<port>\d{1,5})$/.exec(value);
  const { host, port } = match?.groups ?? {};
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    refuseToStart(`${name} must be host:port, not ${JSON.stringify(value)}.`);
  }
  // Google's clients look for a metadata server at start, and a laptop has none.
  environment.METADATA_SERVER_DETECTION ??= 'none';
  return { host, port: Number(port) };
}

/** Reads a LOCAL_ variable that is a URL, without a trailing slash. */
export function readLocalUrl(name: LocalVariable, environment: NodeJS.ProcessEnv): string | undefined {
  const value = readLocalVariable(name, environment);
  if (value === undefined) return undefined;
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) {
    refuseToStart(`${name} must be a URL, not ${JSON.stringify(value)}.`);
  }
  return value.replace(/\/+$/, '');
}

function readLocalVariable(name: LocalVariable, environment: NodeJS.ProcessEnv): string | undefined {
  const set = Object.keys(environment).filter((key) => key.startsWith('LOCAL_') && environment[key]);
  if (set.length > 0 && environment.K_SERVICE) {
    refuseToStart(`${set.join(', ')} must not be set on Cloud Run (K_SERVICE is ${environment.K_SERVICE}).`);
  }
  return environment[name] || undefined;
}
