import { status } from '@grpc/grpc-js';

/** What an error tells a program: google.rpc.ErrorInfo. */
export interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A field that is wrong: google.rpc.BadRequest.FieldViolation. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What a call is answered instead of a result: Google's status code, its message, and what comes with it. */
export interface Refusal extends Error {
  readonly code: status;
  readonly details: string;
  readonly info?: ErrorInfo;
  readonly violations?: readonly FieldViolation[];
}

/** Makes the error to throw from a method: `throw refuse(status.NOT_FOUND, '...')`. */
export function refuse(
  code: status,
  message: string,
  more: Pick<Refusal, 'info' | 'violations'> = {},
): Refusal {
  return Object.assign(new Error(message), { code, details: message, ...more });
}

export function invalidArgument(message: string, violations?: readonly FieldViolation[]): Refusal {
  return refuse(status.INVALID_ARGUMENT, message, violations === undefined ? {} : { violations });
}

/** What Google answers of what the caller may not see too, so that nobody learns what exists. */
export function permissionDenied(): Refusal {
  return refuse(status.PERMISSION_DENIED, 'The caller does not have permission');
}

export function notFound(name: string): Refusal {
  return refuse(status.NOT_FOUND, `Requested entity was not found: ${name}.`);
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'code' in error && 'details' in error;
}
