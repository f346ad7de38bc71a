import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError, readTrace } from '../../shared/host/log.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import type { LiveSettings } from '../../shared/settings/live-settings.ts';
import type { Answer, WireDialect } from '../../shared/wire/dialect.ts';
import { type Accepted, type AcceptOptions, createAcceptRequest, type PutOff } from './accept-request.ts';
import { answer, answerPreflight } from './answer.ts';
import { type IngestCounts, ingestCounts } from './metrics.ts';
import type { MessageStore } from './publish-or-spill.ts';
import { readBody } from './read-body.ts';

export interface IngestOptions extends AcceptOptions {
  readonly dialects: readonly WireDialect[];
  readonly store: MessageStore['store'];
  readonly counts?: IngestCounts;
  /** Whether each accepted batch is worth a line. */
  readonly logBatches: boolean;
  readonly settings: Pick<LiveSettings, 'current'> & Partial<Pick<LiveSettings, 'ready'>>;
}

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * One request from HTTP to Pub/Sub: find the dialect, read, accept, store, and only then answer success.
 *
 * What cannot be decoded goes to quarantine and is answered with success too, since the SDKs drop,
 * resend for ever or hang on anything else.
 */
export function createHandleRequest(options: IngestOptions): HandleRequest {
  const { dialects, settings, store, log, logBatches, caps, counts = startCounts(ingestCounts) } = options;
  const acceptRequest = createAcceptRequest(options);

  /** Undefined where the sender went away. What this holds is gone before the publish is waited for. */
  async function receive({ request, path, query, isVerify, dialect }: Incoming) {
    const read = await readBody(request, caps.body);
    if (read.kind === 'aborted') return undefined;
    const header = (name: string) => headerOf(request, name);
    const method = request.method ?? 'GET';
    // Only at the very first, and never where there is a version, however old.
    if (settings.current() === undefined) await settings.ready;
    return {
      ...acceptRequest({ method, path, query, header, read }, dialect, isVerify),
      isTooLarge: read.kind === 'too_large',
    };
  }

  /** Takes in what is to be kept, and answers once it is durable. */
  async function keep(incoming: Incoming, response: ServerResponse): Promise<void> {
    const { request, dialect } = incoming;
    counts.requestsReceived++;
    const accepted = await receive(incoming);
    if (accepted === undefined) {
      counts.requestsAborted++;
      return;
    }
    counts.eventsReceived += accepted.received;
    if (accepted.kind === 'put_off') {
      if (accepted.status === 429) counts.requestsLimited++;
      else counts.requestsUnstored++;
      counts.eventsLimited += accepted.received;
      return putOff(request, response, accepted);
    }
    counts.eventsAccepted += accepted.counts.accepted;
    counts.eventsDuplicate += accepted.counts.duplicate;
    counts.eventsQuarantined += accepted.counts.quarantined;
    counts.eventsDropped += accepted.counts.dropped;
    try {
      await store(accepted.messages);
    } catch (error) {
      counts.requestsUnstored++;
      log('ERROR', 'A batch could not be stored.', {
        batch_id: accepted.batchId,
        events: accepted.counts.accepted,
        ...readTrace(request),
        ...describeError(error),
      });
      response.setHeader('Retry-After', '1');
      return refuse(request, response, 503, 'the events could not be stored; send them again');
    }
    counts.requestsStored++;
    if (logBatches) logAccepted(dialect, accepted);
    if (accepted.isTooLarge) return refuseTooLarge(request, response);
    return give(request, response, accepted.answer);
  }

  /** Tells what would become of a request, and keeps and counts nothing of it but that it was asked. */
  async function verify(incoming: Incoming, response: ServerResponse): Promise<void> {
    const { request } = incoming;
    const accepted = await receive(incoming);
    if (accepted === undefined) return;
    counts.requestsVerified++;
    if (accepted.kind === 'put_off') return putOff(request, response, accepted);
    return accepted.isTooLarge ? refuseTooLarge(request, response) : give(request, response, accepted.answer);
  }

  return async (request, response) => {
    const [sentPath, sentQuery] = splitUrl(request.url ?? '/');
    // The Python SDKs keep a trailing slash of the configured URL: `//up`.
    const path = sentPath.replace(/\/{2,}/g, '/');
    const method = request.method ?? 'GET';
    if (path === '/' && (method === 'GET' || method === 'HEAD'))
      return answer(request, response, 200, 'ok\n', 'text/plain');
    const dialect = dialects.find((one) => one.matches(method, path));
    if (dialect === undefined) {
      const methods = methodsOf(path);
      if (method === 'OPTIONS' && methods.length > 0) return answerPreflight(request, response, methods);
      // Whoever looks whether something is there sends no event.
      if (method === 'HEAD' && methods.length > 0) return answer(request, response, 200, '', undefined);
      // Read first, since a sender may listen for the answer only after its last byte.
      if ((await readBody(request, 0)).kind === 'aborted') return;
      return refuse(request, response, 404, `no SDK sends ${method} ${path}; ${tellWhere(methods)}`);
    }
    const turnedAway = dialect.turnAway?.({ header: (name) => headerOf(request, name) });
    if (turnedAway !== undefined) {
      counts.requestsTurnedAway++;
      if ((await readBody(request, 0)).kind === 'aborted') return;
      return give(request, response, turnedAway);
    }
    const query = withoutVerify(sentQuery);
    const isVerify = query !== sentQuery;
    const incoming = { request, path: sentPath, query, isVerify, dialect };
    return isVerify ? verify(incoming, response) : keep(incoming, response);
  };

  function refuseTooLarge(request: IncomingMessage, response: ServerResponse): void {
    refuse(request, response, 413, `the body is larger than ${caps.body} bytes; send smaller batches`);
  }

  /** What the dialects take at a path. */
  function methodsOf(path: string): string[] {
    return ['GET', 'POST', 'PUT'].filter((method) => dialects.some((one) => one.matches(method, path)));
  }

  function logAccepted(
    { dialect }: WireDialect,
    { messages, batchId, project, counts: { accepted: events, quarantined } }: Accepted,
  ): void {
    if (messages.length === 0) return;
    log('INFO', 'batch accepted', { batch_id: batchId, dialect, project, events, quarantined });
  }
}

