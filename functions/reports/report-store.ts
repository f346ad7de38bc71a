import type { BigQuery } from '@google-cloud/bigquery';
import { z } from 'zod';
import { type RunQuery, runQuery } from '../../shared/google/run-query.ts';
import { decodeNumbers } from './json-values.ts';
import * as queries from './queries.ts';
import type { EarlierAvailability, ReportRow } from './services/service.ts';

/** A row of report_availability. */
export interface StoredAvailability extends EarlierAvailability {
  readonly flags: readonly string[];
  readonly notBefore: Date | null;
}

/** The attempt that counts of a slice. */
export interface Attempt {
  readonly attemptId: string;
  readonly report: string;
  readonly entityId: string;
  readonly date: string;
  readonly seq: number;
  readonly ladderDay: number;
  readonly extraDay: number | null;
  readonly reportHash: string;
  readonly rowCount: number;
  readonly digest: string;
  readonly rule: string;
  readonly flags: readonly string[];
  readonly timeZone: string;
}

/** What the reports read of the warehouse. Every method rejects where BigQuery cannot be asked. */
export interface ReportStore {
  /** Of each entity, gate and date since `since` the last row, and every row since `allSince`. */
  readAvailability(source: string, since: string, allSince: string): Promise<readonly StoredAvailability[]>;
  /** The attempts that count of some entities, of all dates from `since` to `until`, both included. */
  readAttempts(query: AttemptsQuery): Promise<readonly Attempt[]>;
  /** Of all entities those that a poll has to know: every attempt of recent dates, and older ones that may be due. */
  readOpenAttempts(query: OpenAttemptsQuery): Promise<readonly Attempt[]>;
  /** The rows of attempts by attempt id; each attempt is there, whole. */
  readRows(
    attempts: readonly Pick<Attempt, 'attemptId' | 'date'>[],
  ): Promise<ReadonlyMap<string, ReportRow[]>>;
  /** How many attempts of each slice found something changed. */
  readChanges(source: string, since: string, until: string): Promise<readonly SliceChanges[]>;
  /** Ids that rows of these reports name in a dimension and whose metadata is absent or older than `fetchedSince`. */
  readUndescribed(query: UndescribedQuery): Promise<readonly string[]>;
}

export interface AttemptsQuery {
  readonly source: string;
  readonly entityIds: readonly string[];
  readonly since: string;
  readonly until: string;
}

export interface OpenAttemptsQuery {
  readonly source: string;
  readonly since: string;
  readonly until: string;
  /** From this date on all of them, before it those alone of which a step of the ladder has come by `until`. */
  readonly allSince: string;
  readonly ladder: readonly number[];
}

export interface SliceChanges {
  readonly report: string;
  readonly entityId: string;
  readonly date: string;
  readonly attempts: number;
}

export interface UndescribedQuery {
  readonly source: string;
  readonly report: string;
  readonly entityIds: readonly string[];
  readonly dimension: string;
  /** The first date of rows that are looked at. */
  readonly since: string;
  readonly fetchedSince: Date;
  readonly most: number;
}

/** Reads from BigQuery; a query may take `timeoutMs`. */
export function openReportStore(bigquery: BigQuery, dataset: string, timeoutMs: number): ReportStore {
  const ask = async <Row extends z.ZodType>(
    shape: Row,
    sql: string,
    params: NonNullable<Parameters<RunQuery>[0]['params']>,
  ): Promise<z.output<Row>[]> => {
    const { rows } = await runQuery(bigquery, { query: sql, params, defaultDataset: dataset, timeoutMs });
    return z.array(shape).parse(rows);
  };

  return {
    readAvailability: (source, since, allSince) =>
      ask(availabilityShape, queries.readAvailability, { source, since, all_since: allSince }),
    readAttempts: ({ source, entityIds, since, until }) =>
      ask(attemptShape, queries.readAttempts, { source, entity_ids: entityIds, since, until }),
    readOpenAttempts: ({ source, since, until, allSince, ladder }) =>
      ask(attemptShape, queries.readOpenAttempts, { source, since, until, all_since: allSince, ladder }),
    async readRows(attempts) {
      const byAttempt = new Map<string, ReportRow[]>(attempts.map(({ attemptId }) => [attemptId, []]));
      if (attempts.length === 0) return byAttempt;
      const rows = await ask(rowShape, queries.readRows, {
        dates: [...new Set(attempts.map(({ date }) => date))],
        attempt_ids: [...byAttempt.keys()],
      });
      for (const { attempt_id, ...row } of rows) byAttempt.get(attempt_id)?.push(row);
      return byAttempt;
    },
    readChanges: (source, since, until) => ask(changesShape, queries.readChanges, { source, since, until }),
    async readUndescribed({ source, report, entityIds, dimension, since, fetchedSince, most }) {
      // A path is no parameter.
      const sql = queries.readUndescribed.replace('$.item', `$.${dimension.replace(/\W/g, '')}`);
      const rows = await ask(z.object({ item_id: z.string() }), sql, {
        source,
        report,
        entity_ids: entityIds,
        since,
        fetched_since: fetchedSince.getTime() * 1_000,
        most,
      });
      return rows.map(({ item_id }) => item_id);
    },
  };
}

const instant = z.number().transform((micros) => new Date(micros / 1_000));

const availabilityShape = z
  .object({
    entity_id: z.string(),
    gate: z.string(),
    day: z.string(),
    verdict: z.enum(['waiting', 'available', 'forced', 'stopped']),
    rule: z.string(),
    proof: z.string().transform((text) => z.record(z.string(), z.unknown()).parse(JSON.parse(text))),
    flags: z.array(z.string()),
    not_before: instant.nullable(),
    probed_at: instant,
  })
  .transform(({ entity_id, day, not_before, probed_at, ...row }) => ({
    ...row,
    date: day,
    entityId: entity_id,
    notBefore: not_before,
    probedAt: probed_at,
  }));

const attemptShape = z
  .object({
    attempt_id: z.string(),
    report: z.string(),
    entity_id: z.string(),
    day: z.string(),
    seq: z.number(),
    ladder_day: z.number(),
    extra_day: z.number().nullable(),
    report_hash: z.string(),
    row_count: z.number(),
    digest: z.string(),
    rule: z.string(),
    flags: z.array(z.string()),
    time_zone: z.string(),
  })
  .transform((row) => ({
    attemptId: row.attempt_id,
    report: row.report,
    entityId: row.entity_id,
    date: row.day,
    seq: row.seq,
    ladderDay: row.ladder_day,
    extraDay: row.extra_day,
    reportHash: row.report_hash,
    rowCount: row.row_count,
    digest: row.digest,
    rule: row.rule,
    flags: row.flags,
    timeZone: row.time_zone,
  }));

const changesShape = z
  .object({ report: z.string(), entity_id: z.string(), day: z.string(), attempts: z.number() })
  .transform(({ entity_id, day, ...row }) => ({ ...row, entityId: entity_id, date: day }));

const rowShape = z
  .object({
    attempt_id: z.string(),
    dimensions: z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
    metrics: z.string().transform(decodeNumbers),
    is_other: z.boolean(),
  })
  .transform(({ is_other, ...row }) => ({ ...row, isOther: is_other }));
