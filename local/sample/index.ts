import { setTimeout as wait } from 'node:timers/promises';
import type { BigQuery, Query } from '@google-cloud/bigquery';
import { DATASET } from '../index.ts';
import { formatResult } from '../query.ts';
import type { TableStyle } from '../terminal/format-table.ts';
import { queryParameters, runQuery } from '../terminal/run-query.ts';
import { boundDevices, makeSampleTraffic, type SampleRequest, sampleProjects } from './traffic.ts';

export interface SampleOptions {
  ingestUrl: string;
  bigquery: BigQuery;
  style: TableStyle;
  write: (text: string) => void;
  /** Shows how far it is; each text replaces the one before. */
  progress: (text: string) => void;
  /** How long rows may take to appear. Default 30 seconds. */
  withinMs?: number;
}

/**
 * Sends the sample traffic, waits until all of it is in BigQuery, and writes what became of it. Rows of this run are told
 * from those of earlier ones by the time of receiving. Rejects when a request is not accepted or rows do not appear.
 */
export async function runSample(options: SampleOptions): Promise<void> {
  const { bigquery, write, style } = options;
  // TIMESTAMP literals have microseconds, and ingest stamps on the same clock.
  const startedAt = new Date();
  const started = startedAt.toISOString();
  const requests = makeSampleTraffic(startedAt.getTime());
  for (const request of requests) await send(options.ingestUrl, request);
  const expected = {
    event_log: sum(requests, ({ events }) => events),
    state_log: sum(requests, ({ state }) => state),
    quarantine: sum(requests, ({ quarantined }) => quarantined),
  };
  const query = (sql: string): Query => ({
    query: sql,
    ...queryParameters([{ name: 'started', type: 'TIMESTAMP', value: started }]),
    defaultDataset: { datasetId: DATASET },
  });
  const took = await untilLanded(expected, query, options);
  await untilBound(query, options);
  const before = await count(
    bigquery,
    query(`SELECT COUNT(*) AS found FROM events WHERE ${ofSample} AND received_at < @started`),
  );
  const now = await count(bigquery, query(`SELECT COUNT(*) AS found FROM events WHERE ${ofThisRun}`));
  const earlier = before === 0 ? 'none of an earlier run' : `${before} of earlier runs`;
  write(
    `Sample of ${started}: ${requests.length} requests, all in BigQuery after ${(took / 1000).toFixed(1)} s.\n` +
      `events shows ${now} new events and ${earlier}.\n`,
  );
  for (const { title, sql } of reports) {
    write(`\n${title}\n${indent(formatResult(await runQuery(bigquery, query(sql)), 'table', style))}`);
  }
}

const ofSample = `project IN (${sampleProjects.map((it) => `'${it}'`).join(', ')})`;
const ofThisRun = `${ofSample} AND received_at >= @started`;

const reports = [
  {
    title: 'Events by name (view events_by_person: each event once, without those of debug 1)',
    sql: `SELECT project, name, COUNT(*) AS events, COUNT(DISTINCT person) AS people, MAX(occurred_at) AS latest
          FROM events_by_person WHERE ${ofThisRun} GROUP BY project, name ORDER BY project, events DESC, name`,
  },
  {
    title: 'Identity and profile operations (table state_log: what profiles are folded from)',
    sql: `SELECT project, kind, user_id, anonymous_id, properties FROM state_log
          WHERE ${ofThisRun} AND kind != 'item_set'
          QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY received_at, batch_id, batch_index) = 1
          ORDER BY project, occurred_at, batch_index`,
  },
  {
    title: 'Profiles (view profiles: what is known of each person now)',
    sql: `SELECT project, user_id, anonymous_id, properties, updated_at FROM profiles WHERE ${ofSample}
          ORDER BY project, user_id, anonymous_id`,
  },
  {
    title: 'Items (view items: what is known of each thing now)',
    sql: `SELECT project, item_key, item_id, properties FROM items WHERE ${ofSample}
          ORDER BY project, item_key, item_id`,
  },
  {
    title: 'Deliveries (view event_deliveries: one request was sent twice, as after a lost answer)',
    sql: `SELECT project, verdict, COUNT(*) AS events, SUM(copies) AS copies FROM event_deliveries
          WHERE ${ofSample} AND first_received_at >= @started GROUP BY project, verdict ORDER BY project, verdict`,
  },
  {
    title: 'Quarantine (view quarantine_open: what broke a rule, kept as it came)',
    sql: `SELECT project, reason, unit, COUNT(*) AS found, ANY_VALUE(detail) AS detail FROM quarantine_open
          WHERE ${ofThisRun} GROUP BY project, reason, unit ORDER BY project, reason`,
  },
];

async function send(ingestUrl: string, { path, headers, body }: SampleRequest): Promise<void> {
  const response = await fetch(ingestUrl + path, { method: 'POST', headers, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`ingest answered ${response.status} to the sample: ${answer.trim()}`);
}

async function untilLanded(
  expected: Readonly<Record<string, number>>,
  query: (sql: string) => Query,
  { bigquery, progress, withinMs = 30_000 }: SampleOptions,
): Promise<number> {
  const began = Date.now();
  const wanted = Object.values(expected).reduce((sum, it) => sum + it, 0);
  for (;;) {
    let landed = 0;
    let isComplete = true;
    for (const [table, rows] of Object.entries(expected)) {
      const found = await count(bigquery, query(`SELECT COUNT(*) AS found FROM ${table} WHERE ${ofThisRun}`));
      landed += Math.min(found, rows);
      isComplete &&= found >= rows;
    }
    progress(isComplete ? '' : `Waiting for the sample to land: ${landed} of ${wanted} rows.`);
    if (isComplete) return Date.now() - began;
    if (Date.now() - began > withinMs) {
      throw new Error(
        `Only ${landed} of ${wanted} rows of the sample were in BigQuery after ${withinMs / 1000} s.`,
      );
    }
    await wait(100);
  }
}

/**
 * Waits until fold has bound the devices of the sample, or for ten seconds: it follows by itself, and settings may have
 * fewer bound.
 */
async function untilBound(
  query: (sql: string) => Query,
  { bigquery, progress }: SampleOptions,
): Promise<void> {
  const began = Date.now();
  const bound = query(`SELECT COUNT(*) AS found FROM identity_bindings WHERE ${ofSample}`);
  progress('Waiting for fold to tell whose the devices are.');
  while ((await count(bigquery, bound)) < boundDevices && Date.now() - began < 10_000) await wait(100);
  progress('');
}

async function count(bigquery: BigQuery, query: Query): Promise<number> {
  const { rows } = await runQuery(bigquery, query);
  return Number(String((rows[0]?.found as { value?: string } | undefined)?.value ?? rows[0]?.found ?? 0));
}

function sum(requests: readonly SampleRequest[], of: (request: SampleRequest) => number): number {
  return requests.reduce((total, request) => total + of(request), 0);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
