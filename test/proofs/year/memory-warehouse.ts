import { hash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AppendRows, ReportTableRows } from '../../../functions/reports/append-rows.ts';
import { decodeNumbers } from '../../../functions/reports/json-values.ts';
import type {
  Attempt,
  AttemptsQuery,
  OpenAttemptsQuery,
  ReportStore,
  StoredAvailability,
} from '../../../functions/reports/report-store.ts';
import type { ReportRow, Verdict } from '../../../functions/reports/services/service.ts';
import type { NewObject, ObjectStore, StoredObject } from '../../../shared/google/object-store.ts';

type Pull = ReportTableRows['report_pulls'];

/** What a proof looks at as it is published: the attempt and its rows as text. */
export interface Publication {
  pull: Pull;
  rows: readonly RowTexts[];
  /** Of all rows as they are, so that two attempts with the same one need not be compared. */
  rowsHash: string;
  isRestated: boolean;
}

export interface RowTexts {
  dimensions: string;
  metrics: string;
  isOther: boolean;
}

export interface MemoryWarehouse {
  store: ReportStore;
  append: AppendRows;
  /** Rows of availability that settle a day, by `source|entity|gate|date`; the first one each. */
  settled: Map<string, { rule: string; at: number; flags: readonly string[] }>;
  count(table: string): number;
}

/**
 * The tables of reports in memory, for a year takes too many queries of a real one: dates older than 45 days are let go,
 * as nothing reads them. `onPublished` is told of each attempt in the moment it counts.
 */
export function createMemoryWarehouse(onPublished: (publication: Publication) => void): MemoryWarehouse {
  const counts = new Map<string, number>();
  /** By source and date, in the order in which they came. */
  const availability = new Map<string, Map<string, JudgedDate>>();
  /** By source, entity, and date and report. */
  const attempts = new Map<string, Map<string, Map<string, Attempt>>>();
  const packed = new Map<string, PackedRows>();
  const restated = new Set<string>();
  const settled: MemoryWarehouse['settled'] = new Map();
  let newest = '';

  const rowsOf = (attemptId: string): RowTexts[] | undefined => {
    const rows = packed.get(attemptId)?.rows;
    if (!Buffer.isBuffer(rows)) return rows;
    return JSON.parse(inflateRawSync(rows).toString()) as RowTexts[];
  };
  const forget = (date: string): void => {
    if (date <= newest) return;
    newest = date;
    const before = (days: number) =>
      new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10);
    const oldest = before(75);
    for (const byEntity of attempts.values()) {
      for (const byKey of byEntity.values()) {
        for (const [key, { date: own, attemptId }] of byKey) {
          if (own < before(45)) packed.delete(attemptId);
          if (own < oldest) byKey.delete(key);
        }
      }
    }
    for (const dates of availability.values()) {
      for (const own of dates.keys()) if (own < before(120)) dates.delete(own);
    }
  };

  const publish = (pull: Pull): void => {
    const key = `${pull.date}|${pull.report}`;
    const byEntity = attempts.get(pull.source) ?? new Map<string, Map<string, Attempt>>();
    attempts.set(pull.source, byEntity);
    const byKey = byEntity.get(pull.entity_id) ?? new Map<string, Attempt>();
    byEntity.set(pull.entity_id, byKey);
    const previous = byKey.get(key);
    if (previous !== undefined && pull.seq <= previous.seq) return;
    byKey.set(key, {
      attemptId: pull.attempt_id,
      report: pull.report,
      entityId: pull.entity_id,
      date: pull.date,
      seq: pull.seq,
      ladderDay: pull.ladder_day,
      extraDay: pull.extra_day ?? null,
      reportHash: pull.report_hash,
      rowCount: pull.row_count,
      digest: pull.digest,
      rule: pull.rule,
      flags: pull.flags ?? [],
      timeZone: pull.time_zone,
    });
    const kept = packed.get(pull.attempt_id);
    const rows = Array.isArray(kept?.rows) ? kept.rows : [];
    const rowsHash = hashRows(rows);
    const earlier = previous === undefined ? undefined : packed.get(previous.attemptId);
    onPublished({
      pull,
      rows,
      rowsHash,
      isRestated: restated.delete(pull.attempt_id),
    });
    if (previous !== undefined) packed.delete(previous.attemptId);
    if (kept !== undefined && rows.length > 40) {
      kept.rows =
        earlier?.rowsHash === rowsHash ? earlier.rows : deflateRawSync(JSON.stringify(rows), { level: 1 });
      kept.rowsHash = rowsHash;
    }
    forget(pull.date);
  };

  const append: AppendRows = async (table, rows) => {
    counts.set(table, (counts.get(table) ?? 0) + rows.length);
    if (isTable('report_rows', table, rows)) {
      for (const row of rows) {
        const texts = { dimensions: row.dimensions, metrics: row.metrics, isOther: row.is_other === true };
        const of = packed.get(row.attempt_id);
        if (Array.isArray(of?.rows)) of.rows.push(texts);
        else packed.set(row.attempt_id, { rows: [texts], rowsHash: undefined });
      }
    }
    if (isTable('report_restatements', table, rows)) for (const row of rows) restated.add(row.attempt_id);
    if (isTable('report_pulls', table, rows)) for (const row of rows) publish(row);
    if (isTable('report_availability', table, rows)) {
      for (const row of rows) {
        const at = Number(row.probed_at) / 1000;
        const dates = availability.get(row.source) ?? new Map<string, JudgedDate>();
        availability.set(row.source, dates);
        const judged = dates.get(row.date) ?? { rows: [], last: new Map<string, StoredAvailability>() };
        dates.set(row.date, judged);
        const flags = row.flags ?? [];
        const stored = {
          entityId: row.entity_id,
          gate: row.gate,
          date: row.date,
          verdict: row.verdict as Verdict,
          rule: row.rule,
          proof: JSON.parse(row.proof) as Record<string, unknown>,
          flags,
          notBefore: row.not_before === undefined ? null : new Date(Number(row.not_before) / 1000),
          probedAt: new Date(at),
        };
        judged.rows.push(stored);
        judged.last.set(`${row.entity_id}|${row.gate}`, stored);
        const key = `${row.source}|${row.entity_id}|${row.gate}|${row.date}`;
        const settles = row.verdict === 'available' || row.verdict === 'forced';
        if (settles && !settled.has(key)) settled.set(key, { rule: row.rule, at, flags });
      }
    }
  };

  const store = {
    async readAvailability(source: string, since: string, allSince: string) {
      const found: StoredAvailability[] = [];
      for (const [date, { rows, last }] of availability.get(source) ?? []) {
        if (date < since) continue;
        for (const row of date >= allSince ? rows : last.values()) found.push(row);
      }
      return found;
    },
    async readAttempts({ source, entityIds, since, until }: AttemptsQuery) {
      const found: Attempt[] = [];
      for (const entityId of entityIds) {
        for (const attempt of attempts.get(source)?.get(entityId)?.values() ?? []) {
          if (attempt.date >= since && attempt.date <= until) found.push(attempt);
        }
      }
      return found;
    },
    async readOpenAttempts({ source, since, until, allSince, ladder }: OpenAttemptsQuery) {
      const found: Attempt[] = [];
      // By the step that is covered, the last date of which the next one has come.
      const before = (days: number) =>
        new Date(Date.parse(until) - days * 86_400_000).toISOString().slice(0, 10);
      const dueUntil = new Map<number, string>();
      for (const byKey of attempts.get(source)?.values() ?? []) {
        for (const attempt of byKey.values()) {
          const { date, ladderDay, extraDay } = attempt;
          if (date < since || date > until) continue;
          let last = dueUntil.get(ladderDay);
          if (last === undefined) {
            const next = ladder.find((step) => step > ladderDay);
            last = next === undefined ? '' : before(next);
            dueUntil.set(ladderDay, last);
          }
          const isExtra = extraDay !== null && extraDay > ladderDay && date <= before(extraDay);
          if (date >= allSince || date <= last || isExtra) found.push(attempt);
        }
      }
      return found;
    },
    async readRows(wanted: readonly Pick<Attempt, 'attemptId' | 'date'>[]) {
      return new Map(
        wanted.map(({ attemptId }): [string, ReportRow[]] => [
          attemptId,
          (rowsOf(attemptId) ?? []).map(({ dimensions, metrics, isOther }) => ({
            dimensions: JSON.parse(dimensions) as Record<string, string>,
            metrics: decodeNumbers(metrics),
            isOther,
          })),
        ]),
      );
    },
    readUndescribed: async () => [],
    readChanges: async () => [],
  };
  return { store, append, settled, count: (table) => counts.get(table) ?? 0 };
}

