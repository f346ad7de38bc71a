import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** Ways in which a request fails: the first is stored by then, and its sender cannot know. */
export const failures = ['answer lost', 'cut off', '500', '503', '429'] as const;
export type Failure = (typeof failures)[number];

export interface FlakyProxy {
  readonly url: string;
  readonly requests: () => number;
  /** How often each kind of failure was had. */
  readonly failed: () => Readonly<Record<Failure, number>>;
  close(): Promise<void>;
}

/** Hands requests on to `target`, except for the share `rate` of them, which fail in one way after the other. */
export async function startFlakyProxy(options: {
  readonly target: string;
  readonly rate: number;
  readonly random: () => number;
}): Promise<FlakyProxy> {
  const { target, rate, random } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const counts = Object.fromEntries(failures.map((failure) => [failure, 0])) as Record<Failure, number>;
  let requests = 0;
  let failedSoFar = 0;

  const server = createServer((request, response) => {
    requests++;
    const failure = random() < rate ? failures[failedSoFar++ % failures.length] : undefined;
    if (failure !== undefined) counts[failure]++;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => {
      // In the middle of its body, as when a network goes away.
      if (failure === 'cut off') request.destroy();
      chunks.push(chunk);
    });
    request.on('error', () => {});
    request.on('end', () => {
      if (failure === undefined || failure === 'answer lost') {
        handOn(request, Buffer.concat(chunks), response, failure === 'answer lost');
      } else response.writeHead(Number(failure), { 'Content-Length': 0 }).end();
    });
  });

  function handOn(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    isLost: boolean,
  ) {
    const cutOff = () => response.destroy();
    const onward = httpRequest(`${target}${url}`, { method, agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', cutOff);
      answer.on('end', () => {
        if (isLost) cutOff();
        else response.writeHead(answer.statusCode ?? 502, answer.headers).end(Buffer.concat(chunks));
      });
    });
    onward.on('error', cutOff);
    onward.end(body);
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    failed: () => ({ ...counts }),
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
