/** What became of one request; never its content. */
export interface AcceptedBatch {
  readonly batch_id: string;
  readonly dialect: string;
  readonly project: string | undefined;
  readonly events: number;
  readonly quarantined: number;
}

export interface Log {
  accepted(batch: AcceptedBatch): void;
  info(message: string): void;
  error(event: string, facts: Record<string, unknown>, error: unknown): void;
}

/** Structured lines as Cloud Logging reads them: cloud.google.com/logging/docs/structured-logging. */
export function createLog(write: (line: string) => void, options: { batches: boolean }): Log {
  const line = (severity: string, message: string, facts: object) =>
    write(`${JSON.stringify({ severity, message, ...facts })}\n`);
  return {
    accepted(batch) {
      if (options.batches) line('INFO', 'batch accepted', batch);
    },
    info: (message) => line('INFO', message, {}),
    error: (event, facts, error) =>
      line('ERROR', event, { ...facts, error: error instanceof Error ? error.message : String(error) }),
  };
}