interface JudgedDate {
  rows: StoredAvailability[];
  /** By entity and gate. */
  last: Map<string, StoredAvailability>;
}

interface PackedRows {
  rows: RowTexts[] | Buffer;
  rowsHash: string | undefined;
}

function hashRows(rows: readonly RowTexts[]): string {
  let text = '';
  for (const { dimensions, metrics, isOther } of rows) text += `${dimensions}${metrics}${isOther ? 1 : 0}\n`;
  return hash('sha1', text);
}

/** Ties the type of rows to the table's name, which the compiler does not. */
function isTable<Name extends keyof ReportTableRows>(
  name: Name,
  table: string,
  _rows: readonly unknown[],
): _rows is readonly ReportTableRows[Name][] {
  return name === table;
}

/** A bucket in memory. */
export function createMemoryBucket(): ObjectStore {
  const objects = new Map<string, NewObject & { generation: string; createdAt: Date }>();
  let generations = 0;
  const describe = (object: NewObject & { generation: string; createdAt: Date }): StoredObject => ({
    name: object.name,
    generation: object.generation,
    bytes: object.data.length,
    createdAt: object.createdAt,
    metadata: object.metadata,
  });
  const has = (name: string, generation: string) => (objects.get(name)?.generation ?? '0') === generation;
  return {
    async write(object, ifGeneration) {
      if (!has(object.name, ifGeneration)) return { kind: 'changed' };
      const generation = String(++generations);
      objects.set(object.name, { ...object, generation, createdAt: new Date() });
      return { kind: 'written', generation };
    },
    async list({ prefix = '', most }) {
      const found = [...objects.values()].filter(({ name }) => name.startsWith(prefix)).map(describe);
      return { objects: found.slice(0, most), nextPageToken: undefined };
    },
    async find(name) {
      const object = objects.get(name);
      return object === undefined ? undefined : describe(object);
    },
    async read(name, generation) {
      return has(name, generation) ? objects.get(name)?.data : undefined;
    },
    async remove(name, ifGeneration) {
      if (!objects.has(name)) return 'absent';
      if (!has(name, ifGeneration)) return 'changed';
      objects.delete(name);
      return 'removed';
    },
    close() {},
  };
}
