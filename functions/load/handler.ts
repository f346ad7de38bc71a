import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeMessage } from '../../shared/batches/decode-message.ts';
import type { VerifyToken } from '../../shared/google/verify-token.ts';
import { log as writeLog } from '../../shared/host/log.ts';
import type { Writer } from '../../shared/warehouse/writer.ts';
import { type PushedMessage, parsePushEnvelope } from './push-envelope.ts';
import { encodeUndecodableMessage } from './quarantine-rows.ts';
import { readBody } from './read-body.ts';
import { type StoreOutcome, storeBatch, storeQuarantine } from './store-batch.ts';

export interface LoadDependencies {
  readonly verifyToken: VerifyToken;
  readonly writer: Pick<Writer, 'append'>;
  /** The subscription's, in seconds. */
  readonly ackDeadlineSeconds: number;
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
  const { verifyToken, writer, log = writeLog } = dependencies;
  const timeMs = Math.max(1_000, dependencies.ackDeadlineSeconds * 1_000 - answerMarginMs);

  async function store(
    message: PushedMessage,
    deadline: number,
  ): Promise<StoreOutcome | 'newer_schema_version'> {
    const decoded = decodeMessage(message);
    if (decoded.kind === 'batch') {
      const { replay_id: replayId } = message.attributes;
      return storeBatch(writer, decoded.batch, decoded.schemaVersion, deadline, replayId);
    }
    if (decoded.kind === 'newer_schema_version') return decoded.kind;
    const row = encodeUndecodableMessage(message, decoded.detail, Date.now());
    return storeQuarantine(writer, [row], deadline, `undecodable message: ${decoded.detail}`);
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

    const token = await verifyToken(request.headers.authorization);
    if (token.kind === 'missing') {
      refuse(response, 401, 'unauthenticated', 'The Authorization header must be a bearer token.');
      return;
    }
    if (token.kind === 'refused') {
      log('WARNING', 'Refused a push.', { reason: token.reason });
      refuse(response, 403, 'permission_denied', token.reason);
      return;
    }
    if (token.kind === 'keys_unavailable') {
      log('ERROR', 'The keys that sign push tokens cannot be fetched.', { reason: token.reason });
      refuse(response, 503, 'unavailable', 'The keys that sign tokens cannot be fetched.');
      return;
    }

    const body = await readBody(request, maxBodyBytes);
    if (body.kind === 'aborted') return;
    if (body.kind === 'too_large') {
      refuse(response, 413, 'too_large', `A push is at most ${maxBodyBytes} bytes.`);
      return;
    }
    const message = parsePushEnvelope(body.bytes);
    if (message === undefined) {
      log('ERROR', 'The body of a push is not an envelope of Pub/Sub. Is payload unwrapping on?');
      refuse(response, 400, 'invalid_envelope', 'The body is not a push envelope of Pub/Sub.');
      return;
    }

    const outcome = await store(message, deadline);
    const { messageId, deliveryAttempt, attributes } = message;
    const fields = { messageId, deliveryAttempt, batchId: attributes.batch_id, project: attributes.project };
    if (outcome === 'newer_schema_version') {
      log('ERROR', 'A message has a schema version that this deployment does not know. Deploy load.', {
        ...fields,
        schemaVersion: attributes.schema_version,
      });
      refuse(response, 503, 'unavailable', 'The schema version is newer than this deployment.');
    } else if (outcome.kind === 'full') {
      log('WARNING', 'Too many rows wait for BigQuery; the message comes again.', fields);
      refuse(response, 503, 'unavailable', 'Too many rows wait for BigQuery.');
    } else if (outcome.kind === 'failed') {
      const { table, permanent, detail } = outcome;
      const severity = permanent ? 'ERROR' : 'WARNING';
      log(severity, `Rows could not be appended to ${table}; the message comes again.`, {
        ...fields,
        table,
        permanent,
        detail,
      });
      refuse(response, 503, 'unavailable', `Rows could not be appended to ${table}.`);
    } else {
      const { quarantined, detail } = outcome;
      if (quarantined > 0) log('WARNING', 'Rows were quarantined.', { ...fields, quarantined, detail });
      answer(response, 204);
    }
  };
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message } }));
}
