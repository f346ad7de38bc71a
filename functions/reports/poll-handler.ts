import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { admitCaller } from '../../shared/host/admit-caller.ts';
import { describeError, readTrace } from '../../shared/host/log.ts';
import { readWholeBody } from '../../shared/host/read-whole-body.ts';
import { InvalidConfiguration } from './configuration/parse-configuration.ts';
import { countTick, type ReportsCounts } from './metrics.ts';
import type { OpenedServices } from './open-services.ts';
import { readStatus } from './read-status.ts';
import { runBackfill } from './run-backfill.ts';
import { type PollOptions, runPoll } from './run-poll.ts';
import { countDays } from './services/calendar.ts';

export interface PollHandlerOptions extends Omit<PollOptions, 'services' | 'ladder' | 'lookbackDays'> {
  /** Read anew for each tick. Rejects where there is no configuration that can be used. */
  readonly readServices: () => Promise<OpenedServices>;
  readonly verifyToken: VerifyToken;
  readonly counts: ReportsCounts;
}

/** A range of a year is read at once; calls of operators take it month by month. */
const mostDays = 400;
const mostBodyBytes = 64 * 1024;

const isoDate = z.iso.date();
const range = z.strictObject({ from: isoDate, to: isoDate, keys: z.array(z.string()).min(1).optional() });
const isRange = ({ from, to }: { from: string; to: string }) => from <= to && countDays(from, to) < mostDays;
const rangeError = `to must be the same day as from or a later one, ${mostDays} days at most`;
const backfillCall = range.extend({ dryRun: z.boolean().default(false) }).refine(isRange, rangeError);
const statusCall = range.extend({ proofs: z.boolean().default(false) }).refine(isRange, rangeError);

/**
 * Makes the handler of `POST /`, which Cloud Scheduler calls, and of `POST /backfill` and `POST /status`, which operators
 * do. It answers what was done, also where that is nothing.
 */
export function createPollHandler(options: PollHandlerOptions) {
  const { verifyToken, counts, log } = options;

  async function poll(opened: PollOptions): Promise<object> {
    try {
      const tick = await runPoll(opened);
      countTick(counts, tick);
      log('INFO', 'A tick has polled.', { ...tick });
      return tick;
    } catch (error) {
      countTick(counts, 'failed');
      throw error;
    }
  }

  async function serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readWholeBody(request, mostBodyBytes);
    if (body.kind === 'aborted') return;
    if (body.kind === 'too_large') {
      return refuse(response, 413, 'too_large', `A call has at most ${mostBodyBytes} bytes.`);
    }
    const { services, poll: settings } = await options.readServices();
    const { lookbackDays, repullDays: ladder } = settings;
    const opened: PollOptions = { ...options, services, ladder, lookbackDays };
    if (path === '/') return answer(response, 200, await poll(opened));
    const given = parseJson(body.bytes);
    if (path === '/backfill') {
      const call = backfillCall.safeParse(given);
      if (!call.success) return refuse(response, 400, 'invalid_argument', z.prettifyError(call.error));
      const done = await runBackfill(call.data, opened);
      if (!call.data.dryRun) log('INFO', 'A range of days was ordered.', { ...call.data, ...done });
      return answer(response, 200, done);
    }
    const call = statusCall.safeParse(given);
    if (!call.success) return refuse(response, 400, 'invalid_argument', z.prettifyError(call.error));
    answer(response, 200, await readStatus(call.data, opened));
  }

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? '/', 'http://reports');
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/' || path === '/healthz') return answer(response, 200, { status: 'ok' });
    }
    const refusal = await admitCaller(request, { verifyToken, what: 'a call', log });
    if (refusal !== undefined) return refuse(response, refusal.status, refusal.code, refusal.message);
    if (request.method !== 'POST' || !['/', '/backfill', '/status'].includes(path)) {
      return refuse(response, 404, 'not_found', 'There are POST /, POST /backfill and POST /status.');
    }
    try {
      await serve(path, request, response);
    } catch (error) {
      if (error instanceof InvalidConfiguration) {
        log('ERROR', error.message, readTrace(request));
        return refuse(response, 409, 'failed_precondition', error.message);
      }
      log('ERROR', 'A call failed; the next tick goes on.', {
        path,
        ...readTrace(request),
        ...describeError(error),
      });
      refuse(response, 503, 'unavailable', 'a service of Google failed; nothing is lost, try again');
    }
  };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

export function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  answer(response, status, { error: { code, message } });
}
