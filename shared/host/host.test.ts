import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { createHost } from './server.ts';

const BIN = fileURLToPath(new URL('./bin/functions-framework.ts', import.meta.url));
const FUNCTIONS = fileURLToPath(new URL('./fixtures/functions.ts', import.meta.url));

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

describe('serving', () => {
  test('hands the request to the function with its body unread', async () => {
    const host = await start();
    expect(await host.send('/')).toMatchObject({ status: 200, body: 'hello' });
    const odd = { 'content-encoding': 'UTF-8', 'content-type': 'application/json' };
    expect(await host.send('/echo', { headers: odd, body: '{broken' })).toMatchObject({
      status: 200,
      body: '{broken',
    });
  });

  test('answers 500 for a handler that throws, logs it with its trace, and goes on serving', async () => {
    const host = await start();
    const trace = '0123456789abcdef0123456789abcdef';
    const failed = await host.send('/throw', { headers: { 'x-cloud-trace-context': `${trace}/1;o=1` } });
    expect(failed).toMatchObject({ status: 500, body: '' });
    expect(failed.headers).not.toHaveProperty('x-left-over');
    expect(await host.send('/')).toMatchObject({ status: 200 });
    const [line] = await host.logged('ERROR');
    expect(line).toMatchObject({
      'logging.googleapis.com/trace': trace,
      error: { name: 'Error', message: 'the handler gave up' },
    });
  });

  test('keeps what a sender sent out of the log', async () => {
    const host = await start();
    expect(await host.send('/parse')).toMatchObject({ status: 500 });
    expect(await host.logged('ERROR')).toMatchObject([{ error: { name: 'SyntaxError' } }]);
    expect(host.output()).not.toContain('secret');
  });

  test('accepts the long query of an image beacon', async () => {
    const host = await start();
    expect(await host.send(`/?data=${'a'.repeat(60_000)}`)).toMatchObject({ status: 200 });
    expect(await host.send(`/?data=${'a'.repeat(70_000)}`)).toMatchObject({ status: 414 });
    expect(await host.send(`/?data=${'a'.repeat(100_000)}`)).toMatchObject({ status: 431 });
  });
});

describe('draining', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes what is in flight on %s, flushes, exits 0',
    async (signal) => {
      const host = await start();
      const slow = host.send('/slow');
      await host.printed('slow began');
      host.child.kill(signal);
      const answer = await slow;
      expect(answer).toMatchObject({ status: 200, body: 'slow done' });
      expect(answer.headers.connection).toBe('close');
      expect(await host.exited()).toBe(0);
      expect(host.output()).toContain('flushed');
    },
  );

  test('closes idle keep-alive connections and refuses new ones while a request is still in flight', async () => {
    const host = await start();
    const agent = new Agent({ keepAlive: true });
    const first = await host.send('/', { agent });
    expect(first.headers.connection).toBe('keep-alive');
    const closed = once(first.socket, 'close').then(() => 'idle closed');
    const slow = host.send('/slow').then(() => 'slow answered');
    await host.printed('slow began');
    host.child.kill('SIGTERM');
    expect(await Promise.race([closed, slow])).toBe('idle closed');
    await expect.poll(() => codeOf(host.send('/'))).toBe('ECONNREFUSED');
    expect(await slow).toBe('slow answered');
    expect(await host.exited()).toBe(0);
  });

  test('exits at once on a second signal', async () => {
    const host = await start();
    const stuck = expect(host.send('/stuck')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await host.printed('stuck began');
    host.child.kill('SIGTERM');
    await expect.poll(() => codeOf(host.send('/'))).toBe('ECONNREFUSED');
    host.child.kill('SIGTERM');
    await stuck;
    expect(await host.exited()).toBe(0);
    expect(host.output()).not.toContain('flushed');
  });

  test('answers 503 to what is stuck when the time is up', async () => {
    const { server, drain } = createHost(() => {});
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const stuck = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await once(server, 'request');
    expect(await drain(100)).toBe(1);
    expect(await stuck).toMatchObject({ status: 503 });
  });

  test('goes on serving, drains and exits 0 where nobody reads what it logs any more', async () => {
    const host = await start();
    host.child.stdout?.destroy();
    host.child.stderr?.destroy();
    for (const path of ['/throw', '/throw', '/parse']) {
      expect(await host.send(path)).toMatchObject({ status: 500 });
    }
    expect(await host.send('/slow')).toMatchObject({ status: 200 });
    host.child.kill('SIGTERM');
    expect(await host.exited()).toBe(0);
  });

  test('logs an unhandled rejection, answers what is in flight, and exits 1', async () => {
    const host = await start();
    const slow = host.send('/slow');
    await host.printed('slow began');
    await host.send('/reject-later');
    expect(await slow).toMatchObject({ status: 200, body: 'slow done' });
    expect(await host.exited()).toBe(1);
    expect(await host.logged('CRITICAL')).toMatchObject([{ error: { message: 'nobody listens' } }]);
    expect(host.output()).toContain('flushed');
  });
});

