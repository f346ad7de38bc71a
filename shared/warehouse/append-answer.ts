import type { protos } from '@google-cloud/bigquery-storage';

type AppendRowsResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

export interface RowError {
  /** Place of the row in the append. */
  readonly index: number;
  readonly detail: string;
}

/** What became of one append. Only `appended` says that the rows are stored. */
export type AppendAnswer =
  | { readonly kind: 'appended' }
  /** No row was stored; without these rows the append may succeed. */
  | { readonly kind: 'rows_refused'; readonly errors: readonly RowError[] }
  /** Not stored, or stored without our learning it; trying again may succeed. */
  | { readonly kind: 'transient'; readonly code: number; readonly detail: string }
  /** Not stored, and trying again changes nothing until somebody mends the table or its permissions. */
  | { readonly kind: 'permanent'; readonly code: number; readonly detail: string };

/** The gRPC status codes that are told apart here: https://grpc.io/docs/guides/status-codes/ */
export const status = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  unavailable: 14,
  dataLoss: 15,
} as const;

const permanentCodes: ReadonlySet<number> = new Set([
  status.invalidArgument,
  status.notFound,
  status.alreadyExists,
  status.permissionDenied,
  status.failedPrecondition,
  status.outOfRange,
  status.unimplemented,
  status.dataLoss,
]);

/** Reads an answer of the server to an append of `rowCount` rows. */
export function readAnswer(response: AppendRowsResponse, rowCount: number): AppendAnswer {
  const { error, rowErrors, appendResult } = response;
  // Row errors come inside an ordinary answer: an append that is not looked at closely seems to have succeeded.
  const errors: RowError[] = [];
  for (const rowError of rowErrors ?? []) {
    const index = Number(rowError.index ?? 0);
    if (Number.isInteger(index) && index >= 0 && index < rowCount) {
      errors.push({ index, detail: rowError.message || error?.message || 'refused without a reason' });
    }
  }
  if (errors.length > 0) return { kind: 'rows_refused', errors };
  if (error && error.code !== status.ok) return readStatus(error.code ?? status.unknown, error.message ?? '');
  if (appendResult && !rowErrors?.length) return { kind: 'appended' };
  return { kind: 'transient', code: status.unknown, detail: 'the answer neither acknowledges nor refuses' };
}

/** Reads an error of the stream itself. One without a known code is the loss of a connection. */
export function readStreamError(error: unknown): AppendAnswer {
  const detail = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : status.unknown;
  return readStatus(code, detail);
}

function readStatus(code: number, detail: string): AppendAnswer {
  return { kind: permanentCodes.has(code) ? 'permanent' : 'transient', code, detail };
}
