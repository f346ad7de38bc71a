import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers so that the page which sent the request may read it, wherever it comes from. The web SDKs and beacons send
 * cookies along, and then the answer has to name the origin: fetch.spec.whatwg.org, "CORS protocol and credentials".
 */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string,
  contentType: string | undefined,
): void {
  const headers: Record<string, string | number> = { ...crossOrigin(request) };
  // RFC 9110, section 8.6: an answer 204 must not have one.
  if (status !== 204) headers['Content-Length'] = Buffer.byteLength(body);
  if (contentType !== undefined) headers['Content-Type'] = contentType;
  response.writeHead(status, headers);
  response.end(body);
}

/** Answers a browser that asks what it may send, with the methods that the path takes. */
export function answerPreflight(
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  const asked = request.headers['access-control-request-headers'] ?? '';
  response.writeHead(204, {
    ...crossOrigin(request),
    'Access-Control-Allow-Methods': methods.join(', '),
    // Whatever is asked for: a request may name any header, and with cookies an asterisk would name none.
    ...(headerNames.test(asked) && { 'Access-Control-Allow-Headers': asked }),
    'Access-Control-Max-Age': dayInSeconds,
  });
  response.end();
}

const dayInSeconds = 86_400;
const headerNames = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;

function crossOrigin({ headers: { origin } }: IncomingMessage): Record<string, string> {
  // An origin that no browser sends is not repeated.
  if (origin === undefined || !/^[\x21-\x7e]{1,1000}$/.test(origin)) {
    return { 'Access-Control-Allow-Origin': '*' };
  }
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    Vary: 'Origin',
  };
}
