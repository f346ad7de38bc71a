/** Bounds how many bytes of rows wait or are in flight, so that a slow BigQuery never fills the memory. */
export interface FlowControl {
  canFit(bytes: number): boolean;
  isEmpty(): boolean;
  take(bytes: number): void;
  release(bytes: number): void;
}

export function createFlowControl(maxBytes: number): FlowControl {
  let bytesTaken = 0;
  let holders = 0;
  return {
    // Whatever its size, one submission on its own is always let in: refused, it would come again for ever.
    canFit: (bytes) => holders === 0 || bytesTaken + bytes <= maxBytes,
    isEmpty: () => holders === 0,
    take(bytes) {
      bytesTaken += bytes;
      holders++;
    },
    release(bytes) {
      bytesTaken -= bytes;
      holders--;
    },
  };
}
