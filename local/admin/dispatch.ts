import { status } from '@grpc/grpc-js';
import type { Call, LoggedCall } from './calls.ts';
import type { Faults, ParsedFault } from './faults.ts';
import type { Context, Method, Rules } from './method.ts';
import { purge } from './purge.ts';
import type { Quotas } from './quotas.ts';
import { isRefusal, type Refusal, refuse } from './refuse.ts';
import { type ThrottleShape, throttle } from './throttle.ts';
import type { World } from './world.ts';

/** What becomes of a call. */
export type Answer =
  | { readonly kind: 'response'; readonly response: object }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** It is left to hang. */
  | { readonly kind: 'silence' };

/** Answers one call; where the caller is undefined, it is the one of the seed. Never throws. */
export type Dispatch = (
  method: string,
  request: object,
  from: { readonly caller: string | undefined; readonly transport: Call['transport'] },
) => Answer;

export interface DispatchOptions {
  readonly methods: Readonly<Record<string, Method>>;
  readonly world: World;
  readonly caller: () => string;
  readonly clock: () => number;
  readonly rules: () => Rules;
  readonly quotas: () => Quotas;
  readonly throttleShape: () => ThrottleShape;
  readonly faults: Faults;
  /** Before a call is looked at: the place to change the world behind the caller's back. */
  readonly onCall: (call: Call) => void;
  readonly onAnswered: (call: LoggedCall) => void;
  readonly log: (line: string) => void;
}

/** Everything between the wire and the methods: quotas, faults, the log of calls. */
export function createDispatch(options: DispatchOptions): {
  readonly call: Dispatch;
  /** Drops what a fault has put off. */
  forget(): void;
} {
  const { methods, world, clock, faults, log } = options;
  /** What a fault has put off until the next call is answered. */
  let later: (() => void)[] = [];

  const call: Dispatch = (name, request, from) => {
    const method = methods[name];
    if (method === undefined) {
      const refusal = refuse(status.UNIMPLEMENTED, `The local Admin API does not implement ${name}.`);
      return { kind: 'refusal', refusal };
    }
    const received: Call = {
      method: name,
      kind: method.kind,
      caller: from.caller ?? options.caller(),
      parent: method.parentOf(request),
      entries: method.entriesOf(request),
      transport: from.transport,
      atMs: clock(),
    };
    const due = later;
    later = [];
    options.onCall(received);
    purge(world, received.atMs);

    const contextOf = (entries: number): Context => ({
      world,
      caller: received.caller,
      nowMs: clock(),
      rules: options.rules(),
      goesOn: (index) => index < entries,
    });
    const overrun = options.quotas().take(received, received.atMs);
    const end = (answer: Answer, took: LoggedCall['took'], fault?: ParsedFault): Answer => {
      options.onAnswered({
        ...received,
        requests: overrun === undefined ? 1 : 0,
        writes: overrun === undefined ? options.quotas().writesOf(received.kind, received.entries) : 0,
        answer: nameOf(answer),
        took: received.kind === 'read' ? 'nothing' : took,
        isFault: fault !== undefined,
      });
      for (const commit of due) commit();
      return answer;
    };
    const run = (entries: number): Answer => runMethod(method, contextOf(entries), request, log);

    if (overrun !== undefined) {
      return end({ kind: 'refusal', refusal: throttle(options.throttleShape(), overrun) }, 'nothing');
    }
    const fault = faults.pick(received);
    if (fault === undefined) {
      const answer = run(Number.POSITIVE_INFINITY);
      return end(answer, answer.kind === 'response' ? 'everything' : 'nothing');
    }
    const { commits } = fault;
    if (commits === 'later') {
      later.push(() => run(Number.POSITIVE_INFINITY));
      return end(answerOf(fault), 'later', fault);
    }
    // Of a transaction there is no part.
    const mayBePart = method.isEntryWise && options.rules().partialBatches;
    if (commits === 'nothing' || commits === 0 || (commits !== 'everything' && !mayBePart)) {
      return end(answerOf(fault), 'nothing', fault);
    }
    const done = run(commits === 'everything' ? Number.POSITIVE_INFINITY : commits);
    // A call that is refused on its merits takes no effect, whatever the fault would have made of its answer.
    if (done.kind !== 'response') return end(done, 'nothing');
    const isWhole = commits === 'everything' || commits >= received.entries;
    return end(answerOf(fault, done), isWhole ? 'everything' : 'part', fault);
  };
  return {
    call,
    forget() {
      later = [];
    },
  };
}

function runMethod(method: Method, context: Context, request: object, log: (line: string) => void): Answer {
  try {
    return { kind: 'response', response: method.run(context, request) };
  } catch (error) {
    if (isRefusal(error)) return { kind: 'refusal', refusal: error };
    log(`admin: ${error instanceof Error ? error.stack : error}`);
    return { kind: 'refusal', refusal: refuse(status.INTERNAL, String(error)) };
  }
}

function answerOf({ answers }: ParsedFault, done: Answer = { kind: 'response', response: {} }): Answer {
  if (answers === 'OK') return done;
  if (answers === 'NOTHING') return { kind: 'silence' };
  if (answers === 'RATE_LIMIT_EXCEEDED' || answers === 'RESOURCE_EXHAUSTED') {
    const overrun = { limit: 'WritesPerMinutePerProjectPerUser', value: 180 };
    return { kind: 'refusal', refusal: throttle(answers, overrun) };
  }
  const code = Object.entries(status).find(([name]) => name === answers)?.[1];
  const refusal = refuse(typeof code === 'number' ? code : status.UNKNOWN, messages[answers] ?? answers);
  return { kind: 'refusal', refusal };
}

const messages: Readonly<Record<string, string>> = {
  UNAVAILABLE: 'The service is currently unavailable.',
  INTERNAL: 'Internal error encountered.',
  UNKNOWN: 'Unknown Error.',
  ABORTED: 'The operation was aborted.',
  PERMISSION_DENIED: 'The caller does not have permission',
};

function nameOf(answer: Answer): string {
  if (answer.kind === 'response') return 'OK';
  if (answer.kind === 'silence') return 'NOTHING';
  return status[answer.refusal.code];
}
