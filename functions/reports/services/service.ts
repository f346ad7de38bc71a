/*
 * What a service of reports is: the seam between the services (one folder each beside this file) and what polls, pulls
 * and publishes. Plain types only; this file runs nothing.
 */
import type { z } from 'zod';
import type { ReportsConfiguration } from '../configuration/configuration.ts';

/**
 * What is registered in services/index.ts, one line a service. `configurationFields` and `reportFields` become part of
 * the schema of the configuration file, so that a service says itself what an operator may write.
 */
export interface ServiceModule {
  /** As it stands in the column `source`: google_analytics, youtube. */
  readonly source: string;
  /** Fields of the configuration file that only this service reads (`sites`), each optional or with a default. */
  readonly configurationFields: z.ZodRawShape;
  /** What a report of this source says beside `key`, `source`, `on` and `grain`. */
  readonly reportFields: z.ZodRawShape;
  /** The keys that a report's `on` and the members of groups may name, read from this service's own fields. */
  listKeys(configuration: ReportsConfiguration): readonly string[];
  /** What shapes cannot tell: names that must exist elsewhere in the file. */
  checkConfiguration?(configuration: ReportsConfiguration): readonly ConfigurationProblem[];
  /** Makes the clients and no call. */
  open(configuration: ReportsConfiguration, environment: NodeJS.ProcessEnv): Service;
}

export interface ConfigurationProblem {
  /** Where in the file: keys and places in lists. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what to write instead, after the path and a colon. */
  readonly message: string;
}

export interface Service {
  readonly source: string;
  readonly entities: readonly Entity[];
  readonly reports: readonly Report[];
  /** The most that one `pull` is given: slices, or what `weigh` says of each, added up. */
  readonly mostPerBatch: number;
  /** How much of a batch a slice takes. Default 1. */
  weigh?(slice: Slice): number;
  /** Slices with one key may be given to one `pull`: of one property, or of one owner's report and date. */
  batchKey(slice: Slice): string;
  /** What a slice will cost: as learned from the pulls of this process, else a guess. */
  estimate(report: Report, entity: Entity): Cost;
  /**
   * Checks every report against the API's own metadata, before the first pull. Empty: nothing is wrong. With `only`, the
   * entities that could not be asked for the last time, what concerns the others may be left out.
   */
  checkReports(context: ServiceContext, only?: readonly string[]): Promise<readonly Problem[]>;
  /**
   * Judges days of all entities of a probe group, with as few calls as it can, often none. Days and entities that are
   * settled already are left out by the caller. One availability for each entity, gate and date that was asked for,
   * but for entities with a failure.
   */
  probe(request: ProbeRequest, context: ServiceContext): Promise<ProbeOutcome>;
  /** Pulls slices of one batch key; answers each of them, in any order. Never rejects for what an API answers. */
  pull(slices: readonly Slice[], context: ServiceContext): Promise<readonly PullOutcome[]>;
  /** Live counters of entities, which no API gives for a day that is past: taken once a day and stored as taken. */
  takeSnapshots?(entities: readonly Entity[], context: ServiceContext): Promise<SnapshotOutcome>;
  /** Titles of the items that rows name by id; those that are gone come back with `found: false`. */
  describeItems?(ids: readonly string[], probeGroup: string, context: ServiceContext): Promise<ItemsOutcome>;
}

/** A property or a channel. */
export interface Entity {
  readonly source: string;
  /** The id in the API: a property's digits, a channel's `UC...`. */
  readonly entityId: string;
  /** The site or channel of the configuration that it belongs to; several entities may share one. */
  readonly key: string;
  readonly role: string;
  /** What is probed by one call: a property's id, or the key of a content owner. */
  readonly probeGroup: string;
  /** As configured or fixed by the platform; null where only the API knows it (`timeZone` of proofs and slices). */
  readonly timeZone: string | null;
  readonly waitForData: boolean;
}

export type Grain = 'day' | 'week' | 'month';

/** How a metric may be added up: estimates (users) never, ratios only from their two parts. */
export type MetricKind = 'additive' | 'estimate' | 'ratio';

export interface Report {
  readonly source: string;
  readonly key: string;
  /** Of the entities that have this report. */
  readonly entityIds: readonly string[];
  readonly grain: Grain;
  /** Which availability it waits for: one of the gates of its service, `day` where there is only one. */
  readonly gate: string;
  /** As in rows; those derived from others come last. */
  readonly dimensions: readonly string[];
  readonly metrics: readonly { readonly name: string; readonly kind: MetricKind }[];
  /** What views compute from additive metrics: factor * numerator / the sum of denominator. */
  readonly ratios: readonly Ratio[];
  /** The dimension whose values `describeItems` knows more of, as `video`. */
  readonly describes: string | null;
  /** Changes with everything that changes what rows mean: a new series begins then. */
  readonly hash: string;
}

export interface Ratio {
  readonly name: string;
  readonly numerator: string;
  /** Added up: likes and dislikes for the share of likes. */
  readonly denominator: readonly string[];
  readonly factor: number;
}

/** An entity, a report and a day; a week is dated by its Sunday, a month by its last day. */
export interface Slice {
  readonly entity: Entity;
  readonly report: Report;
  readonly date: string;
}

export interface Cost {
  /** HTTP calls, batched as they would be. */
  readonly calls: number;
  /** Report requests: each member of a batch counts. */
  readonly requests: number;
  /** Tokens of Google Analytics. */
  readonly tokens: number;
  /** Units of the YouTube Data API. */
  readonly units: number;
}

export interface Problem {
  readonly report: string;
  readonly entityId: string | null;
  /** Where in the report: `metrics`, `dimensions`, `filter`, `sort`; or `access`. */
  readonly field: string;
  /** The name that is wrong. */
  readonly name: string;
  /** A sentence that says what is wrong and what to write instead. */
  readonly message: string;
}

