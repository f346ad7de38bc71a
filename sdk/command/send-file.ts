import { appendFileSync, closeSync, fstatSync, openSync } from 'node:fs';
import type { Deliverer, Outcome } from '../delivery/deliver.ts';
import { readEvents, toLines } from '../delivery/event-lines.ts';
import type { Route } from '../delivery/route.ts';
import { createChooser, type Told } from './choose-route.ts';
import { type Cursor, placeState, SendFailed, takeCursor } from './cursor.ts';
import { readWindow } from './read-window.ts';

export interface SendOptions extends Told {
  readonly deliverer: Deliverer;
  /** Requests at once. */
  readonly connections: number;
  /** A folder of cursors; beside the files otherwise. */
  readonly state: string | undefined;
  readonly restart: boolean;
  /** Goes on where the server refuses events for good. */
  readonly skipRefused: boolean;
  /** Asked before each request; what is under way is finished. */
  readonly isInterrupted: () => boolean;
  readonly onProgress: (sent: Sent) => void;
  /** Of an attempt that is repeated. */
  readonly onRetry: (detail: string) => void;
  /** Of lines that are rejected. */
  readonly onRejected: (detail: string) => void;
}

export interface Sent {
  /** Events that the server has taken in this run. */
  events: number;
  /** Those of them that it tells to have put into quarantine or dropped. */
  quarantined: number;
  /** Lines that are no events, or that the server refused: kept in FILE.rejected. */
  rejected: number;
  /** Bytes that are done with, of the file's. */
  offset: number;
  size: number;
  /** Bytes at the end that are no whole line. */
  rest: number;
  /** Nothing is left but the rest. */
  isComplete: boolean;
}

interface Batch {
  readonly route: Route;
  readonly lines: string[];
  bytes: number;
}

/**
 * Sends a file from where its cursor stands to its end. Resolves early where it is interrupted; throws SendFailed where
 * events could not be delivered. In any case the cursor knows every batch that is done with.
 */
export async function sendFile(path: string, options: SendOptions): Promise<Sent> {
  const fd = openSync(path, 'r');
  try {
    const place = placeState(path, options.state);
    const cursor = takeCursor(`${place}.cursor`, fd, options.restart);
    try {
      return await sendFrom({ path, fd, cursor, rejects: `${place}.rejected` }, options);
    } finally {
      cursor.release();
    }
  } finally {
    closeSync(fd);
  }
}

interface Opened {
  readonly path: string;
  readonly fd: number;
  readonly cursor: Cursor;
  /** The file that takes lines which are rejected. */
  readonly rejects: string;
}

async function sendFrom({ path, fd, cursor, rejects }: Opened, options: SendOptions): Promise<Sent> {
  const { progress } = cursor;
  const sent: Sent = {
    events: 0,
    quarantined: 0,
    rejected: 0,
    offset: progress.offset,
    size: 0,
    rest: 0,
    isComplete: false,
  };
  const choose = createChooser(options, path);
  const reject = (lines: readonly string[], reason: string) => {
    appendFileSync(rejects, lines.map((line) => `${line}\n`).join(''));
    sent.rejected += lines.length;
    options.onRejected(`${path}: ${lines.length} lines rejected: ${reason}`);
  };

  for (;;) {
    sent.size = fstatSync(fd).size;
    const window = options.isInterrupted() ? undefined : readWindow(fd, progress.offset, progress.end);
    sent.rest = window?.rest ?? 0;
    if (window === undefined || window.end === progress.offset) {
      sent.isComplete = progress.offset + sent.rest >= sent.size;
      return sent;
    }
    const { batches, unreadable } = cutBatches(window.lines, choose, path);
    if (progress.end === undefined) {
      progress.end = window.end;
      progress.done = [];
      cursor.save();
    }
    const failure = await sendBatches(batches, progress.done, {
      ...options,
      onDone: (number, outcomes) => {
        for (const outcome of outcomes) {
          if (outcome.kind === 'refused')
            reject(readEvents(outcome.events), outcome.detail ?? 'the server refused them');
          else countDelivered(sent, outcome);
        }
        progress.done.push(number);
        cursor.save();
        options.onProgress(sent);
      },
    });
    if (failure !== undefined) throw new SendFailed(`${path}: ${failure}`);
    if (progress.done.length < batches.length) return sent;
    for (const [reason, lines] of unreadable) reject(lines, reason);
    progress.offset = sent.offset = window.end;
    progress.end = undefined;
    progress.done = [];
    cursor.save();
    options.onProgress(sent);
  }
}

/** The same lines give the same batches, whatever was done of them before. */
function cutBatches(lines: readonly string[], choose: ReturnType<typeof createChooser>, path: string) {
  const batches: Batch[] = [];
  const open = new Map<Route, Batch>();
  const unreadable = new Map<string, string[]>();
  for (const line of lines) {
    const choice = choose(line);
    if (choice.kind === 'untold') throw new SendFailed(`${path}: ${choice.reason}`);
    if (choice.kind === 'rejected') {
      unreadable.set(choice.reason, [...(unreadable.get(choice.reason) ?? []), line]);
      continue;
    }
    const { route } = choice;
    const bytes = Buffer.byteLength(line) + 1;
    let batch = open.get(route);
    if (
      batch === undefined ||
      batch.lines.length >= route.limits.events ||
      batch.bytes + bytes > route.limits.bytes
    ) {
      batch = { route, lines: [], bytes: 0 };
      open.set(route, batch);
      batches.push(batch);
    }
    batch.lines.push(line);
    batch.bytes += bytes;
  }
  return { batches, unreadable };
}

interface BatchSending extends SendOptions {
  readonly onDone: (number: number, outcomes: readonly Outcome[]) => void;
}

/** Sends those that are not done, some at once, until one fails or it is interrupted. Why one failed, if one did. */
async function sendBatches(batches: readonly Batch[], done: readonly number[], options: BatchSending) {
  const left = [...batches.entries()].filter(([number]) => !done.includes(number)).values();
  let failure: string | undefined;
  const work = async () => {
    for (const [number, { route, lines }] of left) {
      const outcomes = await options.deliverer.deliver(route, toLines(lines), ({ detail }) =>
        options.onRetry(`trying again: ${detail}`),
      );
      const bad = outcomes.find(
        ({ kind }) => kind === 'undelivered' || (kind === 'refused' && !options.skipRefused),
      );
      if (bad === undefined) options.onDone(number, outcomes);
      else failure ??= `${bad.kind}: ${bad.detail ?? 'no reason given'}`;
      if (failure !== undefined || options.isInterrupted()) return;
    }
  };
  await Promise.all(Array.from({ length: options.connections }, work));
  return options.isInterrupted() ? undefined : failure;
}

function countDelivered(sent: Sent, { events, verdicts }: Outcome): void {
  sent.events += events.count;
  sent.quarantined +=
    verdicts?.filter(({ verdict }) => verdict === 'quarantined' || verdict === 'dropped').length ?? 0;
}
