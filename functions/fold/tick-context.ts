import type { BigQuery } from '@google-cloud/bigquery';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import type { AppendDecisions } from './append-decisions.ts';
import type { ProjectPolicy } from './policies.ts';
import type { StateStore } from './state.ts';
import type { StepName, Steps } from './steps.ts';

export interface TickOptions {
  readonly bigquery: BigQuery;
  readonly dataset: string;
  /** Holds the lease and the state. */
  readonly bucket: ObjectStore;
  readonly appendDecisions: AppendDecisions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long one request to the bucket may take, tries included. */
  readonly callWithinMs: number;
  /** How long the lease lasts that a dead tick has left. */
  readonly leaseMs: number;
  /** How long a tick may take: no query lasts longer, and no step begins in its last tenth. */
  readonly withinMs: number;
  /** The most persons that are folded one by one: where more are touched, all are folded anew. */
  readonly mostPersons: number;
  /** Told of each step before it begins, and waited for. */
  readonly onStep?: (step: StepName) => void | Promise<void>;
}

/** What the steps of a tick work with. */
export interface TickContext {
  readonly options: TickOptions;
  readonly steps: Steps;
  readonly store: StateStore;
  readonly policies: readonly ProjectPolicy[];
  /** Of the policies. */
  readonly settingsHash: string;
}