export interface ProbeRequest {
  readonly probeGroup: string;
  /** What is still open, each (entity, gate) with its days, oldest first. */
  readonly open: readonly {
    readonly entity: Entity;
    readonly gate: string;
    readonly dates: readonly string[];
  }[];
  /**
   * Rows of `report_availability` of these entities from 60 days before the oldest open day to now, in any order; what
   * rules know of earlier days (hours, zones, watermarks) they read from these proofs.
   */
  readonly history: readonly EarlierAvailability[];
}

export type Verdict = 'waiting' | 'available' | 'forced' | 'stopped';

/** A row of `report_availability` but for source and probed_at. */
export interface Availability {
  readonly entityId: string;
  readonly gate: string;
  readonly date: string;
  readonly verdict: Verdict;
  /** R0_too_early to R5_forced, watermark, no_wait, ...; `explain` says each in words. */
  readonly rule: string;
  /** JSON without bigints: what was seen and what it was judged by. */
  readonly proof: Readonly<Record<string, unknown>>;
  /** What pulls of the day must carry: forced, zone_changed. */
  readonly flags: readonly string[];
  /** Before then another probe can change nothing. */
  readonly notBefore: Date | null;
}

export interface EarlierAvailability extends Omit<Availability, 'notBefore' | 'flags'> {
  readonly probedAt: Date;
}

export interface ProbeOutcome {
  readonly availability: readonly Availability[];
  readonly failures: readonly Failure[];
}

export type PullOutcome =
  | { readonly kind: 'pulled'; readonly slice: Slice; readonly pulled: PulledSlice }
  | { readonly kind: 'failed'; readonly slice: Slice; readonly failure: Failure };

/** Integers are exact; a number is only what the API itself gives as a fraction, never rounded. */
export type MetricValue = bigint | number;

export interface ReportRow {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Google Analytics put what did not fit into this row; it is kept and marked. */
  readonly isOther: boolean;
}

/** All rows of a slice in a total order that is the same for every pull. */
export interface PulledSlice {
  readonly rows: readonly ReportRow[];
  /** Sums of the additive metrics over the rows; estimates and ratios have none. */
  readonly totals: Readonly<Record<string, MetricValue>>;
  /** What the API says of the whole, estimates included; empty where it was not asked. */
  readonly apiTotals: Readonly<Record<string, MetricValue>>;
  /** Whether totals and apiTotals agree to the integer; null where the API defines no comparable total. */
  readonly reconciled: boolean | null;
  /** Without those of the day's availability, which the caller adds: sampled, thresholded, other_row, restricted, float_integer, not_reconciled, top_n, ... */
  readonly flags: readonly string[];
  readonly timeZone: string;
  /** The API's metadata as it came, for what is unknown today. */
  readonly metadata: unknown;
  /** SHA-256 of the rows in their order. */
  readonly digest: string;
  /** What it took; the share of it where a call answered several slices. */
  readonly cost: Cost;
}

/**
 * broken_report: never try again before the configuration changes. stopped_entity: this property or channel only.
 * stopped_owner: the whole probe group (a revoked token). deferred: not before `notBefore`. transient: tried as often as
 * the class allows; the next run may.
 */
export type FailureKind = 'broken_report' | 'stopped_entity' | 'stopped_owner' | 'deferred' | 'transient';

export interface Failure {
  readonly kind: FailureKind;
  /** null: all entities of the probe group. */
  readonly entityId: string | null;
  /** One word for the ledger and alerts: permission_denied, invalid_grant, tokens_per_day, ... */
  readonly reason: string;
  /** What an operator reads: what happened and what to do. No secrets. */
  readonly message: string;
  readonly notBefore: Date | null;
  /** Whether somebody must act. */
  readonly alert: boolean;
}

/** A row of `api_calls`: one HTTP request, the failed ones too. */
export interface Call {
  readonly startedAt: Date;
  readonly api: string;
  readonly method: string;
  /** null where a call is about many. */
  readonly entityId: string | null;
  readonly probeGroup: string;
  /** Keys of the reports that were asked for, as often as they were; empty for a probe. */
  readonly reports: readonly string[];
  /** null: there was no answer. */
  readonly status: number | null;
  /** Why it failed, the word of a Failure; null where it did not. */
  readonly reason: string | null;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly milliseconds: number;
  /** Of the answer. */
  readonly bytes: number;
  readonly tokens: number | null;
  readonly units: number | null;
  /** What is left in each bucket of the property, by the API's own name of it. */
  readonly quotaRemaining: Readonly<Record<string, number>> | null;
}

export interface Snapshot {
  readonly entityId: string;
  readonly takenAt: Date;
  readonly title: string | null;
  /** null where the owner hides it. */
  readonly counters: Readonly<Record<string, bigint | null>>;
}

export interface SnapshotOutcome {
  readonly snapshots: readonly Snapshot[];
  readonly failures: readonly Failure[];
}

export interface Item {
  readonly id: string;
  /** false: deleted or private; the id is kept and the title must go. */
  readonly found: boolean;
  readonly title: string | null;
  readonly channelId: string | null;
  readonly publishedAt: Date | null;
  readonly fetchedAt: Date;
}

export interface ItemsOutcome {
  readonly items: readonly Item[];
  readonly failures: readonly Failure[];
}

/** What a service is given with every call; rules read the time from here and nowhere else. */
export interface ServiceContext {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  /** Waits between tries, seconds at most; rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly recordCall: (call: Call) => void;
  /** Units that all instances have spent of the day, where that was read; a service that keeps to a day's units adds to it. */
  readonly unitsSpent?: number;
  /** Aborts when the function runs out of time. */
  readonly signal: AbortSignal;
}
