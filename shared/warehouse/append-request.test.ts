import { protos } from '@google-cloud/bigquery-storage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAppendRequestEncoder } from './append-request.ts';
import { findRowDescriptor } from './row-descriptor.ts';

const { AppendRowsRequest } = protos.google.cloud.bigquery.storage.v1;
const { DescriptorProto } = protos.google.protobuf;
const streamName = 'projects/p/datasets/d/tables/event_log/streams/_default';
const descriptor = findRowDescriptor('event_log', 1)!;

test("is read by Google's own decoder as what was meant, request after request", () => {
  const encoder = createAppendRequestEncoder(streamName, descriptor);
  const rows = fc.array(fc.uint8Array({ maxLength: 40_000, size: 'max' }), { maxLength: 30 });
  fc.assert(
    fc.property(rows, fc.boolean(), (given, opening) => {
      const decoded = AppendRowsRequest.decode(encoder.encode(given, opening));
      const serialized = decoded.protoRows?.rows?.serializedRows ?? [];
      expect(serialized.length).toBe(given.length);
      expect(serialized.every((row, index) => Buffer.from(row).equals(given[index]!))).toBe(true);
      expect(decoded.writeStream).toBe(opening ? streamName : '');
      const schema = decoded.protoRows?.writerSchema?.protoDescriptor;
      expect(schema == null).toBe(!opening);
      if (opening) expect(schema).toEqual(DescriptorProto.fromObject(JSON.parse(JSON.stringify(descriptor))));
    }),
    { numRuns: 200 },
  );
});
