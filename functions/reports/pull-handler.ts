import type { IncomingMessage, ServerResponse } from 'node:http';
import { parsePushEnvelope } from '../../shared/google/push-envelope.ts';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { admitCaller } from '../../shared/host/admit-caller.ts';
import { describeError, readTrace } from '../../shared/host/log.ts';
import { readWholeBody } from '../../shared/host/read-whole-body.ts';
import { countOrder, type ReportsCounts } from './metrics.ts';
import type { OpenedServices } from './open-services.ts';
import { answer, refuse } from './poll-handler.ts';
import { parseOrder } from './pull-order.ts';
import { type PullOptions, runPull } from './run-pull.ts';

export interface PullHandlerOptions extends Omit<PullOptions, 'services' | 'ladder'> {
  /** Read anew for each order. Rejects where there is no configuration that can be used. */
  readonly readServices: () => Promise<OpenedServices>;
  readonly verifyToken: VerifyToken;
  readonly counts: ReportsCounts;
}

/** An order of forty slices is some kilobytes. */
const mostBodyBytes = 1_000_000;

/**
 * Makes the handler of Pub/Sub's pushes. It answers 204, which acknowledges the order, once all of it is pulled, void or
 * left to a later order; every other answer has it delivered again.
 */
export function createPullHandler(options: PullHandlerOptions) {
  const { verifyToken, counts, log } = options;

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/' || path === '/healthz') return answer(response, 200, { status: 'ok' });
      return refuse(response, 404, 'not_found', 'Pub/Sub posts to /.');
    }
    if (request.method !== 'POST') {
      return refuse(response, 405, 'method_not_allowed', 'Pub/Sub posts to /.');
    }
    const refusePush: typeof refuse = (...refusal) => {
      counts.pushesRefused++;
      refuse(...refusal);
    };
    const refusal = await admitCaller(request, { verifyToken, what: 'a push', log });
    if (refusal !== undefined) return refusePush(response, refusal.status, refusal.code, refusal.message);
    const body = await readWholeBody(request, mostBodyBytes);
    if (body.kind === 'aborted') return;
    if (body.kind === 'too_large') {
      return refusePush(response, 413, 'too_large', `A push is at most ${mostBodyBytes} bytes.`);
    }
    const message = parsePushEnvelope(body.bytes);
    if (message === undefined) {
      log('ERROR', 'The body of a push is not an envelope of Pub/Sub. Is payload unwrapping on?', {
        ...readTrace(request),
      });
      return refusePush(response, 400, 'invalid_envelope', 'The body is not a push envelope of Pub/Sub.');
    }
    const order = parseOrder(message.data);
    const fields = { message_id: message.messageId, ...readTrace(request) };
    if (order === undefined) {
      counts.pushesRefused++;
      // It will never be one: what is due is ordered again.
      log('ERROR', 'A message on the topic is no order, and was dropped.', fields);
      response.writeHead(204).end();
      return;
    }
    try {
      const { services, poll } = await options.readServices();
      const result = await runPull(order, { ...options, services, ladder: poll.repullDays });
      countOrder(counts, result);
      const told = { source: order.source, probe_group: order.probeGroup, ...result, ...fields };
      if (result.kind === 'done') {
        log('INFO', 'An order was pulled.', told);
        response.writeHead(204).end();
        return;
      }
      log(result.kind === 'busy' ? 'INFO' : 'WARNING', 'An order was not finished; it comes again.', told);
      refuse(response, 503, 'unavailable', `The order is ${result.kind}; deliver it again.`);
    } catch (error) {
      countOrder(counts, 'failed');
      log('ERROR', 'An order could not be pulled; it comes again.', { ...fields, ...describeError(error) });
      refuse(response, 503, 'unavailable', 'a service of Google failed; nothing is lost, deliver it again');
    }
  };
}
