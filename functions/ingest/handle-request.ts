import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError, readTrace } from '../../shared/host/log.ts';
import type { Answer, WireDialect } from '../../shared/wire/dialect.ts';
import { type Accepted, type AcceptOptions, createAcceptRequest } from './accept-request.ts';
import type { Publish } from './publish.ts';
import { readBody } from './read-body.ts';

export interface IngestOptions extends AcceptOptions {
  readonly dialects: readonly WireDialect[];
  readonly publish: Publish;
  /** Whether each accepted batch is worth a line. */
  readonly logBatches: boolean;
}

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * One request from HTTP to Pub/Sub: find the dialect, read, accept, publish, and only then answer success.
 *
 * What cannot be decoded goes to quarantine and is answered with success too, since the SDKs drop,
 * resend for ever or hang on anything else.
 */
export function createHandleRequest(options: IngestOptions): HandleRequest {
  const { dialects, publish, log, logBatches, caps } = options;
  const acceptRequest = createAcceptRequest(options);

  /** Undefined where the sender went away. What this holds is gone before the publish is waited for. */
  async function receive(request: IncomingMessage, path: string, query: string, dialect: WireDialect) {
    const read = await readBody(request, caps.body);
    if (read.kind === 'aborted') return undefined;
    const header = (name: string) => headerOf(request, name);
    const method = request.method ?? 'GET';
    return {
      ...acceptRequest({ method, path, query, header, read }, dialect),
      isTooLarge: read.kind === 'too_large',
    };
  }

  return async (request, response) => {
    const [sentPath, query] = splitUrl(request.url ?? '/');
    // The Python SDKs keep a trailing slash of the configured URL: `//up`.
    const path = sentPath.replace(/\/{2,}/g, '/');
    const method = request.method ?? 'GET';
    if (path === '/' && (method === 'GET' || method === 'HEAD'))
      return answer(response, 200, 'ok\n', 'text/plain');
    const dialect = dialects.find((one) => one.matches(method, path));
    if (dialect === undefined) {
      return refuse(response, 404, `no SDK sends ${method} ${path}; events go to POST /up`);
    }

    const accepted = await receive(request, sentPath, query, dialect);
    if (accepted === undefined) return;
    try {
      const { messages } = accepted;
      await (messages.length === 1 && messages[0]
        ? publish(messages[0])
        : Promise.all(messages.map(publish)));
    } catch (error) {
      log('ERROR', 'A batch could not be published.', {
        batch_id: accepted.batchId,
        events: accepted.events,
        ...readTrace(request),
        ...describeError(error),
      });
      response.setHeader('Retry-After', '1');
      return refuse(response, 503, 'the events could not be stored; send them again');
    }
    if (logBatches) logAccepted(dialect, accepted);
    if (accepted.isTooLarge) {
      response.setHeader('Connection', 'close');
      return refuse(response, 413, `the body is larger than ${caps.body} bytes; send smaller batches`);
    }
    return succeed(response, dialect.success);
  };

  function logAccepted(
    { dialect }: WireDialect,
    { messages, batchId, project, events, quarantined }: Accepted,
  ): void {
    if (messages.length === 0) return;
    log('INFO', 'batch accepted', { batch_id: batchId, dialect, project, events, quarantined });
  }
}

function splitUrl(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

const succeed = (response: ServerResponse, { status, body, contentType }: Answer): void =>
  answer(response, status, body, contentType);

const refuse = (response: ServerResponse, status: number, message: string): void =>
  answer(response, status, `${JSON.stringify({ code: status, message })}\n`, 'application/json');

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  contentType: string | undefined,
): void {
  const headers: Record<string, string | number> = {
    // Any page may send: the web SDKs need to read the answer.
    'Access-Control-Allow-Origin': '*',
    'Content-Length': Buffer.byteLength(body),
  };
  if (contentType !== undefined) headers['Content-Type'] = contentType;
  response.writeHead(status, headers);
  response.end(body);
}
