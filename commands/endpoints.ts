import { z } from 'zod';
import { CommandFailed } from './terminal.ts';

/** Where commands find the local cloud of `npm start`, by the variables that move its ports. */
export interface LocalPorts {
  readonly permissions: number;
  readonly replay: number;
  readonly fold: number;
  readonly reports: number;
  readonly pubsub: number;
  readonly bigquery: number;
  readonly storage: number;
  readonly googleApis: number;
  readonly monitoring: number;
}

/** The project of the local cloud, which commands talk to unless told otherwise. */
export const localProject = 'local';

/** Reads the ports from the environment; throws CommandFailed naming the variable that is none. */
export function readLocalPorts(environment: NodeJS.ProcessEnv): LocalPorts {
  const port = (variable: string, standard: number): number => {
    const text = environment[variable] || String(standard);
    if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
    throw new CommandFailed(
      `${variable} must be a whole number from 1 to 65535, not ${JSON.stringify(text)}.`,
    );
  };
  return {
    permissions: port('PERMISSIONS_PORT', 8081),
    replay: port('REPLAY_PORT', 8082),
    fold: port('FOLD_PORT', 8083),
    reports: port('REPORTS_PORT', 8084),
    pubsub: port('PUBSUB_PORT', 8085),
    bigquery: port('BIGQUERY_PORT', 9050),
    storage: port('STORAGE_PORT', 9065),
    googleApis: port('GOOGLE_APIS_PORT', 9070),
    monitoring: port('MONITORING_PORT', 9075),
  };
}

/** The LOCAL_ variables that point Google's clients at the local cloud, or none for a project of Google's. */
export function clientEnvironment(project: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (project !== localProject) return {};
  // Google's clients look for a metadata server otherwise, and warn that there is none. They read this very object.
  process.env.METADATA_SERVER_DETECTION ??= 'none';
  const ports = readLocalPorts(environment);
  return {
    LOCAL_PUBSUB: `127.0.0.1:${ports.pubsub}`,
    LOCAL_BIGQUERY: `127.0.0.1:${ports.bigquery}`,
    LOCAL_STORAGE: `127.0.0.1:${ports.storage}`,
    LOCAL_MONITORING: `127.0.0.1:${ports.monitoring}`,
  };
}

/** Calls a private function as the operator. */
export type CallFunction = (path: string, body: object) => Promise<unknown>;

/** The same, answering also what was refused. Rejects with CommandFailed where there is no answer at all. */
export type AskFunction = (path: string, body: object) => Promise<{ status: number; body: unknown }>;

/**
 * Makes the call of a private function by its URL: with a token of the local issuer where the function is on this
 * machine, else with one of Google for the credentials of the environment, or with `ID_TOKEN` where that is set.
 */
export function createAskFunction(
  url: string,
  environment: NodeJS.ProcessEnv,
  withinMs = 300_000,
): AskFunction {
  const audience = url.replace(/\/+$/, '');
  let known: { readonly token: string; readonly renewAt: number } | undefined;
  const tokenOf = async (): Promise<string> => {
    if (known === undefined || known.renewAt < Date.now()) {
      const token = await makeToken(audience, environment);
      // Tokens are good for an hour.
      known = { token, renewAt: Date.now() + 45 * 60_000 };
    }
    return known.token;
  };

  return async (path, body) => {
    const token = await tokenOf();
    const answer = await post(`${audience}${path}`, body, { Authorization: `Bearer ${token}` }, withinMs);
    return { status: answer.status, body: parseJson(await answer.text()) };
  };
}

/**
 * The same for callers that a refusal ends: a call rejects with CommandFailed, whose message says what to do, also where
 * there is no answer `withinMs`.
 */
export function createCallFunction(
  url: string,
  environment: NodeJS.ProcessEnv,
  withinMs = 300_000,
): CallFunction {
  const ask = createAskFunction(url, environment, withinMs);
  return async (path, body) => {
    const answer = await ask(path, body);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new CommandFailed(describeRefusal(url, answer));
  };
}

/** What a function said where it refused, with what to do about it. */
export function describeRefusal(url: string, { status, body }: { status: number; body: unknown }): string {
  const { data } = refusal.safeParse(body);
  return `${data?.error.message ?? `${url} answered ${status}.`}${hints.get(status) ?? ''}`;
}

const refusal = z.object({ error: z.object({ message: z.string() }) });

const hints: ReadonlyMap<number, string> = new Map([
  [401, ' The token was not taken: is --url the URL that the function knows itself by?'],
  [403, ' Only the accounts in CALLERS of the function may call it.'],
]);

async function makeToken(audience: string, environment: NodeJS.ProcessEnv): Promise<string> {
  if (environment.ID_TOKEN) return environment.ID_TOKEN;
  return isOnThisMachine(audience) ? makeLocalToken(audience, environment) : makeGoogleToken(audience);
}

const isOnThisMachine = (url: string): boolean => ['127.0.0.1', 'localhost'].includes(new URL(url).hostname);

async function makeLocalToken(audience: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const issuer = `http://127.0.0.1:${readLocalPorts(environment).googleApis}`;
  const email = 'operator@local.iam.gserviceaccount.com';
  const answer = await post(`${issuer}/_local/token`, { audience, email }, {});
  return z.object({ token: z.string() }).parse(await answer.json()).token;
}

async function makeGoogleToken(audience: string): Promise<string> {
  try {
    // Only here: it takes longer to load than all else.
    const { GoogleAuth } = await import('google-auth-library');
    const client = await new GoogleAuth().getIdTokenClient(audience);
    return await client.idTokenProvider.fetchIdToken(audience);
  } catch (cause) {
    throw new CommandFailed(
      `No token for ${audience} can be made with these credentials (${cause instanceof Error ? cause.message : cause}).
Log in as a service account that may call the function:
  gcloud auth application-default login --impersonate-service-account=ACCOUNT
or give a token:
  ID_TOKEN=$(gcloud auth print-identity-token --impersonate-service-account=ACCOUNT --audiences=${audience} --include-email)`,
      { cause },
    );
  }
}

async function post(
  url: string,
  body: object,
  headers: Record<string, string>,
  withinMs = 300_000,
): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(withinMs),
    });
  } catch (cause) {
    const { origin } = new URL(url);
    throw new CommandFailed(
      isOnThisMachine(url)
        ? `Nothing answers at ${origin}: start the local cloud with npm start, or name its ports (PERMISSIONS_PORT, REPLAY_PORT, FOLD_PORT, GOOGLE_APIS_PORT).`
        : `${origin} could not be reached: ${cause instanceof Error ? (cause.cause ?? cause.message) : cause}`,
      { cause },
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
