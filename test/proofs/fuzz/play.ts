import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** What a client does on its connection, one after the other. */
export type Step =
  | { readonly write: Buffer }
  | { readonly pauseMs: number }
  | { readonly until: Promise<unknown> }
  /** Closes its side and goes on reading, or tears the connection down. */
  | { readonly end: 'half' | 'reset' }
  /** A byte every `everyMs`. */
  | { readonly drip: Buffer; readonly everyMs: number };

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Played {
  readonly answers: readonly HttpAnswer[];
  /** What ended it: every answer was there, the server or an error closed the connection, or nothing came for too long. */
  readonly end: 'answered' | 'closed' | 'reset' | 'silence';
}

/** Plays the steps on a connection of its own and gathers up to `answers` answers. */
export async function play(
  port: number,
  steps: readonly Step[],
  answers: number,
  patienceMs: number,
): Promise<Played> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let got: HttpAnswer[] = [];
  const { promise, resolve } = Promise.withResolvers<Played['end']>();
  let isOver = false;
  const finish = (end: Played['end']) => {
    isOver = true;
    resolve(end);
  };
  const patience = setTimeout(() => finish('silence'), patienceMs);
  socket.on('data', (chunk) => {
    patience.refresh();
    chunks.push(chunk);
    got = readAnswers(Buffer.concat(chunks));
    if (got.length >= answers) finish('answered');
  });
  socket.on('end', () => finish('closed'));
  socket.on('close', () => finish('closed'));
  socket.on('error', () => finish('reset'));
  const write = (bytes: Buffer) =>
    new Promise<void>((written) => {
      if (isOver || socket.destroyed) return written();
      if (socket.write(bytes)) return written();
      const go = () => {
        socket.off('drain', go);
        socket.off('close', go);
        written();
      };
      socket.on('drain', go);
      socket.on('close', go);
      promise.then(go);
    });
  for (const step of steps) {
    if (isOver) break;
    if ('write' in step) await write(step.write);
    else if ('pauseMs' in step) await Promise.race([promise, wait(step.pauseMs)]);
    else if ('until' in step) await Promise.race([promise, step.until]);
    else if ('drip' in step) {
      for (const byte of step.drip) {
        if (isOver) break;
        await write(Buffer.from([byte]));
        patience.refresh();
        await Promise.race([promise, wait(step.everyMs)]);
      }
    } else if (step.end === 'half') socket.end();
    else {
      // What was written shall have arrived: the server must see the beginning of a request that never ends.
      await wait(5);
      socket.resetAndDestroy();
      finish('reset');
    }
  }
  const end = await promise;
  clearTimeout(patience);
  // A reset leaves no port waiting, of which there are not enough for a hundred thousand.
  socket.resetAndDestroy();
  return { answers: got, end };
}

/** The whole answers in what has arrived. An answer without a length is whole when its head is: the server's own 4xx. */
function readAnswers(bytes: Buffer): HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return answers;
    const head = bytes.toString('latin1', at, end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? Number.NaN);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const from = end + 4;
    if (status === 100) {
      at = from;
      continue;
    }
    if (bytes.length < from + length) return answers;
    answers.push({ status, body: bytes.toString('utf8', from, from + length) });
    at = from + length;
  }
}
