/** A call that has come in. */
export interface Call {
  readonly method: string;
  readonly kind: 'read' | 'write';
  readonly caller: string;
  /** accounts/N or properties/N, or empty. */
  readonly parent: string;
  /** How many resources it is about. */
  readonly entries: number;
  readonly transport: 'grpc' | 'rest';
  readonly atMs: number;
}

/** A call that is over, with what it cost. */
export interface LoggedCall extends Call {
  /** Against the quotas of requests: 0 when it was refused for want of quota. */
  readonly requests: number;
  /** Against the quotas of writes. */
  readonly writes: number;
  /** A status code by its name, or NOTHING where it was left to hang. */
  readonly answer: string;
  /** Whether it took effect, wholly or in part; a read never does. */
  readonly took: 'nothing' | 'part' | 'everything' | 'later';
  /** Whether a fault decided the answer. */
  readonly isFault: boolean;
}
