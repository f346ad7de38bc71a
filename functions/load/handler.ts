import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeMessage } from '../../shared/batches/decode-message.ts';
import { type PushedMessage, parsePushEnvelope } from '../../shared/google/push-envelope.ts';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { admitCaller } from '../../shared/host/admit-caller.ts';
import { readTrace, log as writeLog } from '../../shared/host/log.ts';
import { readWholeBody } from '../../shared/host/read-whole-body.ts';
import type { Writer } from '../../shared/warehouse/writer.ts';
import { countMessage, type LoadCounts } from './metrics.ts';
import { encodeUndecodableMessage } from './quarantine-rows.ts';
import { type StoreOutcome, storeBatch, storeQuarantine } from './store-batch.ts';

export interface LoadDependencies {
  readonly verifyToken: VerifyToken;
  readonly writer: Pick<Writer, 'append'>;
  /** The subscription's, in seconds. */
  readonly ackDeadlineSeconds: number;
  readonly counts: LoadCounts;
  readonly log?: typeof writeLog;
}

/** Pub/Sub takes at most 10 MB of data, which is 13.4 MB of base64. */
const maxBodyBytes = 14_000_000;

/** Between the last moment that an append is waited for and the moment that Pub/Sub gives up on the request. */
const answerMarginMs = 5_000;

/**
 * Makes the handler of Pub/Sub's pushes. It answers 204, which acknowledges the message, only once every row of it is
 * acknowledged by BigQuery or quarantined; every other answer has the message delivered again.
 */
export function createLoadHandler(dependencies: LoadDependencies) {
  const { verifyToken, writer, counts, log = writeLog } = dependencies;
  const timeMs = Math.max(1_000, dependencies.ackDeadlineSeconds * 1_000 - answerMarginMs);

  async function store(message: PushedMessage, deadline: number): Promise<Stored> {
    const decoded = decodeMessage(message);
    if (decoded.kind === 'newer_schema_version') return { events: 0, outcome: decoded };
    if (decoded.kind === 'batch') {
      const { batch, schemaVersion } = decoded;
      const { replay_id: replayId } = message.attributes;
      return {
        events: batch.events.length,
        outcome: await storeBatch(writer, batch, schemaVersion, deadline, replayId),
      };
    }
    const row = encodeUndecodableMessage(message, decoded.detail, Date.now());
    return { events: 0, outcome: await storeQuarantine(writer, [row], deadline, ['undecodable_message']) };
  }

  return async function load(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const deadline = Date.now() + timeMs;
    if (request.method === 'GET' || request.method === 'HEAD') {
      const path = request.url?.split('?', 1)[0];
      if (path === '/' || path === '/healthz') answer(response, 200);
      else refuse(response, 404, 'not_found', 'Pub/Sub posts to /.');
      return;
    }
    if (request.method !== 'POST') {
      refuse(response, 405, 'method_not_allowed', 'Pub/Sub posts to /.');
      return;
    }

    const refusePush: typeof refuse = (...refusal) => {
      counts.pushesRefused++;
      refuse(...refusal);
    };
    const trace = readTrace(request);
    const refusal = await admitCaller(request, { verifyToken, what: 'a push', log });
    if (refusal !== undefined) {
      refusePush(response, refusal.status, refusal.code, refusal.message);
      return;
    }

    const body = await readWholeBody(request, maxBodyBytes);
    if (body.kind === 'aborted') return;
    if (body.kind === 'too_large') {
      refusePush(response, 413, 'too_large', `A push is at most ${maxBodyBytes} bytes.`);
      return;
    }
    const message = parsePushEnvelope(body.bytes);
    if (message === undefined) {
      log('ERROR', 'The body of a push is not an envelope of Pub/Sub. Is payload unwrapping on?', trace);
      refusePush(response, 400, 'invalid_envelope', 'The body is not a push envelope of Pub/Sub.');
      return;
    }

    const { events, outcome } = await store(message, deadline);
    countMessage(counts, events, outcome.kind === 'stored' ? outcome : 'failed');
    const fields = {
      batch_id: message.attributes.batch_id,
      message_id: message.messageId,
      delivery_attempt: message.deliveryAttempt,
      ...trace,
    };
    if (outcome.kind === 'newer_schema_version') {
      log('ERROR', 'A message has a schema version that this deployment does not know. Deploy load.', {
        schema_version: message.attributes.schema_version,
        ...fields,
      });
      refuse(response, 503, 'unavailable', 'The schema version is newer than this deployment.');
    } else if (outcome.kind === 'full') {
      log('WARNING', 'Too many rows wait for BigQuery; the message comes again.', fields);
      refuse(response, 503, 'unavailable', 'Too many rows wait for BigQuery.');
    } else if (outcome.kind === 'failed') {
      const { table, permanent, detail } = outcome;
      const severity = permanent ? 'ERROR' : 'WARNING';
      log(severity, `Rows could not be appended to ${table}; the message comes again.`, {
        table,
        permanent,
        detail,
        ...fields,
      });
      refuse(response, 503, 'unavailable', `Rows could not be appended to ${table}.`);
    } else {
      // Why each was refused is in its row; here it would quote values.
      const { quarantined, reasons } = outcome;
      if (quarantined > 0) log('WARNING', 'Rows were quarantined.', { quarantined, reasons, ...fields });
      answer(response, 204);
    }
  };
}

interface Stored {
  /** Of the message. */
  readonly events: number;
  readonly outcome: StoreOutcome | { readonly kind: 'newer_schema_version' };
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message } }));
}
