import type { Field } from '../sql/types.ts';
import {
  lengthField,
  readBytes,
  readUint32,
  readUint64,
  varintField,
  visitFields,
  WIRE_LENGTH,
  WIRE_VARINT,
} from './proto-wire.ts';

// Field numbers: google/cloud/bigquery/storage/v1/{storage,stream,table,protobuf}.proto and google/rpc/status.proto,
// as shipped in @google-cloud/bigquery-storage.

export interface AppendRowsRequest {
  writeStream: string;
  hasOffset: boolean;
  hasArrowRows: boolean;
  hasProtoRows: boolean;
  /** The bytes of the DescriptorProto, when this request carries a writer schema. */
  writerDescriptor: Buffer | undefined;
  rows: Buffer[];
  missingValueInterpretations: Map<string, number>;
  defaultMissingValueInterpretation: number;
  /** Size of the whole request on the wire. */
  byteLength: number;
}

/** Decodes an AppendRowsRequest; the rows stay slices of `bytes`. Throws WireError. */
export function decodeAppendRowsRequest(bytes: Buffer): AppendRowsRequest {
  const request: AppendRowsRequest = {
    writeStream: '',
    hasOffset: false,
    hasArrowRows: false,
    hasProtoRows: false,
    writerDescriptor: undefined,
    rows: [],
    missingValueInterpretations: new Map(),
    defaultMissingValueInterpretation: 0,
    byteLength: bytes.length,
  };
  visitFields(bytes, (number, wireType, reader) => {
    if (wireType === WIRE_LENGTH) {
      if (number === 1) request.writeStream = readBytes(reader).toString();
      else if (number === 2) {
        readBytes(reader);
        request.hasOffset = true;
      } else if (number === 4) {
        request.hasProtoRows = true;
        decodeProtoData(readBytes(reader), request);
      } else if (number === 5) {
        readBytes(reader);
        request.hasArrowRows = true;
      } else if (number === 7) decodeInterpretation(readBytes(reader), request);
      else return false;
      return true;
    }
    if (number === 8 && wireType === WIRE_VARINT) {
      request.defaultMissingValueInterpretation = readUint32(reader);
      return true;
    }
    return false;
  });
  return request;
}

function decodeProtoData(bytes: Buffer, request: AppendRowsRequest): void {
  visitFields(bytes, (number, wireType, reader) => {
    if (wireType !== WIRE_LENGTH) return false;
    if (number === 1) {
      visitFields(readBytes(reader), (inner, innerWireType, innerReader) => {
        if (inner !== 1 || innerWireType !== WIRE_LENGTH) return false;
        request.writerDescriptor = readBytes(innerReader);
        return true;
      });
      return true;
    }
    if (number === 2) {
      visitFields(readBytes(reader), (inner, innerWireType, innerReader) => {
        if (inner !== 1 || innerWireType !== WIRE_LENGTH) return false;
        request.rows.push(readBytes(innerReader));
        return true;
      });
      return true;
    }
    return false;
  });
}

function decodeInterpretation(bytes: Buffer, request: AppendRowsRequest): void {
  let key = '';
  let value = 0;
  visitFields(bytes, (number, wireType, reader) => {
    if (number === 1 && wireType === WIRE_LENGTH) key = readBytes(reader).toString();
    else if (number === 2 && wireType === WIRE_VARINT) value = readUint32(reader);
    else return false;
    return true;
  });
  request.missingValueInterpretations.set(key, value);
}

export interface RowError {
  index: number;
  message: string;
}

/** StorageErrorCode of storage.proto, those that are used here. */
export const STORAGE_ERROR_TABLE_NOT_FOUND = 1;
export const STORAGE_ERROR_STREAM_NOT_FOUND = 3;
export const STORAGE_ERROR_INVALID_STREAM_TYPE = 4;
export const STORAGE_ERROR_SCHEMA_MISMATCH_EXTRA_FIELDS = 7;

export interface StatusDetails {
  code: number;
  message: string;
  storageError?: { code: number; entity: string };
}

