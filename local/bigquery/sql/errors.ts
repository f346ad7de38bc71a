/** Where a construct begins in the text of the query; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/**
 * A query that BigQuery would refuse, or that this translator does not know.
 * The message is Google's own where it is known, and ends in the position, as BigQuery's does.
 */
export class GoogleSqlError extends Error {
  readonly reason: 'invalidQuery' | 'notFound';
  readonly location?: Position;

  constructor(message: string, options: { reason?: 'invalidQuery' | 'notFound'; location?: Position } = {}) {
    super(message);
    this.name = 'GoogleSqlError';
    this.reason = options.reason ?? 'invalidQuery';
    if (options.location) this.location = options.location;
  }
}

/** An invalid query, its position appended to the message in BigQuery's form. */
export function invalid(message: string, at: Position): GoogleSqlError {
  return new GoogleSqlError(`${message} at [${at.line}:${at.column}]`, { location: at });
}

/** A query that does not parse. */
export function syntaxError(message: string, at: Position): GoogleSqlError {
  return invalid(`Syntax error: ${message}`, at);
}

/** Valid GoogleSQL that the local BigQuery does not know how to run exactly, so it says so. */
export function unsupported(construct: string, at: Position): GoogleSqlError {
  return invalid(`${construct} is not supported by the local BigQuery`, at);
}
