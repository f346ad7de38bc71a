import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { admitCaller } from '../../shared/host/admit-caller.ts';
import { describeError, readTrace } from '../../shared/host/log.ts';
import { countTick, type ReportsCounts } from './metrics.ts';
import type { OpenedServices } from './open-services.ts';
import { type PollOptions, runPoll } from './run-poll.ts';

export interface PollHandlerOptions extends Omit<PollOptions, 'services' | 'ladder' | 'lookbackDays'> {
  /** Read anew for each tick. Rejects where there is no configuration that can be used. */
  readonly readServices: () => Promise<OpenedServices>;
  readonly verifyToken: VerifyToken;
  readonly counts: ReportsCounts;
}

/** Makes the handler of `POST /`, which Cloud Scheduler calls. It answers what the tick did, also where that is nothing. */
export function createPollHandler(options: PollHandlerOptions) {
  const { verifyToken, counts, log } = options;

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? '/', 'http://reports');
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/' || path === '/healthz') return answer(response, 200, { status: 'ok' });
    }
    const refusal = await admitCaller(request, { verifyToken, what: 'a call', log });
    if (refusal !== undefined) return refuse(response, refusal.status, refusal.code, refusal.message);
    if (request.method !== 'POST' || path !== '/') {
      return refuse(response, 404, 'not_found', 'There is POST /.');
    }
    try {
      const { services, poll } = await options.readServices();
      const { lookbackDays, repullDays: ladder } = poll;
      const tick = await runPoll({ ...options, services, ladder, lookbackDays });
      countTick(counts, tick);
      log('INFO', 'A tick has polled.', { ...tick });
      answer(response, 200, tick);
    } catch (error) {
      countTick(counts, 'failed');
      log('ERROR', 'A tick failed; the next one goes on.', {
        ...readTrace(request),
        ...describeError(error),
      });
      refuse(response, 503, 'unavailable', 'a service of Google failed; nothing is lost, try again');
    }
  };
}

export function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  answer(response, status, { error: { code, message } });
}
