/** What a test makes go wrong with appends; read at each append, so it may change while the server runs. */
export interface BigQueryFaults {
  /** Share of appends answered UNAVAILABLE with nothing stored. */
  appendFailRate: number;
  /**
   * Share of appends whose rows are stored but whose answer is lost: one half breaks the stream, the other leaves it open
   * and silent for good, so that only the client's own time-out ends it.
   */
  appendStoredThenLostRate: number;
  /** Every append breaks its stream with UNAVAILABLE, nothing stored. */
  refuseAppends: boolean;
  /** Milliseconds between the commit and the answer. */
  appendDelayMs: number;
  /** Uniform in [0, 1): decides for the rates above. */
  random: () => number;
}

export function noFaults(): BigQueryFaults {
  return {
    appendFailRate: 0,
    appendStoredThenLostRate: 0,
    refuseAppends: false,
    appendDelayMs: 0,
    random: Math.random,
  };
}
