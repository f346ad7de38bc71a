import { status } from '@grpc/grpc-js';

/** What a call is answered with instead of a result: Google's status code, and details that name what is wrong. */
export type Refusal = Error & { readonly code: status; readonly details: string };

export function refuse(code: status, details: string): Refusal {
  return Object.assign(new Error(details), { code, details });
}

export const invalid = (details: string): Refusal => refuse(status.INVALID_ARGUMENT, details);

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'code' in error && 'details' in error;
}
