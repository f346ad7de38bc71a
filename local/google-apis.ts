import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type Faults, faultsSchema } from './faults.ts';
import { createIssuer, type Issuer } from './issuer/index.ts';
import { metricsEntry } from './log-metrics.ts';

export interface GoogleApis {
  issuer: Issuer;
  close(): Promise<void>;
}

/** What the control endpoint below /_local/ reads and changes. */
export interface Control {
  counts(): object;
  faults(): object;
  setFaults(faults: Faults): void;
  /** The jobs of the scheduler. */
  jobs(): readonly object[];
  /** Runs a job of the scheduler now. */
  runJob(name: string): Promise<object>;
  /** Takes a line of metrics that a function has written, for the log-based metrics; the same id again is the same line. */
  logEntry(service: string, insertId: string, entry: z.infer<typeof metricsEntry>): void;
}

/**
 * Serves the issuer of tokens, the APIs that are mounted, and the control of the local cloud: `GET /_local/counts`, `GET` and `POST /_local/faults`,
 * `GET /_local/jobs`, `POST /_local/run-job` {name}, `POST /_local/log-entry` {service, insertId, entry}, and `POST /_local/token` {audience, email},
 * which signs for anyone on this machine.
 */
export async function startGoogleApis(options: {
  port: number;
  keyFile: string;
  control: Control;
  /** APIs that answer their own paths, and return false where the path is another's. */
  apis: readonly ((request: IncomingMessage, response: ServerResponse) => boolean)[];
}): Promise<GoogleApis> {
  const { port, keyFile, control, apis } = options;
  const issuer = await createIssuer({ keyFile, issuer: `http://127.0.0.1:${port}` });
  const server = createServer((request, response) => {
    if (issuer.handle(request, response) || apis.some((handle) => handle(request, response))) return;
    serveControl(control, issuer, request, response).catch((error: unknown) =>
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
  issuer: Issuer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = `${request.method} ${request.url}`;
  if (call === 'GET /_local/counts') return answer(response, 200, control.counts());
  if (call === 'GET /_local/jobs') return answer(response, 200, control.jobs());
  if (call === 'GET /_local/faults') return answer(response, 200, control.faults());
  const post = async <T>(schema: z.ZodType<T>, act: (body: T) => object | Promise<object>) => {
    const parsed = schema.safeParse(parseJson(await text(request)));
    if (!parsed.success) return answer(response, 400, { error: z.prettifyError(parsed.error) });
    return answer(response, 200, await act(parsed.data));
  };
  if (call === 'POST /_local/faults') {
    return post(faultsSchema, (faults) => {
      control.setFaults(faults);
      return control.faults();
    });
  }
  if (call === 'POST /_local/run-job') return post(jobSchema, ({ name }) => control.runJob(name));
  if (call === 'POST /_local/log-entry') {
    return post(logEntrySchema, ({ service, insertId, entry }) => {
      control.logEntry(service, insertId, entry);
      return {};
    });
  }
  if (call === 'POST /_local/token') {
    return post(tokenSchema, async (claims) => ({ token: await issuer.sign(claims) }));
  }
  return answer(response, 404, { error: `There is no ${call} here.` });
}

const jobSchema = z.strictObject({ name: z.string() });
const logEntrySchema = z.strictObject({ service: z.string(), insertId: z.string(), entry: metricsEntry });
const tokenSchema = z.strictObject({ audience: z.string().min(1), email: z.email() });

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
