import { createHash, hash, randomUUID } from 'node:crypto';
import { decodeOptionsOf } from '../../shared/batches/decode-options.ts';
import { encodeRequest, encodeTooLarge, encodeUnsettled } from '../../shared/batches/encode-request.ts';
import { packMessages } from '../../shared/batches/pack-messages.ts';
import { describeRequest } from '../../shared/events/encode-event.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import type { log as writeLog } from '../../shared/host/log.ts';
import type { LiveSettings } from '../../shared/settings/live-settings.ts';
import { judgeProject, type Settings } from '../../shared/settings/settings.ts';
import type {
  Answer,
  Decoded,
  EventCounts,
  RequestOutcome,
  WireDialect,
  WireRequest,
} from '../../shared/wire/dialect.ts';
import { writeVerdicts } from '../../shared/wire/verdicts.ts';
import { createDailyCap } from './daily-cap.ts';
import { createRateLimiter, type OverLimit } from './rate-limit.ts';
import type { ReadBody } from './read-body.ts';

export interface AcceptOptions {
  readonly settings: Pick<LiveSettings, 'current'>;
  readonly log: typeof writeLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Caps in bytes and events. */
  readonly caps: { readonly body: number; readonly inflated: number; readonly events: number };
}

/** What a request became: messages to publish, and what is worth saying of it. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly messages: readonly Message[];
  readonly batchId: string;
  readonly project: string | undefined;
  /** In the request; a body that cannot be decoded counts as one. It is the sum of `counts`. */
  readonly received: number;
  readonly counts: EventCounts;
  /** What the sender hears once the messages are durable. */
  readonly answer: Answer;
}

/** A request of which nothing is kept: its sender is to send it again. */
export interface PutOff {
  readonly kind: 'put_off';
  /** 429: it is over its rate limit; 503: there are no settings yet. */
  readonly status: 429 | 503;
  readonly message: string;
  readonly retryAfterSeconds: number;
  /** Events in the request; 0 where it was not decoded. */
  readonly received: number;
}

/** A request whose body was read, wholly or up to the cap. */
export interface ReadRequest extends Pick<WireRequest, 'method' | 'path' | 'query' | 'header'> {
  readonly read: Exclude<ReadBody, { kind: 'aborted' }>;
}

/** `isVerify`: the answer tells what would become of the request, and nothing is to be kept: there are no messages. */
export type AcceptRequest = (
  request: ReadRequest,
  dialect: WireDialect,
  isVerify: boolean,
) => Accepted | PutOff;

/**
 * One request from bytes to messages: decode, encode, pack.
 *
 * All in one go and without waiting, so that while Pub/Sub acknowledges nothing but the messages is in memory.
 */
export function createAcceptRequest({ settings, log, now, caps }: AcceptOptions): AcceptRequest {
  const unknownProjects = createDailyCap(
    now,
    () => settings.current()?.unknownProjectsPerDay ?? 0,
    () =>
      log(
        'WARNING',
        'No more of unknown projects is kept today: unknownProjectsPerDay of the settings is reached.',
      ),
  );
  const rateLimiter = createRateLimiter(now);

  return ({ method, path, query, header, read }, dialect, isVerify) => {
    const current = settings.current();
    if (current === undefined && dialect.retries === true) return putOffUnsettled;
    const receivedAt = now() * 1000;
    const body = read.kind === 'whole' ? read.body : read.beginning;
    const request: WireRequest = { method, path, query, header, body, receivedAt };
    const batchId = randomUUID().replaceAll('-', '');
    const facts = describeRequest(batchId, hashRequest(request, dialect), receivedAt);

    const encode = () => {
      if (read.kind === 'too_large' || current === undefined) {
        const encoded =
          read.kind === 'too_large'
            ? encodeTooLarge(request, facts, dialect, read, caps.body)
            : encodeUnsettled(request, facts, dialect);
        return { received: 1, kind: 'undecodable', ...encoded } as const;
      }
      const decoded = dialect.decode(request, decodeOptionsOf(current, caps));
      const overLimit =
        isVerify || !rateLimiter.isOn(current)
          ? undefined
          : rateLimiter.take(current, countEvents(decoded, dialect, current), dialect.retries === true);
      if (overLimit !== undefined && overLimit.size > 0 && dialect.retries === true) {
        return putOffLimited(decoded, overLimit);
      }
      const encoded = encodeRequest(request, facts, dialect, decoded, {
        settings: current,
        mayKeepUnknown: isVerify ? countDown(unknownProjects.left()) : unknownProjects.take,
        wantsVerdicts: isVerify || dialect.answer !== undefined,
        overLimit,
      });
      const { kind } = decoded;
      return { received: kind === 'items' ? decoded.items.length : 1, kind, ...encoded };
    };
    const encoded = encode();
    if (encoded.kind === 'put_off') return encoded;
    const { batch, project, received, kind, verdicts, duplicate, quarantined, dropped } = encoded;
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
      kind: 'accepted',
      messages: isVerify ? [] : packMessages(batch, { batchId, dialect: dialect.dialect, project }),
      batchId,
      project,
      received,
      counts,
      answer: isVerify ? answerVerify(outcome) : (dialect.answer?.(outcome) ?? dialect.success),
    };
  };
}

const putOffUnsettled: PutOff = {
  kind: 'put_off',
  status: 503,
  message: 'the settings cannot be read; send the events again',
  retryAfterSeconds: 1,
  received: 0,
};

const putOffLimited = (decoded: Decoded, overLimit: OverLimit): PutOff => ({
  kind: 'put_off',
  status: 429,
  message: 'the project sends more than its rate limit allows; send the events again',
  retryAfterSeconds: Math.max(1, Math.ceil(Math.max(...overLimit.values()) / 1000)),
  received: decoded.kind === 'items' ? decoded.items.length : 1,
});

/** The events of a request, by project, that the settings take. */
function countEvents(
  decoded: Decoded,
  { dialect }: WireDialect,
  settings: Settings,
): ReadonlyMap<string, number> {
  const counted = new Map<string, number>();
  for (const item of decoded.kind === 'items' ? decoded.items : []) {
    if (item.kind === 'refused') continue;
    const { project } = item.event;
    if (judgeProject(settings, project, dialect) !== 'accepted') continue;
    counted.set(project, (counted.get(project) ?? 0) + 1);
  }
  return counted;
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
  const head = `${method} ${path}?${sent}\n`;
  // In one piece, since a hash that is fed costs several times as much as the hashing of an ordinary request.
  if (head.length * 3 + body.length <= hashed.length) {
    const start = hashed.write(head, 'utf8');
    hashed.set(body, start);
    return hash('sha256', hashed.subarray(0, start + body.length), 'hex');
  }
  return createHash('sha256').update(head).update(body).digest('hex');
}

const hashed = Buffer.allocUnsafeSlow(64 * 1024);
