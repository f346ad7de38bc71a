import { protos } from '@google-cloud/bigquery-storage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAppendRequestEncoder } from './append-request.ts';
import { findRowDescriptor } from './row-descriptor.ts';

const { AppendRowsRequest } = protos.google.cloud.bigquery.storage.v1;
const { DescriptorProto } = protos.google.protobuf;
const streamName = 'projects/p/datasets/d/tables/event_log/streams/_default';
const descriptor = findRowDescriptor('event_log', 1)!;

test("has the bytes that Google's own encoder gives it, request after request", () => {
  const encoder = createAppendRequestEncoder(streamName, descriptor);
  const protoDescriptor = DescriptorProto.fromObject(JSON.parse(JSON.stringify(descriptor)));
  const rows = fc.array(
    fc.integer({ min: 0, max: 40_000 }).map((length) => Buffer.alloc(length, length)),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(rows, fc.boolean(), (serializedRows, opening) => {
      const request = {
        protoRows: { rows: { serializedRows }, ...(opening && { writerSchema: { protoDescriptor } }) },
        ...(opening && { writeStream: streamName, traceId: 'tributary' }),
      };
      const expected = AppendRowsRequest.encode(AppendRowsRequest.fromObject(request)).finish();
      expect(encoder.encode(serializedRows, opening).equals(expected)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
