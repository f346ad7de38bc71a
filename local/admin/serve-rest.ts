import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { status } from '@grpc/grpc-js';
import { readCaller } from './caller.ts';
import type { Dispatch } from './dispatch.ts';
import { listDetails } from './error-details.ts';
import { invalidArgument, isRefusal, type Refusal, refuse } from './refuse.ts';
import { fromJson, toJson } from './rest-json.ts';
import { type Route, readRoutes } from './service.ts';

/** Answers requests below /v1alpha/; false when the path is another's, the response then untouched. */
export type HandleRest = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What each status is over HTTP. https://cloud.google.com/apis/design/errors#handling_errors */
const httpStatuses: Readonly<Partial<Record<status, number>>> = {
  [status.CANCELLED]: 499,
  [status.INVALID_ARGUMENT]: 400,
  [status.FAILED_PRECONDITION]: 400,
  [status.OUT_OF_RANGE]: 400,
  [status.UNAUTHENTICATED]: 401,
  [status.PERMISSION_DENIED]: 403,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.ABORTED]: 409,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.UNIMPLEMENTED]: 501,
  [status.UNAVAILABLE]: 503,
  [status.DEADLINE_EXCEEDED]: 504,
};

/** Query parameters that every API of Google has. https://cloud.google.com/apis/docs/system-parameters */
const systemParameters = new Set([
  '$alt',
  'alt',
  'key',
  'prettyPrint',
  'quotaUser',
  'access_token',
  'fields',
]);

let routes: readonly Route[] | undefined;

/** Serves the same methods as REST, by the HTTP rules that stand in the protos. */
export function createRest(dispatch: Dispatch, log: (line: string) => void): HandleRest {
  return (request, response) => {
    const url = new URL(request.url ?? '', 'http://local');
    if (!url.pathname.startsWith('/v1alpha/')) return false;
    // Reading them takes a moment, which who asks by gRPC only need not wait for.
    routes ??= readRoutes();
    answer(routes, dispatch, url, request, response).catch((error: unknown) => {
      if (!isRefusal(error)) log(`admin: ${error instanceof Error ? error.stack : error}`);
      sendRefusal(response, isRefusal(error) ? error : refuse(status.INTERNAL, String(error)));
    });
    return true;
  };
}

async function answer(
  known: readonly Route[],
  dispatch: Dispatch,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!/^Bearer \S/i.test(request.headers.authorization ?? '')) {
    const message = 'Request is missing required authentication credential. Expected OAuth 2 access token.';
    throw refuse(status.UNAUTHENTICATED, message);
  }
  const path = decodeURIComponent(url.pathname);
  const route = known.find(({ verb, path: shape }) => verb === request.method && shape.test(path));
  if (route === undefined) throw refuse(status.NOT_FOUND, `There is no ${request.method} ${path}.`);
  const message = readMessage(route, path, url.searchParams, await text(request));
  const caller = readCaller(request.headers.authorization);
  const outcome = dispatch(route.method, message, { caller, transport: 'rest' });
  if (outcome.kind === 'silence') return;
  if (outcome.kind === 'refusal') return sendRefusal(response, outcome.refusal);
  const alt = url.searchParams.get('$alt') ?? url.searchParams.get('alt') ?? '';
  const enumsAs = alt.includes('enum-encoding=int') ? 'numbers' : 'names';
  // Each answer of the methods is an object by the names of its message's fields.
  const fields = outcome.response as Readonly<Record<string, unknown>>;
  send(response, 200, toJson(route.response, fields, enumsAs));
}

/** Puts the request together out of the path, the query and the body, as google/api/http.proto has it. */
function readMessage(route: Route, path: string, query: URLSearchParams, body: string): object {
  const inBody = readBody(route, body);
  const inQuery: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    if (systemParameters.has(name)) continue;
    if (route.body === '*') throw invalidArgument(`Unknown name "${name}": Cannot bind query parameter.`);
    const values = query.getAll(name);
    inQuery[name] = values.length === 1 ? values[0] : values;
  }
  const message = { ...fromJson(route.request, inQuery), ...inBody };
  const captured = route.path.exec(path) ?? [];
  for (const [index, field] of route.fields.entries()) {
    const [outer = '', inner] = field.split('.');
    const value = captured[index + 1];
    const name = outer.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    if (inner === undefined) Object.assign(message, { [name]: value });
    else Object.assign(message, { [name]: { ...(message[name] as object | undefined), [inner]: value } });
  }
  return message;
}

function readBody({ body, request }: Route, text: string): Record<string, unknown> {
  if (body === undefined || text.trim() === '') return {};
  const json = parseJson(text);
  return fromJson(request, body === '*' ? json : { [body]: json });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw invalidArgument('Invalid JSON payload received.');
  }
}

function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  const { code, details: message, info } = refusal;
  const http = httpStatuses[code] ?? 500;
  const details = listDetails(refusal);
  send(response, http, {
    error: {
      code: http,
      message,
      // The shape of before gRPC, in which the page of quotas speaks.
      ...(info?.domain === 'usageLimits'
        ? { errors: [{ message, domain: info.domain, reason: info.reason }] }
        : {}),
      status: status[code],
      ...(details.length === 0 ? {} : { details }),
    },
  });
}

function send(response: ServerResponse, code: number, body: object): void {
  if (response.headersSent) return;
  response.writeHead(code, { 'content-type': 'application/json; charset=UTF-8' });
  response.end(`${JSON.stringify(body, undefined, 2)}\n`);
}
