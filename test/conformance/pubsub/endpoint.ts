import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface ReceivedPush {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly message: Readonly<Record<string, unknown>>;
    readonly subscription?: string;
    readonly deliveryAttempt?: number;
  };
}

export interface Endpoint {
  readonly url: string;
  readonly port: number;
  readonly pushes: readonly ReceivedPush[];
  close(): Promise<void>;
}

/**
 * An HTTP server that records what is pushed to it and answers the status that `answer` gives for the nth push,
 * counted from 1. 102 is written as such, before the connection is closed without another answer.
 */
export async function openEndpoint(
  answer: (count: number) => number | 'nothing' = () => 204,
  port = 0,
): Promise<Endpoint> {
  const pushes: ReceivedPush[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      pushes.push({ url: request.url ?? '', headers: request.headers, text, body: parse(text) });
      const status = answer(pushes.length);
      if (status === 'nothing') return;
      if (status === 102) response.socket?.end('HTTP/1.1 102 Processing\r\n\r\n');
      else response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const bound = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${bound}/push?some=query`,
    port: bound,
    pushes,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parse(text: string): ReceivedPush['body'] {
  try {
    return JSON.parse(text);
  } catch {
    // An unwrapped message is no JSON.
    return { message: {} };
  }
}