export interface AppendRowsResponse {
  writeStream: string;
  error?: StatusDetails;
  rowErrors?: RowError[];
  updatedSchema?: readonly Field[];
}

/** RowErrorCode.FIELDS_ERROR of storage.proto. */
const FIELDS_ERROR = 1;

export function encodeAppendRowsResponse(response: AppendRowsResponse): Buffer {
  const parts: Buffer[] = [];
  // The default stream has no offsets: append_result is present and empty.
  if (response.error === undefined) parts.push(lengthField(1, Buffer.alloc(0)));
  else parts.push(lengthField(2, encodeStatus(response.error)));
  if (response.updatedSchema !== undefined)
    parts.push(lengthField(3, encodeTableSchema(response.updatedSchema)));
  for (const rowError of response.rowErrors ?? []) {
    parts.push(
      lengthField(
        4,
        Buffer.concat([
          varintField(1, rowError.index),
          varintField(2, FIELDS_ERROR),
          lengthField(3, rowError.message),
        ]),
      ),
    );
  }
  parts.push(lengthField(5, response.writeStream));
  return Buffer.concat(parts);
}

/** A google.rpc.Status, with the StorageError as its detail where there is one. */
export function encodeStatus(status: StatusDetails): Buffer {
  const parts = [varintField(1, status.code), lengthField(2, status.message)];
  if (status.storageError !== undefined) {
    const detail = Buffer.concat([
      varintField(1, status.storageError.code),
      lengthField(2, status.storageError.entity),
      lengthField(3, status.message),
    ]);
    parts.push(
      lengthField(
        3,
        Buffer.concat([
          lengthField(1, 'type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError'),
          lengthField(2, detail),
        ]),
      ),
    );
  }
  return Buffer.concat(parts);
}

const storageTypes: Readonly<Record<string, number>> = {
  STRING: 1,
  INTEGER: 2,
  FLOAT: 3,
  RECORD: 4,
  BYTES: 5,
  BOOLEAN: 6,
  TIMESTAMP: 7,
  DATE: 8,
  TIME: 9,
  DATETIME: 10,
  NUMERIC: 12,
  BIGNUMERIC: 13,
  JSON: 15,
};
const storageModes = { NULLABLE: 1, REQUIRED: 2, REPEATED: 3 } as const;

export function encodeTableSchema(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map((field) => lengthField(1, encodeTableField(field))));
}

function encodeTableField(field: Field): Buffer {
  return Buffer.concat([
    lengthField(1, field.name),
    varintField(2, storageTypes[field.type] ?? 0),
    varintField(3, storageModes[field.mode]),
    ...(field.fields ?? []).map((sub) => lengthField(4, encodeTableField(sub))),
    lengthField(6, field.description ?? ''),
  ]);
}

export interface GetWriteStreamRequest {
  name: string;
  /** WriteStreamView: 1 BASIC, 2 FULL. */
  view: number;
}

export function decodeGetWriteStreamRequest(bytes: Buffer): GetWriteStreamRequest {
  const request = { name: '', view: 0 };
  visitFields(bytes, (number, wireType, reader) => {
    if (number === 1 && wireType === WIRE_LENGTH) request.name = readBytes(reader).toString();
    else if (number === 3 && wireType === WIRE_VARINT) request.view = Number(readUint64(reader));
    else return false;
    return true;
  });
  return request;
}

/** The `_default` WriteStream of a table: COMMITTED, INSERT; `fields` for the FULL view only. */
export function encodeWriteStream(stream: {
  name: string;
  createdAtMs: number;
  location: string;
  fields?: readonly Field[];
}): Buffer {
  const seconds = Math.floor(stream.createdAtMs / 1000);
  const timestamp = Buffer.concat([
    varintField(1, seconds),
    varintField(2, (stream.createdAtMs - seconds * 1000) * 1_000_000),
  ]);
  return Buffer.concat([
    lengthField(1, stream.name),
    varintField(2, 1),
    lengthField(3, timestamp),
    ...(stream.fields === undefined ? [] : [lengthField(5, encodeTableSchema(stream.fields))]),
    varintField(7, 1),
    lengthField(8, stream.location),
  ]);
}
