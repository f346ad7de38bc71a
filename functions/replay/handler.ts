import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { admitCaller } from '../../shared/host/admit-caller.ts';
import { describeError, readTrace, log as writeLog } from '../../shared/host/log.ts';
import { readWholeBody } from '../../shared/host/read-whole-body.ts';
import { InvalidSettings } from '../../shared/settings/parse-settings.ts';
import type { Settings } from '../../shared/settings/settings.ts';
import { checkCondition } from './check-condition.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { type DrainOptions, drainSpill } from './drain-spill.ts';
import type { ReplayCounts } from './metrics.ts';
import {
  ReplayInterrupted,
  type ReplayOptions,
  replaySlice,
  type Slice,
  sliceLimits,
} from './replay-slice.ts';

export interface ReplayHandlerOptions extends ReplayOptions {
  readonly bucket: DrainOptions['bucket'];
  readonly verifyToken: VerifyToken;
  /** Read anew for each slice, since they are what was just mended. Rejects with InvalidSettings. */
  readonly readSettings: () => Promise<Settings>;
  /** When the platform gives up on a request, in seconds. */
  readonly timeoutSeconds: number;
  readonly counts: ReplayCounts;
  readonly log?: typeof writeLog;
}

const mostBodyBytes = 64 * 1024;

/** Before the platform's timeout: what is under way must still end. */
const drainMarginMs = 60_000;

/**
 * Makes the handler of `POST /drain`, which Cloud Scheduler calls, and of `POST /replay`, which an operator calls slice
 * by slice. Each call is answered only to those who may call.
 */
export function createReplayHandler(options: ReplayHandlerOptions) {
  const { verifyToken, timeoutSeconds, now, counts, log = writeLog } = options;

  async function drain(response: ServerResponse): Promise<void> {
    const deadline = now() + Math.max(1_000, timeoutSeconds * 1_000 - drainMarginMs);
    const drained = await drainSpill({ ...options, log }, deadline);
    counts.batchesDrained += drained.drained;
    counts.batchesFailed += drained.failed;
    if (drained.drained > 0) log('INFO', 'Spilled batches were published.', { ...drained });
    answer(response, drained.failed > 0 ? 503 : 200, drained);
  }

  async function replay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readWholeBody(request, mostBodyBytes);
    if (body.kind === 'aborted') return;
    if (body.kind === 'too_large') {
      return refuse(response, 413, 'too_large', `A call has at most ${mostBodyBytes} bytes.`);
    }
    const call = replayCall.safeParse(parseJson(body.bytes));
    if (!call.success) return refuse(response, 400, 'invalid_argument', z.prettifyError(call.error));
    const { where, dryRun, limit, after, replayId = randomUUID().replaceAll('-', '') } = call.data;
    const wrong = checkCondition(where) ?? (await options.reader.refuseCondition(where));
    if (wrong !== undefined) return refuse(response, 400, 'invalid_argument', `where: ${wrong}`);

    const settings = await options.readSettings();
    const slice = await replaySlice({ where, dryRun, limit, after, replayId, settings }, options);
    if (!dryRun) countSlice(counts, slice);
    log('INFO', 'A slice of quarantine was replayed.', {
      replay_id: replayId,
      dry_run: dryRun,
      rows: slice.rows,
      groups: slice.groups,
    });
    answer(response, 200, {
      replayId,
      dryRun,
      ...slice,
      after: slice.after === undefined ? null : writeCursor(slice.after),
    });
  }

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0] ?? '/';
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/' || path === '/healthz') return answer(response, 200, { status: 'ok' });
    }
    const refusal = await admitCaller(request, { verifyToken, what: 'a call', log });
    if (refusal !== undefined) return refuse(response, refusal.status, refusal.code, refusal.message);
    if (request.method !== 'POST' || (path !== '/drain' && path !== '/replay')) {
      return refuse(response, 404, 'not_found', 'There are POST /drain and POST /replay.');
    }
    try {
      await (path === '/drain' ? drain(response) : replay(request, response));
    } catch (error) {
      if (error instanceof InvalidSettings) {
        return refuse(response, 409, 'failed_precondition', `SETTINGS: ${error.message}`);
      }
      log('ERROR', `${path} failed.`, { ...readTrace(request), ...describeError(error) });
      const message = error instanceof ReplayInterrupted ? error.message : 'a service of Google failed';
      refuse(response, 503, 'unavailable', `${message}; nothing is lost, try again`);
    }
  };
}

const replayCall = z.strictObject({
  where: z.string().max(20_000),
  dryRun: z.boolean().default(false),
  limit: z.int().min(1).max(sliceLimits.rows).default(sliceLimits.rows),
  after: z
    .string()
    .optional()
    .transform((text, context) => {
      const cursor = text === undefined ? undefined : readCursor(text);
      if (text !== undefined && cursor === undefined) {
        context.addIssue('must be what the slice before answered as its `after`');
      }
      return cursor;
    }),
  replayId: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be at most 64 letters, digits, _ and -')
    .optional(),
});

function countSlice(counts: ReplayCounts, { rows, groups }: Slice): void {
  counts.rowsDecided += rows;
  for (const group of groups) {
    if (group.outcome === 'accepted') counts.rowsAccepted += group.rows;
    else counts.rowsRefused += group.rows;
    counts.eventsAccepted += group.events;
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  answer(response, status, { error: { code, message } });
}
