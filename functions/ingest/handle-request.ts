import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeRequest } from '../../shared/events/encode-event.ts';
import { describeError, readTrace, type log as writeLog } from '../../shared/host/log.ts';
import type { LiveSettings } from '../../shared/settings/settings-file.ts';
import type { Answer, Decoded, WireDialect, WireRequest } from '../../shared/wire/dialect.ts';
import { createDailyCap } from './daily-cap.ts';
import { type EncodedRequest, encodeRequest, encodeTooLarge } from './encode-request.ts';
import type { Publish } from './publish.ts';
import { readBody } from './read-body.ts';

export interface IngestOptions {
  readonly dialects: readonly WireDialect[];
  readonly settings: LiveSettings;
  readonly publish: Publish;
  readonly log: typeof writeLog;
  /** Whether each accepted batch is worth a line. */
  readonly logBatches: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Caps in bytes and events. */
  readonly caps: { readonly body: number; readonly inflated: number; readonly events: number };
}

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * One request from HTTP to Pub/Sub: read, decode, encode, publish, and only then answer success.
 *
 * What cannot be decoded goes to quarantine and is answered with success too, since the SDKs drop,
 * resend for ever or hang on anything else.
 */
export function createHandleRequest(options: IngestOptions): HandleRequest {
  const { dialects, settings, publish, log, logBatches, now, caps } = options;
  const unknownProjects = createDailyCap(now, () => settings.current().unknownProjectsPerDay);

  return async (request, response) => {
    const [rawPath = '/', query = ''] = splitUrl(request.url ?? '/');
    // The Python SDKs keep a trailing slash of the configured URL: `//up`.
    const path = rawPath.replace(/\/{2,}/g, '/');
    const method = request.method ?? 'GET';
    // Any page may send: the web SDKs need to read the answer.
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (path === '/' && (method === 'GET' || method === 'HEAD')) return answer(response, 200, 'ok\n');

    const dialect = dialects.find((one) => one.matches(method, path));
    if (dialect === undefined)
      return refuse(response, 404, `no SDK sends ${method} ${path}; events go to POST /up`);

    const receivedAt = now() * 1000;
    const read = await readBody(request, caps.body);
    if (read.kind === 'aborted') return;
    const wire: WireRequest = {
      method,
      path: rawPath,
      query,
      header: (name) => headerOf(request, name),
      body: read.kind === 'whole' ? read.body : read.beginning,
      receivedAt,
    };
    const facts = describeRequest(randomUUID().replaceAll('-', ''), hashRequest(wire), receivedAt);

    let decoded: Decoded | undefined;
    let encoded: EncodedRequest;
    if (read.kind === 'too_large') {
      encoded = encodeTooLarge(wire, facts, dialect, read, caps.body);
    } else {
      decoded = dialect.decode(wire, {
        window: settings.current().timeWindow,
        inflatedBytes: caps.inflated,
        eventsPerRequest: caps.events,
      });
      encoded = encodeRequest(wire, facts, dialect, decoded, {
        settings: settings.current(),
        mayKeepUnknown: unknownProjects.take,
      });
    }

    const { batch, project } = encoded;
    if (batch.events.length + batch.quarantine.length > 0) {
      try {
        await publish(batch, { batchId: facts.batchId, dialect: dialect.dialect, project });
      } catch (error) {
        log('ERROR', 'A batch could not be published.', {
          batch_id: facts.batchId,
          events: batch.events.length,
          ...readTrace(request),
          ...describeError(error),
        });
        response.setHeader('Retry-After', '1');
        return refuse(response, 503, 'the events could not be stored; send them again');
      }
      if (logBatches) {
        log('INFO', 'batch accepted', {
          batch_id: facts.batchId,
          dialect: dialect.dialect,
          project,
          events: batch.events.length,
          quarantined: batch.quarantine.length,
        });
      }
    }
    if (read.kind === 'too_large') {
      response.setHeader('Connection', 'close');
      return refuse(response, 413, `the body is larger than ${caps.body} bytes; send smaller batches`);
    }
    return succeed(response, dialect.success);
  };
}

function splitUrl(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** SHA-256 of method, path, query and body; a resend differs in nothing but `stm`, the time of sending. */
function hashRequest(request: WireRequest): string {
  const query = request.query.includes('stm=') ? request.query.replace(/(^|&)stm=[^&]*/g, '') : request.query;
  return createHash('sha256')
    .update(`${request.method} ${request.path}?${query}\n`)
    .update(request.body)
    .digest('hex');
}

function succeed(response: ServerResponse, success: Answer): void {
  response.writeHead(success.status, {
    'Content-Length': Buffer.byteLength(success.body),
    ...(success.contentType === undefined ? {} : { 'Content-Type': success.contentType }),
  });
  response.end(success.body);
}

const refuse = (response: ServerResponse, status: number, message: string): void =>
  answer(response, status, `${JSON.stringify({ code: status, message })}\n`, 'application/json');

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
