import http from 'node:http';
import https from 'node:https';
import { codeOf } from './code-of.ts';
import type { DeliverySettings } from './delivery-options.ts';
import type { EncodedRequest } from './route.ts';

export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      /** The header as it came. */
      readonly retryAfter: string | undefined;
    }
  /** No connection, no answer in time, or one that broke off: it may have been stored all the same. */
  | { readonly kind: 'unanswered'; readonly detail: string };

export interface Sender {
  /** Posts one request. Settles within `requestTimeoutMs` and never rejects. */
  send(request: EncodedRequest): Promise<Answer>;
  /** Breaks off what is under way, which is `unanswered` then, and closes the connections. */
  abort(): void;
}

/** Answers are verdicts at most: of 10,000 events some 2 MB. */
const answerLimit = 16 * 1024 * 1024;

/** Posts requests to one server over at most `connections` sockets, which are kept for the next and let the process end. */
export function createSender(settings: DeliverySettings): Sender {
  const { url, connections, requestTimeoutMs, verifyCertificate } = settings;
  const isSecure = url.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const agent = isSecure
    ? new https.Agent({ ...pool, rejectUnauthorized: verifyCertificate })
    : new http.Agent(pool);
  const request = isSecure ? https.request : http.request;
  const underWay = new Map<http.ClientRequest, (answer: Answer) => void>();
  const fixed = {
    agent,
    method: 'POST',
    // URL keeps the brackets of an IPv6 address, which a socket does not want.
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (isSecure ? 443 : 80),
  };

  const send = (encoded: EncodedRequest): Promise<Answer> =>
    new Promise((resolve) => {
      const settle = (answer: Answer | Promise<Answer>) => {
        clearTimeout(timer);
        underWay.delete(outgoing);
        resolve(answer);
      };
      const outgoing = request(
        { ...fixed, path: joinPath(url, encoded.path), headers: encoded.headers },
        (incoming) => readAnswer(incoming, settle),
      );
      const timer = setTimeout(() => {
        settle(unanswered(`no answer within ${requestTimeoutMs} ms`));
        outgoing.destroy();
      }, requestTimeoutMs);
      underWay.set(outgoing, settle);
      outgoing.on('error', (error) => {
        // A kept connection that the server closed meanwhile: nothing is wrong, and a new one will do.
        const isStale = outgoing.reusedSocket && codeOf(error) === 'ECONNRESET';
        if (isStale && underWay.has(outgoing)) settle(send(encoded));
        else settle(unanswered(describe(error)));
      });
      outgoing.end(encoded.body);
    });

  return {
    send,
    abort: () => {
      for (const [outgoing, settle] of underWay) {
        settle(unanswered('broken off'));
        outgoing.destroy();
      }
      agent.destroy();
    },
  };
}

const unanswered = (detail: string): Answer => ({ kind: 'unanswered', detail });

function readAnswer(incoming: http.IncomingMessage, settle: (answer: Answer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  incoming.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > answerLimit) incoming.destroy(new Error(`more than ${answerLimit} bytes`));
  });
  incoming.on('error', (error) => settle(unanswered(describe(error))));
  incoming.on('end', () =>
    settle({
      kind: 'answered',
      status: incoming.statusCode ?? 0,
      body: chunks.length === 0 ? '' : Buffer.concat(chunks).toString(),
      retryAfter: incoming.headers['retry-after'],
    }),
  );
}

/**
 * The vendors' manuals give urls with and without the path of the endpoint, and with a slash at the end: it is there
 * once in any case. A query of the url is kept.
 */
function joinPath(url: URL, path: string): string {
  const [endpoint = '', query] = path.split('?', 2);
  const base = url.pathname.replace(/\/+$/, '');
  const joined = endpoint !== '' && base.endsWith(endpoint) ? base : base + endpoint;
  const queries = [url.search.slice(1), query].filter((part) => part);
  return (joined || '/') + (queries.length === 0 ? '' : `?${queries.join('&')}`);
}

const describe = (error: Error): string => {
  // Several addresses refused: the message of the whole is empty.
  if (error instanceof AggregateError) return error.errors.map(String).join('; ');
  const { message } = error;
  const code = String(codeOf(error) ?? '');
  return message.includes(code) ? message : `${message} (${code})`;
};
