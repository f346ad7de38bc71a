import { createHash, randomUUID } from 'node:crypto';
import { encodeRequest, encodeTooLarge } from '../../shared/batches/encode-request.ts';
import { packMessages } from '../../shared/batches/pack-messages.ts';
import { describeRequest } from '../../shared/events/encode-event.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import type { log as writeLog } from '../../shared/host/log.ts';
import type { LiveSettings } from '../../shared/settings/settings-file.ts';
import type {
  Answer,
  EventCounts,
  RequestOutcome,
  WireDialect,
  WireRequest,
} from '../../shared/wire/dialect.ts';
import { writeVerdicts } from '../../shared/wire/verdicts.ts';
import { createDailyCap } from './daily-cap.ts';
import type { ReadBody } from './read-body.ts';

export interface AcceptOptions {
  readonly settings: LiveSettings;
  readonly log: typeof writeLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Caps in bytes and events. */
  readonly caps: { readonly body: number; readonly inflated: number; readonly events: number };
}

/** What a request became: messages to publish, and what is worth saying of it. */
export interface Accepted {
  readonly messages: readonly Message[];
  readonly batchId: string;
  readonly project: string | undefined;
  /** In the request; a body that cannot be decoded counts as one. It is the sum of `counts`. */
  readonly received: number;
  readonly counts: EventCounts;
  /** What the sender hears once the messages are durable. */
  readonly answer: Answer;
}

/** A request whose body was read, wholly or up to the cap. */
export interface ReadRequest extends Pick<WireRequest, 'method' | 'path' | 'query' | 'header'> {
  readonly read: Exclude<ReadBody, { kind: 'aborted' }>;
}

/** `isVerify`: the answer tells what would become of the request, and nothing is to be kept: there are no messages. */
export type AcceptRequest = (request: ReadRequest, dialect: WireDialect, isVerify: boolean) => Accepted;

/**
 * One request from bytes to messages: decode, encode, pack.
 *
 * All in one go and without waiting, so that while Pub/Sub acknowledges nothing but the messages is in memory.
 */
export function createAcceptRequest({ settings, log, now, caps }: AcceptOptions): AcceptRequest {
  const unknownProjects = createDailyCap(
    now,
    () => settings.current().unknownProjectsPerDay,
    () =>
      log(
        'WARNING',
        'No more of unknown projects is kept today: unknownProjectsPerDay of the settings is reached.',
      ),
  );

  return ({ method, path, query, header, read }, dialect, isVerify) => {
    const receivedAt = now() * 1000;
    const body = read.kind === 'whole' ? read.body : read.beginning;
    const request: WireRequest = { method, path, query, header, body, receivedAt };
    const batchId = randomUUID().replaceAll('-', '');
    const facts = describeRequest(batchId, hashRequest(request, dialect), receivedAt);

    const encode = () => {
      if (read.kind === 'too_large') {
        return {
          received: 1,
          kind: 'undecodable',
          ...encodeTooLarge(request, facts, dialect, read, caps.body),
        };
      }
      const current = settings.current();
      const decoded = dialect.decode(request, {
        window: current.timeWindow,
        inflatedBytes: caps.inflated,
        eventsPerRequest: caps.events,
      });
      const encoded = encodeRequest(request, facts, dialect, decoded, {
        settings: current,
        mayKeepUnknown: isVerify ? countDown(unknownProjects.left()) : unknownProjects.take,
        wantsVerdicts: isVerify || dialect.answer !== undefined,
      });
      const { kind } = decoded;
      return { received: kind === 'items' ? decoded.items.length : 1, kind, ...encoded };
    };
    const { batch, project, received, kind, verdicts, duplicate, quarantined, dropped } = encode();
    const counts = { accepted: batch.events.length, duplicate, quarantined, dropped };
    const { requestHash } = facts;
    const outcome = {
      batchId,
      requestHash,
      receivedAt,
      counts,
      verdicts,
      isUndecodable: kind === 'undecodable',
    };
    return {
      messages: isVerify ? [] : packMessages(batch, { batchId, dialect: dialect.dialect, project }),
      batchId,
      project,
      received,
      counts,
      answer: isVerify ? answerVerify(outcome) : (dialect.answer?.(outcome) ?? dialect.success),
    };
  };
}

/** As the cap would say it, had it been asked in earnest. */
function countDown(from: number): () => boolean {
  let left = from;
  return () => left-- > 0;
}

/** Always 200: the answer is what was asked for. */
const answerVerify = (outcome: RequestOutcome): Answer => ({
  status: 200,
  contentType: 'application/json',
  body: writeVerdicts(outcome, { isVerify: true }),
});

/** SHA-256 of method, path, query and body; a resend differs in nothing but `stm`, the time of sending, and what that changes. */
function hashRequest(request: WireRequest, { plainBody }: WireDialect): string {
  const { method, path, query } = request;
  const body = plainBody?.(request) ?? request.body;
  const sent = query.includes('stm=') ? query.replace(/(^|&)stm=[^&]*/g, '') : query;
  return createHash('sha256').update(`${method} ${path}?${sent}\n`).update(body).digest('hex');
}
