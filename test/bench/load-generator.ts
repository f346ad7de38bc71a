import { connect, type Socket } from 'node:net';

/** Posts one prepared body over and over on keep-alive connections and counts the answers. */
export async function post(options: {
  port: number;
  path: string;
  headers: Readonly<Record<string, string>>;
  bodies: readonly Buffer[];
  connections: number;
  /** Stop after this many requests. */
  requests: number;
}): Promise<{ ok: number; failed: number; seconds: number; answerBytes: number }> {
  const { port, path, headers, bodies, connections, requests } = options;
  const raw = bodies.map((body) => {
    const lines = Object.entries({ Host: '127.0.0.1', ...headers, 'Content-Length': String(body.length) });
    const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
  });
  let sent = 0;
  let ok = 0;
  let failed = 0;
  let answerBytes = 0;
  const began = performance.now();

  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket: Socket = connect(port, '127.0.0.1');
      const next = () => {
        if (sent >= requests) {
          socket.end();
          resolve();
          return;
        }
        socket.write(raw[sent % raw.length]!);
        sent++;
      };
      let pending = '';
      socket.setNoDelay(true);
      socket.on('connect', next);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        answerBytes += chunk.length;
        pending += chunk.toString('latin1');
        const length = answerLength(pending);
        if (length === undefined || pending.length < length) return;
        if (pending.startsWith('HTTP/1.1 2')) ok++;
        else failed++;
        pending = pending.slice(length);
        next();
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  return { ok, failed, seconds: (performance.now() - began) / 1000, answerBytes };
}

/** Length of a whole answer, head and body; undefined while the head is not complete. */
function answerLength(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined && !/ 204 /.test(head)) throw new Error(`an answer without a length: ${head}`);
  return end + 4 + Number(length ?? 0);
}
