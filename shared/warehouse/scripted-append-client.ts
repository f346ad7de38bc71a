import { Duplex } from 'node:stream';
import { protos } from '@google-cloud/bigquery-storage';
import type { AppendClient } from './append-connection.ts';

const { AppendRowsRequest } = protos.google.cloud.bigquery.storage.v1;
type AppendRowsResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

/** What a scripted server does with one append. */
export type Step =
  | { readonly do: 'store' }
  | { readonly do: 'store_late'; readonly afterMs: number }
  | { readonly do: 'store_then_break' }
  | { readonly do: 'store_then_say_nothing' }
  | { readonly do: 'say_nothing' }
  | { readonly do: 'break'; readonly code: number }
  | { readonly do: 'end' }
  | { readonly do: 'answer_error'; readonly code: number; readonly message?: string }
  | { readonly do: 'answer_nothing' }
  | { readonly do: 'answer_twice' }
  | { readonly do: 'fail_to_open' };

/** One append as the server saw it. */
export interface SeenAppend {
  readonly rows: readonly string[];
  readonly hasSchema: boolean;
  readonly stream: number;
}

/** A row that the scripted server refuses by row error. */
export const badRow = (text: string): Buffer => Buffer.from(`bad ${text}`);

/**
 * A server for tests that does with each append what the script says next, and stores when the script is over.
 * It keeps the rules of the real one: no row of an append with a bad row is stored, and a stream's first request
 * carries the schema.
 */
export function createScriptedAppendClient(script: readonly Step[] = []) {
  const steps = [...script];
  const stored: string[] = [];
  const seen: SeenAppend[] = [];
  let streams = 0;
  let inFlight = 0;
  let mostInFlight = 0;

  function receive(
    stream: Duplex,
    number: number,
    isFirst: boolean,
    request: protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest,
  ): void {
    const rows = (request.protoRows?.rows?.serializedRows ?? []).map((row) => Buffer.from(row).toString());
    const hasSchema = request.protoRows?.writerSchema?.protoDescriptor != null;
    seen.push({ rows, hasSchema, stream: number });
    inFlight++;
    mostInFlight = Math.max(mostInFlight, inFlight);
    const respond = (...responses: AppendRowsResponse[]) =>
      setImmediate(() => {
        inFlight--;
        for (const response of responses) {
          // What was on its way when the stream was given up may still arrive.
          if (stream.destroyed) stream.emit('data', response);
          else stream.push(response);
        }
      });
    const breakOff = (code: number) =>
      setImmediate(() => {
        inFlight--;
        stream.destroy(Object.assign(new Error(`scripted ${code}`), { code }));
      });
    const acknowledged: AppendRowsResponse = { appendResult: {}, error: null, rowErrors: [] };

    if (isFirst && !hasSchema) {
      respond({ error: { code: 3, message: 'no schema' } });
      return;
    }
    const step = steps.shift() ?? { do: 'store' };
    const rowErrors = rows.flatMap((row, index) =>
      row.startsWith('bad') ? [{ index: String(index), message: `refused ${row}` }] : [],
    );
    const isStoring = step.do.startsWith('store') || step.do === 'answer_twice';
    if (isStoring && rowErrors.length > 0) {
      respond({ error: { code: 3, message: 'Errors found while processing rows.' }, rowErrors });
      return;
    }
    if (isStoring) stored.push(...rows);
    if (step.do === 'store') respond(acknowledged);
    else if (step.do === 'answer_twice') respond(acknowledged, acknowledged);
    else if (step.do === 'store_late') setTimeout(() => respond(acknowledged), step.afterMs);
    else if (step.do === 'store_then_break') breakOff(14);
    else if (step.do === 'break') breakOff(step.code);
    else if (step.do === 'end') respond();
    else if (step.do === 'answer_nothing') respond({ appendResult: null, error: null, rowErrors: [] });
    else if (step.do === 'answer_error') {
      respond({ error: { code: step.code, message: step.message ?? 'scripted' }, rowErrors: [] });
    }
    if (step.do === 'end') stream.push(null);
  }

  const client: AppendClient = {
    async openAppendStream() {
      if (steps[0]?.do === 'fail_to_open') {
        steps.shift();
        throw new Error('no credentials');
      }
      const number = ++streams;
      let isFirst = true;
      const stream = new Duplex({
        objectMode: true,
        read() {},
        write(bytes: Buffer, _encoding, done) {
          receive(stream, number, isFirst, AppendRowsRequest.decode(bytes));
          isFirst = false;
          done();
        },
      });
      return Object.assign(stream, { cancel: () => stream.destroy() });
    },
  };
  return { client, stored, seen, streams: () => streams, mostInFlight: () => mostInFlight };
}