describe('refusing to start', () => {
  test.each(['http', '-1', '70000', '80 80', ''])('names PORT when it is %j', async (port) => {
    const host = spawnHost({ PORT: port, FUNCTION_TARGET: 'probe' });
    expect(await host.exited()).toBe(1);
    expect(host.output()).toBe(
      `PORT must be a whole number from 0 (any free port) to 65535, not ${JSON.stringify(port)}.\n`,
    );
  });

  test('lists the registered functions when the target is unknown or missing', async () => {
    const unknown = spawnHost({ FUNCTION_TARGET: 'prob' });
    expect(await unknown.exited()).toBe(1);
    expect(unknown.output()).toContain('FUNCTION_TARGET is "prob"');
    expect(unknown.output()).toContain('registered with http(): other, probe.');
    const missing = spawnHost({});
    expect(await missing.exited()).toBe(1);
    expect(missing.output()).toContain('FUNCTION_TARGET is not set');
  });

  test('names a port that is taken, a source that cannot be loaded, and a signature it does not serve', async () => {
    const taken = createServer().listen(0, '0.0.0.0');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const second = spawnHost({ PORT: String(port), FUNCTION_TARGET: 'probe' });
    expect(await second.exited()).toBe(1);
    expect(second.output()).toContain(`PORT ${port} on HOST 0.0.0.0 cannot be listened on`);
    taken.close();

    const lost = spawnHost({ FUNCTION_TARGET: 'probe' }, ['--source', '/nowhere']);
    expect(await lost.exited()).toBe(1);
    expect(lost.output()).toContain('The function in /nowhere could not be loaded.');

    const event = spawnHost({ FUNCTION_TARGET: 'probe', FUNCTION_SIGNATURE_TYPE: 'cloudevent' });
    expect(await event.exited()).toBe(1);
    expect(event.output()).toContain('FUNCTION_SIGNATURE_TYPE must be "http"');
  });

  test('prints help, and for a flag it does not know says so', async () => {
    const help = spawnHost({}, ['--help']);
    expect(await help.exited()).toBe(0);
    expect(help.output()).toContain('FUNCTION_TARGET');
    const unknown = spawnHost({}, ['--prot', '80']);
    expect(await unknown.exited()).toBe(1);
    expect(unknown.output()).toContain("'--prot'");
  });
});

type Answer = {
  status: number;
  body: string;
  headers: IncomingMessage['headers'];
  socket: IncomingMessage['socket'];
};
type Sent = { headers?: Record<string, string>; body?: string; agent?: Agent };

/** Starts the host on any free port and waits until it listens. */
async function start() {
  const host = spawnHost({ PORT: '0', FUNCTION_TARGET: 'probe', HOST: '127.0.0.1' });
  await host.printed('Serving probe');
  const [line] = await host.logged('INFO');
  const port = Number(line?.port);
  return {
    ...host,
    send: (path: string, { headers = {}, body, agent }: Sent = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port,
          path,
          headers,
          agent,
          method: body === undefined ? 'GET' : 'POST',
        };
        const sending = request(options, (response) => {
          const { socket } = response;
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers, socket }),
          );
        });
        sending.on('error', reject).end(body);
      }),
  };
}

/** How a request failed. One that the kernel took in just before the port closed is reset, the next are refused. */
function codeOf(sending: Promise<Answer>): Promise<unknown> {
  return sending.catch((error: NodeJS.ErrnoException) => error.code);
}

function spawnHost(environment: Record<string, string>, flags = ['--source', FUNCTIONS]) {
  const child = spawn(process.execPath, [BIN, ...flags], { env: { PATH: process.env.PATH, ...environment } });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
  }
  const exit = once(child, 'close').then(([code]) => code);
  const printed = (expected: string) => expect.poll(() => text, { timeout: 60_000 }).toContain(expected);
  return {
    child,
    printed,
    output: () => text,
    exited: () => exit,
    logged: async (severity: string): Promise<Record<string, unknown>[]> => {
      await printed(`"severity":"${severity}"`);
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      return lines.map((line) => JSON.parse(line)).filter((line) => line.severity === severity);
    },
  };
}
