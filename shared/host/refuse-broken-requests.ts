import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Answers what Node cannot parse, or gives up waiting for, so that the sender gets to read the answer: Node's own way
 * resets the connection while the sender may still be sending, and takes down the answer to the request before.
 */
export function refuseBrokenRequests(server: Server): void {
  const current = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  const refused = new WeakSet<Duplex>();

  server.on('request', (request, response) => {
    current.set(request.socket, { request, response });
    response.once('close', () => {
      if (current.get(request.socket)?.response === response) current.delete(request.socket);
    });
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // The parser fails again with every further byte.
    if (refused.has(socket)) return;
    refused.add(socket);
    const last = current.get(socket);
    if (last?.request.complete && !last.response.writableEnded) {
      // A whole request, and then something that is none.
      if (!last.response.headersSent) last.response.setHeader('Connection', 'close');
      last.response.once('finish', () => socket.destroy());
      return;
    }
    if (!socket.writable || last?.response.headersSent || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const status = statusOf(error.code);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  });
}

/** How long a sender that was refused may go on sending before its connection is reset. */
const LINGER_MS = 1_000;

function statusOf(code: string | undefined): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}
