import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Attached, Broker } from './broker.ts';
import { invalidArgument, isRefusal, notFound, refuse } from './refuse.ts';
import { checkPulled } from './subscriber.ts';
import type { Consumer, Taken } from './subscription.ts';
import { checkName } from './validate.ts';
import { encodePullResponse } from './wire.ts';

export interface StreamingPullRequest {
  subscription?: string;
  ackIds?: string[];
  modifyDeadlineSeconds?: number[];
  modifyDeadlineAckIds?: string[];
  streamAckDeadlineSeconds?: number;
  clientId?: string;
  maxOutstandingMessages?: string;
  maxOutstandingBytes?: string;
  protocolVersion?: string;
}

type Stream = ServerDuplexStream<StreamingPullRequest, Buffer>;

/** A StreamingPullResponse that only says: neither exactly-once nor ordered. */
const plainProperties = Buffer.from([0x22, 0x00]);
const keepAlive = Buffer.alloc(0);
const keepAliveEvery = 30_000;

/** Serves one StreamingPull until the client ends it or breaks its rules. What it leased then returns when it expires. */
export function streamingPull(broker: Broker, stream: Stream): void {
  let session: Session | undefined;

  const end = (failure?: Error) => {
    session?.close();
    session = undefined;
    if (failure === undefined) stream.end();
    else stream.emit('error', failure);
  };

  stream.on('data', (request: StreamingPullRequest) => {
    try {
      if (session === undefined) session = openSession(broker, stream, request, end);
      else session.update(request);
    } catch (error) {
      end(isRefusal(error) ? error : refuse(status.INTERNAL, String(error)));
    }
  });
  stream.on('end', () => end());
  stream.on('cancelled', () => {
    session?.close();
    session = undefined;
  });
  // Without a listener the error event that carries the status would be thrown.
  stream.on('error', () => {});
}

interface Session {
  update(request: StreamingPullRequest): void;
  close(): void;
}

function openSession(
  broker: Broker,
  stream: Stream,
  first: StreamingPullRequest,
  end: (failure?: Error) => void,
): Session {
  const name = first.subscription ?? '';
  checkName('subscriptions', name);
  const attached = broker.subscription(name);
  const { subscription, leases } = attached;
  checkPulled(subscription.config);
  let deadline = readStreamDeadline(first.streamAckDeadlineSeconds);
  const mostMessages = limit(first.maxOutstandingMessages);
  const mostBytes = limit(first.maxOutstandingBytes);
  let messages = 0;
  let bytes = 0;
  let draining = false;

  const lease = (taken: Taken) => {
    const size = taken.body.bytes.length;
    const granted = leases.grant(taken, deadline);
    messages++;
    bytes += size;
    granted.onEnd = () => {
      messages--;
      bytes -= size;
      subscription.wake();
    };
    return {
      ackId: granted.ackId,
      messageId: taken.entry.message,
      published: taken.body.published,
      bytes: taken.body.bytes,
      deliveryAttempt: subscription.deliveryAttempt(taken.entry),
    };
  };

  const send = (response: Buffer) => {
    if (stream.write(response) || draining) return;
    draining = true;
    stream.once('drain', () => {
      draining = false;
      subscription.wake();
    });
  };

  const consumer: Consumer = {
    wants: () =>
      draining ? { messages: 0, bytes: 0 } : { messages: mostMessages - messages, bytes: mostBytes - bytes },
    receive: (taken) => send(encodePullResponse(taken.map(lease))),
    stop(reason) {
      if (reason === 'deleted') end(notFound(name));
      else if (reason === 'switched') end(refuse(status.FAILED_PRECONDITION, notPulled));
      else end(refuse(status.UNAVAILABLE, 'The server is shutting down.'));
    },
  };

  stream.write(plainProperties);
  applyRequest(attached, first);
  subscription.add(consumer);
  const heartbeat = setInterval(() => stream.write(keepAlive), keepAliveEvery);
  heartbeat.unref();

  return {
    update(request) {
      checkLater(request);
      if (request.streamAckDeadlineSeconds) deadline = readStreamDeadline(request.streamAckDeadlineSeconds);
      // A client that sends an empty request asks whether the stream is alive, and reopens it without an answer.
      if (!applyRequest(attached, request)) stream.write(keepAlive);
    },
    close() {
      clearInterval(heartbeat);
      subscription.remove(consumer);
    },
  };
}

const notPulled = 'This method is not supported for this subscription type.';

/** Applies acks and deadline changes; false when the request held none. */
function applyRequest({ leases }: Attached, request: StreamingPullRequest): boolean {
  const { ackIds = [], modifyDeadlineAckIds = [], modifyDeadlineSeconds = [] } = request;
  if (modifyDeadlineAckIds.length !== modifyDeadlineSeconds.length) {
    throw invalidArgument(
      `The number of modify_deadline_seconds (${modifyDeadlineSeconds.length}) differs from that of modify_deadline_ack_ids (${modifyDeadlineAckIds.length}).`,
    );
  }
  for (const seconds of modifyDeadlineSeconds) {
    if (seconds < 0 || seconds > 600) {
      throw invalidArgument(
        `Invalid ack deadline given (ack_deadline=${seconds}). The ack deadline must be between 0 and 600 seconds.`,
      );
    }
  }
  leases.check(ackIds);
  leases.check(modifyDeadlineAckIds);
  leases.acknowledge(ackIds);
  for (const [index, ackId] of modifyDeadlineAckIds.entries())
    leases.extend(ackId, modifyDeadlineSeconds[index]!);
  return ackIds.length > 0 || modifyDeadlineAckIds.length > 0;
}

/** What may only stand in the first request of a stream (pubsub.proto, StreamingPullRequest). */
function checkLater(request: StreamingPullRequest): void {
  const initial = {
    subscription: request.subscription,
    max_outstanding_messages: request.maxOutstandingMessages,
    max_outstanding_bytes: request.maxOutstandingBytes,
    protocol_version: request.protocolVersion,
  };
  for (const [field, value] of Object.entries(initial)) {
    if (value && value !== '0') {
      throw invalidArgument(`The ${field} can only be set on the initial StreamingPullRequest.`);
    }
  }
}

function readStreamDeadline(seconds = 0): number {
  if (seconds >= 10 && seconds <= 600) return seconds;
  throw invalidArgument(
    `Invalid stream ack deadline given (stream_ack_deadline_seconds=${seconds}). It must be between 10 and 600 seconds.`,
  );
}

function limit(value: string | undefined): number {
  const given = Number(value ?? 0);
  return given <= 0 ? Number.POSITIVE_INFINITY : given;
}
