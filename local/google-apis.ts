import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type Faults, faultsSchema } from './faults.ts';
import { createIssuer, type Issuer } from './issuer/index.ts';

export interface GoogleApis {
  issuer: Issuer;
  close(): Promise<void>;
}

/** What the control endpoint below /_local/ reads and changes. */
export interface Control {
  counts(): object;
  faults(): object;
  setFaults(faults: Faults): void;
}

/** Serves the issuer of tokens, and the control of the local cloud: `GET /_local/counts`, `GET` and `POST /_local/faults`. */
export async function startGoogleApis(options: {
  port: number;
  keyFile: string;
  control: Control;
}): Promise<GoogleApis> {
  const { port, keyFile, control } = options;
  const issuer = await createIssuer({ keyFile, issuer: `http://127.0.0.1:${port}` });
  const server = createServer((request, response) => {
    if (issuer.handle(request, response)) return;
    serveControl(control, request, response).catch((error: unknown) =>
      answer(response, 500, { error: String(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    issuer,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

async function serveControl(
  control: Control,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = `${request.method} ${request.url}`;
  if (call === 'GET /_local/counts') return answer(response, 200, control.counts());
  if (call === 'GET /_local/faults') return answer(response, 200, control.faults());
  if (call !== 'POST /_local/faults') return answer(response, 404, { error: `There is no ${call} here.` });
  const parsed = faultsSchema.safeParse(parseJson(await text(request)));
  if (!parsed.success) return answer(response, 400, { error: z.prettifyError(parsed.error) });
  control.setFaults(parsed.data);
  return answer(response, 200, control.faults());
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
