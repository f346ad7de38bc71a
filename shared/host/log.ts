import type { IncomingMessage } from 'node:http';

type Severity = 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/**
 * Writes one line of Cloud Logging's structured JSON: errors to standard error, the rest to standard output.
 * https://cloud.google.com/logging/docs/structured-logging
 */
export function log(severity: Severity, message: string, fields: Record<string, unknown> = {}): void {
  const stream = severity === 'ERROR' || severity === 'CRITICAL' ? process.stderr : process.stdout;
  stream.write(`${JSON.stringify({ severity, message, ...fields })}\n`);
}

/** The fields that tie a log line to its request's trace, or none when the request carries no trace. */
export function readTrace(request: IncomingMessage): Record<string, string> {
  const trace = traceId(request);
  if (trace === undefined) return {};
  const project = process.env.GOOGLE_CLOUD_PROJECT;
  return { 'logging.googleapis.com/trace': project ? `projects/${project}/traces/${trace}` : trace };
}

/**
 * What may be logged of something thrown: its name, code, message and frames, never what a sender sent.
 * Messages that quote their input (JSON.parse, BigInt, Node's argument checks) are left out.
 */
export function describeError(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { error: { name: typeof thrown } };
  const code = 'code' in thrown ? thrown.code : undefined;
  const quotesInput = thrown instanceof SyntaxError || String(code).startsWith('ERR_INVALID_');
  const frames = thrown.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    error: {
      name: thrown.name,
      ...(code === undefined ? {} : { code }),
      ...(quotesInput ? {} : { message: thrown.message.slice(0, MAX_MESSAGE_LENGTH) }),
      frames: frames.map((line) => line.trim()),
    },
  };
}

const MAX_MESSAGE_LENGTH = 300;

function traceId(request: IncomingMessage): string | undefined {
  const { traceparent, 'x-cloud-trace-context': cloudTrace } = request.headers;
  if (typeof traceparent === 'string') {
    const id = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1];
    if (id !== undefined) return id;
  }
  return typeof cloudTrace === 'string' ? /^([0-9a-f]{32})(?:\/|;|$)/i.exec(cloudTrace)?.[1] : undefined;
}
