import type { Duplex } from 'node:stream';
import type { protos } from '@google-cloud/bigquery-storage';
import { type AppendAnswer, readAnswer, readStreamError, status } from './append-answer.ts';

type AppendRowsRequest = protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest;
type AppendRowsResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

/** The part of the Storage Write client that appending needs; shared/google/storage-write.ts makes it. */
export interface AppendClient {
  openAppendStream(streamName: string): Promise<Duplex & { cancel(): void }>;
}

export type RowDescriptor = protos.google.protobuf.IDescriptorProto;

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
  let stream: (Duplex & { cancel(): void }) | undefined;
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
    const request: AppendRowsRequest = { protoRows: { rows: { serializedRows: rows as Uint8Array[] } } };
    if (stream === undefined) {
      // The first request of a stream names the table and the shape of its rows; later ones need not.
      request.writeStream = streamName;
      request.traceId = 'tributary';
      request.protoRows = { ...request.protoRows, writerSchema: { protoDescriptor: descriptor } };
      await open();
    }
    stream?.write(request);
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
