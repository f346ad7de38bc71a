import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { admitCaller } from '../../shared/host/admit-caller.ts';
import { describeError, readTrace, log as writeLog } from '../../shared/host/log.ts';
import { InvalidSettings } from '../../shared/settings/parse-settings.ts';
import type { Settings } from '../../shared/settings/settings.ts';
import { countTick, type FoldCounts } from './metrics.ts';
import { runTick } from './run-tick.ts';
import type { TickOptions } from './tick-context.ts';

export interface FoldHandlerOptions extends TickOptions {
  readonly verifyToken: VerifyToken;
  /** Read anew for each tick, since they decide whose a device is. Rejects with InvalidSettings. */
  readonly readSettings: () => Promise<Settings>;
  readonly counts: FoldCounts;
  readonly log?: typeof writeLog;
}

/**
 * Makes the handler of `POST /`, which Cloud Scheduler calls, and `POST /?full=1`, which an operator does. It answers
 * what the tick did, also where that is nothing, as another one is at work or its time was over.
 */
export function createFoldHandler(options: FoldHandlerOptions) {
  const { verifyToken, counts, log = writeLog } = options;

  async function tick(full: boolean, response: ServerResponse): Promise<void> {
    const settings = await options.readSettings();
    const done = await runTick({ full, settings }, options);
    countTick(counts, done);
    if (done.kind === 'overtaken')
      log('WARNING', 'Another tick took over; the next one rebuilds.', { ...done });
    else if (done.kind === 'folded' || done.kind === 'unfinished')
      log('INFO', 'A tick has folded.', { ...done });
    answer(response, 200, done);
  }

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://fold');
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/' || path === '/healthz') return answer(response, 200, { status: 'ok' });
    }
    const refusal = await admitCaller(request, { verifyToken, what: 'a call', log });
    if (refusal !== undefined) return refuse(response, refusal.status, refusal.code, refusal.message);
    if (request.method !== 'POST' || (path !== '/' && path !== '/fold')) {
      return refuse(response, 404, 'not_found', 'There are POST / and POST /?full=1.');
    }
    const full = searchParams.get('full') ?? '0';
    if (full !== '0' && full !== '1') {
      return refuse(response, 400, 'invalid_argument', 'full must be 1 or 0.');
    }
    try {
      await tick(full === '1', response);
    } catch (error) {
      countTick(counts, 'failed');
      log('ERROR', 'A tick failed; the next one goes on.', {
        ...readTrace(request),
        ...describeError(error),
      });
      if (error instanceof InvalidSettings) {
        return refuse(response, 409, 'failed_precondition', `SETTINGS: ${error.message}`);
      }
      refuse(response, 503, 'unavailable', 'a service of Google failed; nothing is lost, try again');
    }
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  answer(response, status, { error: { code, message } });
}
