import { status } from '@grpc/grpc-js';

/** An answer other than OK, in the shape grpc-js sends. */
export interface Refusal extends Error {
  code: status;
  details: string;
}

/** Makes the error to throw from a handler: `throw refuse(status.NOT_FOUND, '...')`. */
export function refuse(code: status, message: string): Refusal {
  return Object.assign(new Error(message), { code, details: message });
}

export function invalidArgument(message: string): Refusal {
  return refuse(status.INVALID_ARGUMENT, message);
}

/** Google names the last segment of the resource, not the whole name. */
export function notFound(name: string): Refusal {
  return refuse(status.NOT_FOUND, `Resource not found (resource=${lastSegment(name)}).`);
}

export function alreadyExists(name: string): Refusal {
  return refuse(
    status.ALREADY_EXISTS,
    `Resource already exists in the project (resource=${lastSegment(name)}).`,
  );
}

/** What Google offers and this server does not: it says so rather than answer differently. */
export function unimplemented(field: string): Refusal {
  return refuse(status.UNIMPLEMENTED, `The local Pub/Sub does not implement ${field}.`);
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'code' in error && 'details' in error;
}

function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
