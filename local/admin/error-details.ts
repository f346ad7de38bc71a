import protobuf from 'protobufjs';
import type { Refusal } from './refuse.ts';

/** google.rpc.Status with its details, as gRPC sends it in the trailer grpc-status-details-bin; undefined without any. */
export function encodeDetails({ code, details, info, violations }: Refusal): Buffer | undefined {
  if (info === undefined && violations === undefined) return undefined;
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, 0)).int32(code);
  writer.uint32(tag(2, 2)).string(details);
  if (info !== undefined) {
    const body = protobuf.Writer.create();
    body.uint32(tag(1, 2)).string(info.reason);
    body.uint32(tag(2, 2)).string(info.domain);
    for (const [key, value] of Object.entries(info.metadata)) {
      body.uint32(tag(3, 2)).fork();
      body.uint32(tag(1, 2)).string(key).uint32(tag(2, 2)).string(value).ldelim();
    }
    writeAny(writer, 'google.rpc.ErrorInfo', body.finish());
  }
  if (violations !== undefined) {
    const body = protobuf.Writer.create();
    for (const { field, description } of violations) {
      body.uint32(tag(1, 2)).fork();
      body.uint32(tag(1, 2)).string(field).uint32(tag(2, 2)).string(description).ldelim();
    }
    writeAny(writer, 'google.rpc.BadRequest', body.finish());
  }
  return Buffer.from(writer.finish());
}

/** The same as JSON, as REST has it. */
export function listDetails({ info, violations }: Refusal): object[] {
  return [
    ...(info === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', ...info }]),
    ...(violations === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations }]),
  ];
}

function writeAny(writer: protobuf.Writer, type: string, value: Uint8Array): void {
  writer.uint32(tag(3, 2)).fork();
  writer.uint32(tag(1, 2)).string(`type.googleapis.com/${type}`).uint32(tag(2, 2)).bytes(value).ldelim();
}

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
