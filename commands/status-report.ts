/** One part of the report, or why it could not be told. */
export type Part<T> =
  | { readonly kind: 'told'; readonly value: T }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What was counted along the path. Events, but for messages and requests. */
export interface PathCounts {
  readonly received: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly dropped: number;
  readonly limited: number;
  readonly requestsUnstored: number;
  readonly messagesPublished: number;
  readonly messagesSpilled: number;
  readonly delivered: number;
  readonly appended: number;
  readonly refused: number;
  readonly returned: number;
}

export interface QueueState {
  readonly undelivered: number;
  /** Of the oldest unacknowledged message, in seconds. */
  readonly oldestSeconds: number;
  readonly deadLetters: number;
}

export interface SpillState {
  readonly objects: number;
  readonly bytes: number;
  readonly oldest: Date | undefined;
  /** False where there were too many to look at all. */
  readonly isWhole: boolean;
}

export interface OpenQuarantine {
  readonly reason: string;
  /** Null where the request did not tell. */
  readonly project: string | null;
  readonly open: number;
  readonly replayable: number;
  readonly oldest: Date;
}

/** What fold has still to take up. */
export interface FoldBacklog {
  readonly waiting: number;
  /** When the oldest of it was received. */
  readonly oldest: Date | undefined;
}

export interface Report {
  readonly project: string;
  readonly at: Date;
  /** How far back the counts of the path go. */
  readonly hours: number;
  readonly path: Part<PathCounts>;
  readonly queue: Part<QueueState>;
  readonly spill: Part<SpillState>;
  readonly quarantine: Part<readonly OpenQuarantine[]>;
  /** Undefined where none was received within a week. */
  readonly lastEvent: Part<Date | undefined>;
  readonly fold: Part<FoldBacklog>;
}

/** Whether any part could be told. */
export const isReached = ({ path, queue, spill, quarantine, lastEvent, fold }: Report): boolean =>
  [path, queue, spill, quarantine, lastEvent, fold].some(({ kind }) => kind === 'told');
