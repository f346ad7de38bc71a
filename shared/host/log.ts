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

/**
 * The fields that tie a log line to its request's trace and span, or none when the request carries no trace.
 * https://cloud.google.com/trace/docs/trace-log-integration
 */
export function readTrace(request: IncomingMessage): Record<string, string | boolean> {
  const context = traceContext(request);
  if (context === undefined) return {};
  const project = process.env.GOOGLE_CLOUD_PROJECT;
  return {
    'logging.googleapis.com/trace': project ? `projects/${project}/traces/${context.trace}` : context.trace,
    ...(context.span === undefined ? {} : { 'logging.googleapis.com/spanId': context.span }),
    'logging.googleapis.com/trace_sampled': context.isSampled,
  };
}

/**
 * What may be logged of something thrown: its name, code, message and frames, never what a sender sent.
 * Messages that may quote their input (JSON.parse, BigInt, all that Node gives a code beginning with ERR_) are left out.
 */
export function describeError(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { error: { name: typeof thrown } };
  const code = 'code' in thrown ? thrown.code : undefined;
  const quotesInput = thrown instanceof SyntaxError || String(code).startsWith('ERR_');
  // The stack begins with the message, whose own lines may look like frames.
  const stack = thrown.stack ?? '';
  const start = stack.indexOf(thrown.message);
  const frames = start < 0 ? [] : stack.slice(start + thrown.message.length).match(/^ +at .*$/gm);
  return {
    error: {
      name: thrown.name,
      ...(code === undefined ? {} : { code }),
      ...(quotesInput ? {} : { message: thrown.message.slice(0, MAX_MESSAGE_LENGTH) }),
      frames: (frames ?? []).map((line) => line.trim()),
    },
  };
}

const MAX_MESSAGE_LENGTH = 300;

interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly trace: string;
  /** 16 hexadecimal digits. */
  readonly span: string | undefined;
  readonly isSampled: boolean;
}

function traceContext(request: IncomingMessage): TraceContext | undefined {
  const { traceparent, 'x-cloud-trace-context': cloudTrace } = request.headers;
  return readTraceparent(traceparent) ?? readCloudTrace(cloudTrace);
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function readTraceparent(value: unknown): TraceContext | undefined {
  if (typeof value !== 'string') return undefined;
  const [, version, trace, span, flags] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(value) ?? [];
  if (trace === undefined || span === undefined || version === 'ff') return undefined;
  if (/^0+$/.test(trace) || /^0+$/.test(span)) return undefined;
  return { trace, span, isSampled: (Number.parseInt(flags ?? '', 16) & 1) === 1 };
}

/** `TRACE_ID/SPAN_ID;o=OPTIONS`, where SPAN_ID is decimal: https://cloud.google.com/trace/docs/trace-context */
function readCloudTrace(value: unknown): TraceContext | undefined {
  if (typeof value !== 'string') return undefined;
  const [, trace, span, options] =
    /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?(?:[/;]|$)/i.exec(value) ?? [];
  if (trace === undefined) return undefined;
  const number = span === undefined ? 0n : BigInt(span);
  const isSpan = number > 0n && number < 2n ** 64n;
  return {
    trace: trace.toLowerCase(),
    span: isSpan ? number.toString(16).padStart(16, '0') : undefined,
    isSampled: options === '1',
  };
}
