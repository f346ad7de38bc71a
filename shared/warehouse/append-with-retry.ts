import { setTimeout as sleep } from 'node:timers/promises';
import { type AppendAnswer, status } from './append-answer.ts';
import { type Chunk, type Remainder, takeOutRefused } from './append-batch.ts';
import type { AppendConnection } from './append-connection.ts';

export interface RetryLimits {
  /** For one append to be answered, opening the stream included. */
  readonly appendTimeoutMs: number;
  readonly firstRetryDelayMs: number;
  readonly longestRetryDelayMs: number;
}

/** One attempt that will be tried again. */
export interface Retry {
  readonly attempt: number;
  readonly code: number;
  readonly detail: string;
}

/**
 * Appends the chunks together until each is settled: transient failures are retried with full jitter until a chunk's
 * deadline, refused rows are taken out and the rest sent again. Settles every chunk exactly once and never rejects.
 *
 * A chunk is stored only by an append that was acknowledged and held all its remaining rows.
 */
export async function appendWithRetry(
  chunks: readonly Chunk[],
  connect: () => AppendConnection,
  limits: RetryLimits,
  onRetry: (retry: Retry) => void,
): Promise<void> {
  await appendRemainders(
    chunks.map((chunk) => ({ chunk, rows: chunk.rows, refused: [] })),
    { connect, limits, onRetry },
  );
}

interface Course {
  readonly connect: () => AppendConnection;
  readonly limits: RetryLimits;
  readonly onRetry: (retry: Retry) => void;
}

type Failure = Extract<AppendAnswer, { kind: 'transient' | 'permanent' }>;

async function appendRemainders(given: readonly Remainder[], course: Course): Promise<void> {
  let remainders = given;
  let failure: Failure = {
    kind: 'transient',
    code: status.deadlineExceeded,
    detail: 'no time left to append',
  };
  for (let attempt = 1; ; attempt++) {
    remainders = settleFinished(remainders, failure);
    if (remainders.length === 0) return;
    const rows = remainders.length === 1 ? remainders[0]!.rows : remainders.flatMap(({ rows }) => rows);
    const answer = await course.connect().append(rows, attemptMs(remainders, course.limits));
    if (answer.kind === 'appended') {
      for (const { chunk, refused } of remainders) chunk.settle({ kind: 'stored', refused });
      return;
    }
    if (answer.kind === 'rows_refused') {
      remainders = takeOutRefused(remainders, answer.errors);
      continue;
    }
    failure = answer;
    if (answer.kind === 'permanent') {
      await settlePermanent(remainders, answer, course);
      return;
    }
    course.onRetry({ attempt, code: answer.code, detail: answer.detail });
    const ceilingMs = Math.min(
      course.limits.longestRetryDelayMs,
      course.limits.firstRetryDelayMs * 2 ** Math.min(attempt - 1, 20),
    );
    await sleep(Math.min(Math.random() * ceilingMs, timeLeftMs(remainders)));
  }
}

/** Settles what has no rows left or no time left; answers what is still to be appended. */
function settleFinished(remainders: readonly Remainder[], failure: Failure): Remainder[] {
  const now = Date.now();
  return remainders.filter(({ chunk, rows, refused }) => {
    if (rows.length === 0) chunk.settle({ kind: 'stored', refused });
    else if (chunk.deadline - now <= leastAttemptMs) chunk.settle({ kind: 'failed', answer: failure });
    else return true;
    return false;
  });
}

/** Less time than this is not worth an attempt that would have to be given up. */
const leastAttemptMs = 50;

/** An append that is never answered must leave time for another: an attempt may take half of what is left at most. */
function attemptMs(remainders: readonly Remainder[], limits: RetryLimits): number {
  return Math.max(1, Math.min(limits.appendTimeoutMs, timeLeftMs(remainders) / 2));
}

function timeLeftMs(remainders: readonly Remainder[]): number {
  return Math.max(0, Math.min(...remainders.map(({ chunk }) => chunk.deadline)) - Date.now());
}

/**
 * An invalid argument may be the fault of one sender's rows, which must not fail the messages that shared its append:
 * each goes alone. Anything else (the table is missing, no permission) is everybody's failure.
 */
async function settlePermanent(
  remainders: readonly Remainder[],
  answer: Failure,
  course: Course,
): Promise<void> {
  const [first] = remainders;
  const isAboutRows = answer.code === status.invalidArgument || answer.code === status.outOfRange;
  if (isAboutRows && remainders.length > 1) {
    for (const remainder of remainders) await appendRemainders([remainder], course);
  } else if (isAboutRows && first !== undefined && outsidePartitions.test(answer.detail)) {
    await appendHalves(first, answer, course);
  } else {
    for (const { chunk } of remainders) chunk.settle({ kind: 'failed', answer });
  }
}

/**
 * BigQuery takes rows of a bounded range of dates, and which append breaks that rule is not always told by row. The
 * row that does is found by halving.
 */
const outsidePartitions = /outside the allowed bounds|stream to partitions of date range/i;

async function appendHalves(remainder: Remainder, answer: Failure, course: Course): Promise<void> {
  const { chunk, rows, refused } = remainder;
  if (rows.length === 1) {
    const own = rows.map((row) => ({ row, reason: 'refused_by_bigquery' as const, detail: answer.detail }));
    chunk.settle({ kind: 'stored', refused: [...refused, ...own] });
    return;
  }
  const middle = rows.length >> 1;
  const settled: Parameters<Chunk['settle']>[0][] = [];
  for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
    const part: Chunk = { ...chunk, rows: half, settle: (result) => settled.push(result) };
    await appendRemainders([{ chunk: part, rows: half, refused: [] }], course);
  }
  const failed = settled.find((result) => result.kind === 'failed');
  const refusedInHalves = settled.flatMap((result) => (result.kind === 'stored' ? result.refused : []));
  chunk.settle(failed ?? { kind: 'stored', refused: [...refused, ...refusedInHalves] });
}
