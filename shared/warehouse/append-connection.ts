import type { protos } from '@google-cloud/bigquery-storage';
import { type AppendAnswer, readAnswer, readStreamError, status } from './append-answer.ts';
import { createAppendRequestEncoder } from './append-request.ts';
import type { RowDescriptor } from './row-descriptor.ts';

type AppendRowsResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

/** One AppendRows stream: takes encoded AppendRowsRequests, gives AppendRowsResponses in the same order. */
export interface AppendStream {
  write(request: Buffer): unknown;
  on(event: 'data', listener: (response: AppendRowsResponse) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  cancel(): void;
  destroy(): unknown;
}

/** The part of the Storage Write client that appending needs; shared/google/storage-write.ts makes it. */
export interface AppendClient {
  openAppendStream(streamName: string): Promise<AppendStream>;
}

/**
 * One AppendRows stream that carries one append at a time.
 *
 * Answers are matched to requests only by their order, so a stream that failed to answer once can never be trusted
 * again: after a time-out or an error it is given up, and the caller opens another.
 */
export interface AppendConnection {
  /** Whether another append may be given to it. */
  isUsable(): boolean;
  /** Whether it will never be usable again. */
  isGivenUp(): boolean;
  /** Appends rows; call it again only once it has settled. Never rejects. */
  append(rows: readonly Uint8Array[], timeoutMs: number): Promise<AppendAnswer>;
  close(): void;
}

export function createAppendConnection(
  client: AppendClient,
  streamName: string,
  descriptor: RowDescriptor,
): AppendConnection {
  const encoder = createAppendRequestEncoder(streamName, descriptor);
  let stream: AppendStream | undefined;
  let usable = true;
  let pending: { readonly rowCount: number; readonly settle: (answer: AppendAnswer) => void } | undefined;

  function settle(answer: AppendAnswer): void {
    const waiting = pending;
    pending = undefined;
    waiting?.settle(answer);
  }

  function giveUp(answer: AppendAnswer): void {
    usable = false;
    stream?.cancel();
    stream?.destroy();
    stream = undefined;
    settle(answer);
  }

  function receive(response: AppendRowsResponse): void {
    if (!usable) return;
    if (pending === undefined) {
      giveUp(lost('an answer that nothing was asked for'));
      return;
    }
    const answer = readAnswer(response, pending.rowCount);
    if (answer.kind === 'appended' || answer.kind === 'rows_refused') settle(answer);
    else giveUp(answer);
  }

  async function open(): Promise<void> {
    const opened = await client.openAppendStream(streamName);
    // The listener stays after giving up: cancelling reports an error that nobody else would hear.
    opened.on('error', (error) => giveUp(readStreamError(error)));
    if (!usable) {
      opened.cancel();
      opened.destroy();
      return;
    }
    stream = opened;
    opened.on('data', receive);
    opened.on('end', () => giveUp(lost('the server ended the stream')));
    opened.on('close', () => giveUp(lost('the connection was closed')));
  }

  async function send(rows: readonly Uint8Array[]): Promise<void> {
    // The first request of a stream names the table and the shape of its rows; later ones need not.
    const isOpening = stream === undefined;
    if (isOpening) await open();
    // The encoder's buffer is free again: the append before this one was answered, so it had been sent.
    stream?.write(encoder.encode(rows, isOpening));
  }

  return {
    isUsable: () => usable && pending === undefined,
    isGivenUp: () => !usable,
    append(rows, timeoutMs) {
      return new Promise((resolve) => {
        const timer = setTimeout(
          () =>
            giveUp({
              kind: 'transient',
              code: status.deadlineExceeded,
              detail: `no answer in ${timeoutMs} ms`,
            }),
          timeoutMs,
        );
        pending = {
          rowCount: rows.length,
          settle: (answer) => {
            clearTimeout(timer);
            resolve(answer);
          },
        };
        send(rows).catch((error: unknown) => giveUp(readStreamError(error)));
      });
    },
    close: () => giveUp(lost('closed')),
  };
}

const lost = (detail: string): AppendAnswer => ({ kind: 'transient', code: status.unavailable, detail });
