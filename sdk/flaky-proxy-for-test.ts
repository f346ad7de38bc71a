import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FlakyProxy {
  readonly url: string;
  /** Requests that came, and of these the ones that were told they had failed although the server had taken them. */
  readonly requests: number;
  readonly takenAndFailed: number;
  close(): Promise<void>;
}

/**
 * Passes requests on to a server. Of each five one is answered 500 and not passed on, one is passed on and answered 500
 * all the same, and one is passed on and its connection reset.
 */
export async function startFlakyProxy(to: string): Promise<FlakyProxy> {
  const state = { requests: 0, takenAndFailed: 0 };
  const server = http.createServer((incoming, response) => {
    const fate = state.requests++ % 5;
    if (fate === 0) {
      incoming.resume().on('end', () => response.writeHead(500).end());
      return;
    }
    const { method, headers, url = '/' } = incoming;
    const passed = http.request(new URL(url, to), { method, headers }, (answer) => {
      if (fate < 3) state.takenAndFailed++;
      if (fate === 2) answer.resume().on('end', () => incoming.socket.destroy());
      else answer.pipe(response.writeHead(fate === 1 ? 500 : (answer.statusCode ?? 502), answer.headers));
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return state.requests;
    },
    get takenAndFailed() {
      return state.takenAndFailed;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
