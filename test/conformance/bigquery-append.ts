import type { TableField } from '@google-cloud/bigquery';
import type { protos, v1 } from '@google-cloud/bigquery-storage';
import { descriptorOf } from '../../local/bigquery/start-for-test.ts';

type Response = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;
type Request = protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest;

/** A field of a row in proto's wire format: number 1 to 15, a text or an integer. */
export const field = (number: number, value: string | bigint): Buffer => {
  if (typeof value === 'bigint') return Buffer.from([number << 3, ...varint(BigInt.asUintN(64, value))]);
  const text = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(BigInt(text.length))]), text]);
};
const varint = (value: bigint): number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];

export const rowsOf = (fields: TableField[], rows: Buffer[]): Request => ({
  protoRows: { writerSchema: { protoDescriptor: descriptorOf(fields) }, rows: { serializedRows: rows } },
});

/** One connection of Google's generated client: requests in, answers and the end as they come. */
export function connectTo(client: v1.BigQueryWriteClient) {
  const stream = client.appendRows();
  const answers: Response[] = [];
  const waiting: ((ended: { answer?: Response; error?: { code: number; message: string } }) => void)[] = [];
  let failure: { code: number; message: string } | undefined;
  stream.on('data', (answer: Response) => {
    const next = waiting.shift();
    if (next) next({ answer });
    else answers.push(answer);
  });
  stream.on('error', (error: { code: number; message: string }) => {
    failure = error;
    for (const next of waiting.splice(0)) next({ error });
  });
  return {
    stream,
    async send(request: Request) {
      stream.write(request);
      const answer = answers.shift();
      if (answer) return { answer };
      if (failure) return { error: failure };
      return new Promise<{ answer?: Response; error?: { code: number; message: string } }>((resolve) =>
        waiting.push(resolve),
      );
    },
  };
}
