/** What a test makes go wrong; read at each request, so it may change while the server runs. */
export interface StorageFaults {
  /** Share of requests answered 503 before anything is done. */
  unavailableRate: number;
  /** Milliseconds by which every answer is late; what was asked for is done before. */
  delayMs: number;
  /** Share of writes that are done, with the connection destroyed in place of the answer. */
  storedThenLostRate: number;
  /** Uniform in [0, 1): decides for the rates above. */
  random(): number;
}

export function noFaults(): StorageFaults {
  return { unavailableRate: 0, delayMs: 0, storedThenLostRate: 0, random: Math.random };
}
