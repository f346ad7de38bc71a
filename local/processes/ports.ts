import type { ChildProcess } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Whether a server can listen on the port of the loopback interface, or of `host`. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

// Below the range that Linux, macOS and Windows give to outgoing connections: a port there could be taken by anybody's
// connection while the process that owns it restarts.
const LOWEST = 20_000;
const HIGHEST = 32_000;
/** Processes whose numbers are less than 100 apart begin at least 115 ports apart, less than 200 at least 54. */
const STRIDE = 7_177;

/**
 * Where this process looks next. Processes that look at one time begin far apart, by their numbers, and each goes on from
 * its last: nobody else takes a port between its being found and its being listened on, or while its owner restarts.
 */
let next = (process.pid * STRIDE) % (HIGHEST - LOWEST);

/** Different ports that nobody listens on, and that this process has not found lately. */
export async function findFreePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let attempt = 0; found.length < count; attempt++) {
    if (attempt > 1_000) throw new Error(`No ${count} free ports were found from ${LOWEST} to ${HIGHEST}.`);
    const port = LOWEST + next;
    next = (next + 1) % (HIGHEST - LOWEST);
    if (await isPortFree(port)) found.push(port);
  }
  return found;
}

/** Resolves once something accepts connections on the port; rejects when the signal is aborted first. */
export async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  while (!(await isListening(port))) await wait(20, undefined, { signal });
}

/** Whether something accepts connections on the port of the loopback interface. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A signal that is aborted when the process ends. */
export function endOf(child: ChildProcess): AbortSignal {
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  child.once('error', () => ended.abort());
  return ended.signal;
}
