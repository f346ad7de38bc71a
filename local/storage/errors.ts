/**
 * A failure as the JSON API answers it. The codes and reasons are those of
 * https://cloud.google.com/storage/docs/json_api/v1/status-codes.
 */
export class StorageError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly location: { type: 'parameter' | 'header'; name: string } | undefined;

  constructor(code: number, reason: string, message: string, location?: StorageError['location']) {
    super(message);
    this.name = 'StorageError';
    this.code = code;
    this.reason = reason;
    this.location = location;
  }
}

export function invalid(message: string, parameter?: string): StorageError {
  const location = parameter === undefined ? undefined : ({ type: 'parameter', name: parameter } as const);
  return new StorageError(400, 'invalid', message, location);
}

export function required(parameter: string): StorageError {
  const location = { type: 'parameter', name: parameter } as const;
  return new StorageError(400, 'required', `Required parameter: ${parameter}`, location);
}

export function noSuchBucket(): StorageError {
  return new StorageError(404, 'notFound', 'The specified bucket does not exist.');
}

export function noSuchObject(bucket: string, name: string): StorageError {
  return new StorageError(404, 'notFound', `No such object: ${bucket}/${name}`);
}

export function conflict(message: string): StorageError {
  return new StorageError(409, 'conflict', message);
}

export function conditionNotMet(): StorageError {
  const message = 'At least one of the pre-conditions you specified did not hold.';
  return new StorageError(412, 'conditionNotMet', message, { type: 'header', name: 'If-Match' });
}

/** The answer has no body; see https://cloud.google.com/storage/docs/request-preconditions. */
export function notModified(): StorageError {
  return new StorageError(304, 'notModified', 'Not Modified');
}

export function tooLarge(limitBytes: number): StorageError {
  const message = `The local Cloud Storage takes at most ${limitBytes} bytes in an object or a request.`;
  return new StorageError(413, 'uploadTooLarge', message);
}

export function unavailable(): StorageError {
  return new StorageError(503, 'backendError', 'We encountered an internal error. Please try again.');
}

/** For what Cloud Storage offers and this local one does not; the message names what was asked for. */
export function notImplemented(what: string, parameter?: string): StorageError {
  const location = parameter === undefined ? undefined : ({ type: 'parameter', name: parameter } as const);
  const message = `${what} is not supported by the local Cloud Storage.`;
  return new StorageError(501, 'notImplemented', message, location);
}

/** The body of a failed call. */
export function errorBody({ code, message, reason, location }: StorageError): object {
  const where = location === undefined ? {} : { locationType: location.type, location: location.name };
  return { error: { code, message, errors: [{ message, domain: 'global', reason, ...where }] } };
}

/** Turns anything thrown into a StorageError; what is not one already is an internal error. */
export function toStorageError(thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown;
  return new StorageError(500, 'backendError', thrown instanceof Error ? thrown.message : String(thrown));
}
