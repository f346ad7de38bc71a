import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';

/**
 * A sender in the manner of the Analysys Python SDK's batch collector: up to 100 events a request as
 * base64(gzip(JSON array)), a connection for each, a fifth of a second between them, no time-out, and a thread that
 * dies for good of any answer but 2xx. What it still holds then is never answered.
 */
export interface BatchClientOptions {
  readonly url: string;
  /** Makes events to send; each has its number. */
  readonly nextNumber: () => number;
  readonly eventsPerSecond: number;
  /** Milliseconds since 1970 that the events happened at. */
  readonly startedAt: number;
  /** Resolves when the front end has somewhere to send a new request to. */
  readonly untilAccepting: () => Promise<void>;
  readonly isOver: () => boolean;
  readonly onAnswer: (answer: BatchAnswer) => void;
}

export interface BatchAnswer {
  readonly numbers: readonly number[];
  /** By performance.now(). */
  readonly began: number;
  readonly ended: number;
  /** HTTP status; undefined where the connection broke. */
  readonly status: number | undefined;
  readonly body: string;
}

const mostPerRequest = 100;
const pauseMs = 200;

/** Sends until it is over or dies; resolves to how it ended, and the events that it never got to send. */
export async function runBatchClient(
  options: BatchClientOptions,
): Promise<{ died: boolean; unsent: number }> {
  const { url, nextNumber, eventsPerSecond, startedAt, untilAccepting, isOver, onAnswer } = options;
  const queue: number[] = [];
  let filledAt = performance.now();
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    for (; filledAt < performance.now(); filledAt += 1000 / eventsPerSecond) queue.push(nextNumber());
    if (queue.length === 0) continue;
    await untilAccepting();
    const numbers = queue.splice(0, mostPerRequest);
    const began = performance.now();
    const { status, body } = await send(`${url}/up`, encode(numbers, startedAt));
    onAnswer({ numbers, began, ended: performance.now(), status, body });
    if (status === undefined || status < 200 || status > 299) return { died: true, unsent: queue.length };
  }
  return { died: false, unsent: queue.length };
}

function encode(numbers: readonly number[], startedAt: number): Buffer {
  const events = numbers.map((number) => ({
    appid: 'outage',
    xwho: `person-${number % 997}`,
    xwhat: 'numbered',
    xwhen: startedAt + Math.floor(number / 100),
    xcontext: {
      number,
      item: '跑步机',
      price: 129.95,
      $lib: 'python',
      $lib_version: '4.1.1',
      $is_login: true,
    },
  }));
  return Buffer.from(gzipSync(JSON.stringify(events)).toString('base64'));
}

function send(url: string, body: Buffer): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve) => {
    const broken = () => resolve({ status: undefined, body: '' });
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      'User-Agent': 'Python-urllib/3.11',
      'Accept-Encoding': 'identity',
      'Content-Length': body.length,
      Connection: 'close',
    };
    const request = httpRequest(url, { method: 'POST', agent: false, headers });
    request.on('error', broken);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', broken);
      response.on('aborted', broken);
    });
    request.end(body);
  });
}