/** What would be right, where a path is taken with another method, or with none. */
const tellWhere = (methods: readonly string[]): string =>
  methods.length > 0
    ? `it takes ${methods.join(' and ')}`
    : 'events go to POST /up (Analysys), /v3/projects/ID/collect (GrowingIO), /v1/batch (Segment, RudderStack) or /v1/events (our own API)';

/** A request of a dialect, on its way in. */
interface Incoming {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: string;
  readonly isVerify: boolean;
  readonly dialect: WireDialect;
}

/** The query as it would be sent in earnest, so that ids and hashes are the same. */
const withoutVerify = (query: string): string =>
  query.includes('verify=1') ? query.replace(/(^|&)verify=1(?=&|$)/g, '').replace(/^&/, '') : query;

function splitUrl(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function give(request: IncomingMessage, response: ServerResponse, given: Answer): void {
  for (const [name, value] of Object.entries(given.headers ?? {})) response.setHeader(name, value);
  answer(request, response, given.status, given.body, given.contentType);
}

function putOff(
  request: IncomingMessage,
  response: ServerResponse,
  { status, message, retryAfterSeconds }: PutOff,
): void {
  response.setHeader('Retry-After', String(retryAfterSeconds));
  // For the SDKs of pages, which otherwise may not read it: fetch.spec.whatwg.org, "CORS protocol and HTTP caches".
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
  refuse(request, response, status, message);
}

const refuse = (request: IncomingMessage, response: ServerResponse, status: number, message: string): void =>
  answer(request, response, status, `${JSON.stringify({ code: status, message })}\n`, 'application/json');
