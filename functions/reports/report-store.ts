import type { BigQuery } from '@google-cloud/bigquery';
import { z } from 'zod';
import { type RunQuery, runQuery } from '../../shared/google/run-query.ts';
import { decodeNumbers } from './json-values.ts';
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
    const query = sql.replaceAll('`tributary.', `\`${dataset}.`);
    const { rows } = await runQuery(bigquery, { query, params, timeoutMs });
    return z.array(shape).parse(rows);
  };

  return {
    readAvailability: (source, since, allSince) =>
      ask(availabilityShape, availabilitySql, { source, since, all_since: allSince }),
    readAttempts: ({ source, entityIds, since, until }) =>
      ask(attemptShape, attemptsSql, { source, entity_ids: entityIds, since, until }),
    readOpenAttempts: ({ source, since, until, allSince, ladder }) =>
      ask(attemptShape, openAttemptsSql, { source, since, until, all_since: allSince, ladder }),
    async readRows(attempts) {
      const byAttempt = new Map<string, ReportRow[]>(attempts.map(({ attemptId }) => [attemptId, []]));
      if (attempts.length === 0) return byAttempt;
      const rows = await ask(rowShape, rowsSql, {
        dates: [...new Set(attempts.map(({ date }) => date))],
        attempt_ids: [...byAttempt.keys()],
      });
      for (const { attempt_id, ...row } of rows) byAttempt.get(attempt_id)?.push(row);
      return byAttempt;
    },
    readChanges: (source, since, until) => ask(changesShape, changesSql, { source, since, until }),
    async readUndescribed({ source, report, entityIds, dimension, since, fetchedSince, most }) {
      const rows = await ask(z.object({ item_id: z.string() }), undescribedSql(dimension), {
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

// Dates are parameters of type STRING, cast once: a DATE parameter would be an object of the client.
const availabilitySql = `
SELECT
  entity_id, gate, CAST(date AS STRING) AS day, verdict, rule, TO_JSON_STRING(proof) AS proof, flags,
  UNIX_MICROS(not_before) AS not_before, UNIX_MICROS(probed_at) AS probed_at
FROM \`tributary.report_availability\`
WHERE source = @source AND date >= CAST(@since AS DATE)
QUALIFY
  date >= CAST(@all_since AS DATE)
  OR ROW_NUMBER() OVER (PARTITION BY date, source, entity_id, gate ORDER BY probed_at DESC, verdict) = 1
ORDER BY probed_at, entity_id, gate, day`;

// An attempt is published only after its rows, so that they need not be counted here.
const attemptsSql = `
SELECT
  attempt_id, report, entity_id, CAST(date AS STRING) AS day, seq, ladder_day, extra_day, report_hash, row_count, digest,
  rule, flags, time_zone
FROM \`tributary.report_pulls\`
WHERE
  source = @source AND entity_id IN UNNEST(@entity_ids)
  AND date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY date, source, report, entity_id ORDER BY seq DESC, published_at, attempt_id) = 1
ORDER BY day, report, entity_id`;

// Days are counted to the latest of all zones, so that what is due in any zone is among them.
const openAttemptsSql = `
WITH counting AS (
  SELECT
    attempt_id, report, entity_id, date, seq, ladder_day, extra_day, report_hash, row_count, digest, rule, flags, time_zone
  FROM \`tributary.report_pulls\`
  WHERE source = @source AND date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY date, source, report, entity_id ORDER BY seq DESC, published_at, attempt_id) = 1
)
SELECT
  attempt_id, report, entity_id, CAST(date AS STRING) AS day, seq, ladder_day, extra_day, report_hash, row_count, digest,
  rule, flags, time_zone
FROM counting
WHERE
  date >= CAST(@all_since AS DATE)
  OR (extra_day > ladder_day AND extra_day <= DATE_DIFF(CAST(@until AS DATE), date, DAY))
  OR EXISTS (
    SELECT 1 FROM UNNEST(@ladder) AS step
    WHERE step > ladder_day AND step <= DATE_DIFF(CAST(@until AS DATE), date, DAY)
  )
ORDER BY day, report, entity_id`;

const changesSql = `
SELECT report, entity_id, CAST(date AS STRING) AS day, COUNT(DISTINCT attempt_id) AS attempts
FROM \`tributary.report_changes\`
WHERE source = @source AND date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)
GROUP BY report, entity_id, day`;

const rowsSql = `
SELECT
  attempt_id, TO_JSON_STRING(dimensions) AS dimensions, TO_JSON_STRING(metrics) AS metrics,
  COALESCE(is_other, FALSE) AS is_other
FROM \`tributary.report_rows\`
WHERE date IN (SELECT CAST(wanted AS DATE) FROM UNNEST(@dates) AS wanted) AND attempt_id IN UNNEST(@attempt_ids)
QUALIFY ROW_NUMBER() OVER (PARTITION BY attempt_id, row_index ORDER BY pulled_at) = 1
ORDER BY attempt_id, row_index`;

const undescribedSql = (dimension: string): string => `
WITH named AS (
  SELECT JSON_VALUE(dimensions, '$.${dimension.replace(/\W/g, '')}') AS item_id, MAX(date) AS last_date
  FROM \`tributary.report_rows\`
  WHERE
    source = @source AND report = @report AND entity_id IN UNNEST(@entity_ids) AND date >= CAST(@since AS DATE)
  GROUP BY item_id
),
known AS (
  SELECT item_id, MAX(fetched_at) AS fetched_at
  FROM \`tributary.video_metadata\`
  WHERE source = @source AND fetched_at >= TIMESTAMP_MICROS(@fetched_since)
  GROUP BY item_id
)
SELECT named.item_id
FROM named
LEFT JOIN known ON known.item_id = named.item_id
WHERE named.item_id IS NOT NULL AND known.item_id IS NULL
ORDER BY named.last_date DESC, named.item_id
LIMIT @most`;

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
