import net from 'node:net';
import tls from 'node:tls';

/**
 * Posts to one endpoint over kept-alive HTTP/1.1 connections. Of the answer only the status counts. node:http costs
 * several times the CPU per request, which on a small machine is taken from the function under load.
 */
export interface HttpPool {
  /** Resolves with the status, 102 included; rejects when the connection fails or `timeout` milliseconds pass. */
  post(headers: string, body: string, timeout: number): Promise<number>;
  /** Closes the idle connections, and the others as they fall idle. */
  close(): void;
}

interface Call {
  request: string;
  settle(status: number | Error): void;
  settled: boolean;
  connection: Connection | undefined;
}

interface Connection {
  socket: net.Socket;
  call: Call | undefined;
  reader: ResponseReader;
  /** True while no byte of an answer came on a connection that was used before: the peer may just have closed it. */
  maybeStale: boolean;
}

/** Makes the pool for an http: or https: URL. */
export function createHttpPool(target: URL): HttpPool {
  const idle: Connection[] = [];
  const secure = target.protocol === 'https:';
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const port = Number(target.port || (secure ? 443 : 80));
  const start = `POST ${target.pathname}${target.search} HTTP/1.1\r\nhost: ${target.host}\r\n`;
  let closed = false;

  const open = (): Connection => {
    const socket = secure
      ? tls.connect({ host, port, servername: net.isIP(host) ? '' : host })
      : net.connect(port, host);
    socket.setNoDelay(true);
    const connection: Connection = { socket, call: undefined, reader: createReader(), maybeStale: false };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => read(connection, text));
    socket.on('error', (error) => fail(connection, error));
    socket.on('close', () => fail(connection, new Error('the connection was closed before the answer')));
    return connection;
  };

  const fail = (connection: Connection, error: Error) => {
    const { call, maybeStale } = connection;
    connection.call = undefined;
    connection.socket.destroy();
    const index = idle.indexOf(connection);
    if (index >= 0) idle.splice(index, 1);
    if (call === undefined || call.settled) return;
    if (maybeStale) send(open(), call, false);
    else call.settle(error);
  };

  const read = (connection: Connection, text: string) => {
    const { call, reader } = connection;
    if (call === undefined) {
      // An answer to nothing: whatever it is, this connection is out of step.
      connection.socket.destroy();
      return;
    }
    connection.maybeStale = false;
    const outcome = reader.read(text);
    if (reader.status !== 0) call.settle(reader.status);
    if (outcome === 'more') return;
    connection.call = undefined;
    if (outcome === 'close' || closed) {
      if (!call.settled) call.settle(new Error('the answer is not HTTP/1.1'));
      connection.socket.destroy();
    } else idle.push(connection);
  };

  const send = (connection: Connection, call: Call, reused: boolean) => {
    call.connection = connection;
    connection.call = call;
    connection.maybeStale = reused;
    connection.reader.reset();
    connection.socket.write(call.request);
  };

  return {
    post(headers, body, timeout) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          call.settle(new Error('no answer within the ack deadline'));
          call.connection?.socket.destroy();
        }, timeout);
        const call: Call = {
          request: `${start}${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
          settled: false,
          connection: undefined,
          settle(status) {
            if (call.settled) return;
            call.settled = true;
            clearTimeout(timer);
            if (typeof status === 'number') resolve(status);
            else reject(status);
          },
        };
        // The last one used is the least likely to have been closed.
        const kept = idle.pop();
        send(kept ?? open(), call, kept !== undefined);
      });
    },
    close() {
      closed = true;
      for (const connection of idle.splice(0)) connection.socket.destroy();
    },
  };
}

interface ResponseReader {
  /** The status, once its line is read; 0 before. */
  status: number;
  /** Takes bytes as latin1: more are to come, the answer is whole, or the connection cannot be used again. */
  read(text: string): 'more' | 'done' | 'close';
  reset(): void;
}

/** Reads one answer at a time: RFC 9112, as far as needed to know where the answer ends. */
export function createReader(): ResponseReader {
  let held = '';
  // What is left of the body in bytes; -1 reads the head, -2 the size of a chunk, -3 the trailer, -4 until the close.
  let left = -1;
  let chunked = false;
  let keep = true;

  const readHead = (): boolean => {
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = held.slice(0, end);
    held = held.slice(end + 4);
    const status = /^HTTP\/1\.([01]) (\d{3})/.exec(head);
    if (status === null) {
      keep = false;
      left = 0;
      return true;
    }
    const code = Number(status[2]);
    // 102 acknowledges a push; what is sent after it only ends the exchange.
    if (code === 102 || code >= 200) reader.status ||= code;
    if (code < 200) return held !== '' && readHead();
    keep = status[1] === '1' && !/\r\nconnection:[^\r]*close/i.test(head);
    chunked = /\r\ntransfer-encoding:[^\r]*chunked/i.test(head);
    const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head);
    if (code === 204 || code === 304) left = 0;
    else if (chunked) left = -2;
    else if (length !== null) left = Number(length[1]);
    else left = -4;
    return true;
  };

  const readBody = (): 'more' | 'done' | 'close' => {
    for (;;) {
      if (left === -4) return 'close';
      if (left === -2 || left === -3) {
        const end = held.indexOf('\r\n');
        if (end < 0) return 'more';
        const line = held.slice(0, end);
        held = held.slice(end + 2);
        if (left === -3) {
          if (line === '') return finish();
          continue;
        }
        const size = Number.parseInt(line, 16);
        if (Number.isNaN(size)) return 'close';
        // The CRLF behind a chunk is skipped with it.
        left = size === 0 ? -3 : size + 2;
        continue;
      }
      if (held.length < left) {
        left -= held.length;
        held = '';
        return 'more';
      }
      held = held.slice(left);
      if (!chunked || left === 0) return finish();
      left = -2;
    }
  };

  const finish = () => (keep && held === '' ? 'done' : 'close');

  const reader: ResponseReader = {
    status: 0,
    read(text) {
      held = held === '' ? text : held + text;
      if (left === -1 && !readHead()) return 'more';
      return readBody();
    },
    reset() {
      held = '';
      left = -1;
      chunked = false;
      keep = true;
      reader.status = 0;
    },
  };
  return reader;
}
