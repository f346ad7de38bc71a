/** A failure in the shape Google's REST API answers with; thrown by the catalogue and the routes alike. */
export class GoogleError extends Error {
  readonly httpCode: number;
  readonly reason: string;
  readonly status: string;
  readonly location: string | undefined;

  constructor(httpCode: number, reason: string, status: string, message: string, location?: string) {
    super(message);
    this.name = 'GoogleError';
    this.httpCode = httpCode;
    this.reason = reason;
    this.status = status;
    this.location = location;
  }
}

/** One entry of `errors` or `errorResult`, as in the ErrorProto of BigQuery's REST reference. */
export interface ErrorProto {
  reason: string;
  message: string;
  location?: string;
}

export function notFound(message: string): GoogleError {
  return new GoogleError(404, 'notFound', 'NOT_FOUND', message);
}

export function duplicate(message: string): GoogleError {
  return new GoogleError(409, 'duplicate', 'ALREADY_EXISTS', message);
}

export function invalid(message: string, location?: string): GoogleError {
  return new GoogleError(400, 'invalid', 'INVALID_ARGUMENT', message, location);
}

export function invalidQuery(message: string): GoogleError {
  return new GoogleError(400, 'invalidQuery', 'INVALID_ARGUMENT', message, 'query');
}

export function resourceInUse(message: string): GoogleError {
  return new GoogleError(400, 'resourceInUse', 'FAILED_PRECONDITION', message);
}

/** For what BigQuery offers and this local one does not; the message names what was asked for. */
export function notImplemented(what: string): GoogleError {
  return new GoogleError(
    501,
    'notImplemented',
    'UNIMPLEMENTED',
    `${what} is not supported by the local BigQuery.`,
  );
}

export function errorProto(error: GoogleError): ErrorProto {
  return {
    reason: error.reason,
    message: error.message,
    ...(error.location === undefined ? {} : { location: error.location }),
  };
}

/** The body of a failed REST call. */
export function errorBody(error: GoogleError): object {
  return {
    error: {
      code: error.httpCode,
      message: error.message,
      errors: [
        {
          message: error.message,
          domain: 'global',
          reason: error.reason,
          // A call that fails over its query names the parameter `q`; a job's errorResult says `query`.
          ...(error.location === 'query' ? { location: 'q', locationType: 'parameter' } : {}),
        },
      ],
      status: error.status,
    },
  };
}

/** Turns anything thrown into a GoogleError; what is not one already is an internal error. */
export function toGoogleError(thrown: unknown): GoogleError {
  if (thrown instanceof GoogleError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new GoogleError(500, 'backendError', 'INTERNAL', message);
}
