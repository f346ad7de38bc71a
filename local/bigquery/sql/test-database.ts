import { DuckDBInstance } from '@duckdb/node-api';
import {
  type Catalog,
  type Field,
  type QueryParameter,
  setUpMacros,
  type Translated,
  translate,
} from './index.ts';

/** A small warehouse in memory for the tests of the translator. */
export interface TestDatabase {
  translate(sql: string, parameters?: QueryParameter[]): Translated;
  /** The rows of a query, as DuckDB writes them in JSON. */
  query(sql: string, parameters?: QueryParameter[]): Promise<unknown[][]>;
  close(): void;
}

const field = (name: string, type: Field['type'], mode: Field['mode'] = 'NULLABLE'): Field => ({
  name,
  type,
  mode,
});

const eventLog: Field[] = [
  field('event_id', 'STRING', 'REQUIRED'),
  field('request_hash', 'STRING'),
  field('kind', 'STRING'),
  field('name', 'STRING'),
  field('anonymous_id', 'STRING'),
  field('occurred_at', 'TIMESTAMP'),
  field('received_at', 'TIMESTAMP'),
  field('debug', 'INTEGER', 'REQUIRED'),
  field('properties', 'JSON'),
  field('warnings', 'STRING', 'REPEATED'),
  field('batch_id', 'STRING'),
  field('batch_index', 'INTEGER'),
];

const tracks = (
  source: string,
): string => `SELECT * EXCEPT (kind, debug) FROM ${source} WHERE kind = 'track' AND debug != 1
  QUALIFY ROW_NUMBER() OVER (PARTITION BY occurred_at, event_id ORDER BY received_at, batch_id, batch_index) = 1`;

const views: Record<string, string> = {
  events: tracks('`tributary.event_log`'),
  cycle: 'SELECT * FROM tributary.cycle',
};

export const testCatalog: Catalog = {
  defaultProject: 'local',
  hasDataset: (_, datasetId) => datasetId === 'tributary',
  relation({ datasetId, tableId }) {
    if (datasetId !== 'tributary') return undefined;
    if (tableId === 'event_log')
      return { kind: 'table', duckdbName: 'tributary.event_log', fields: eventLog };
    const query = views[tableId];
    return query === undefined ? undefined : { kind: 'view', query };
  },
  tableFunction({ routineId }) {
    if (routineId !== 'events_between') return undefined;
    return {
      arguments: [
        { name: 'from_time', type: 'TIMESTAMP' },
        { name: 'to_time', type: 'TIMESTAMP' },
      ],
      body: tracks(
        '(SELECT * FROM tributary.event_log WHERE occurred_at >= from_time AND occurred_at < to_time)',
      ),
    };
  },
};

const row = (id: string, hash: string, name: string, hour: number, debug: number, rest: string): string =>
  `('${id}', '${hash}', 'track', '${name}', 'a${hour}', '2026-01-01 ${hour}:00:00+00', '2026-01-01 ${hour}:00:0${hash.slice(1)}+00', ${debug}, ${rest}, 0)`;

export async function openTestDatabase(now = new Date('2026-03-01T00:00:00Z')): Promise<TestDatabase> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(setUpMacros());
  await connection.run(`CREATE SCHEMA tributary;
    CREATE TABLE tributary.event_log (event_id VARCHAR, request_hash VARCHAR, kind VARCHAR, name VARCHAR, anonymous_id VARCHAR,
      occurred_at TIMESTAMPTZ, received_at TIMESTAMPTZ, debug BIGINT, properties JSON, warnings VARCHAR[], batch_id VARCHAR, batch_index BIGINT);
    INSERT INTO tributary.event_log VALUES
      ${row('e1', 'h1', 'buy', 10, 0, `'{"n":12345678901234567,"price":1.5,"q":"x"}', ['w1', 'w2'], 'b1'`)},
      ${row('e1', 'h2', 'buy', 10, 0, `'{"price":9}', [], 'b2'`)},
      ${row('e2', 'h3', 'buy', 11, 0, `'{}', [], 'b3'`)},
      ${row('e3', 'h4', 'see', 12, 1, `'{}', [], 'b4'`)}`);
  const run = (sql: string, parameters: QueryParameter[] = []): Translated =>
    translate(sql, { catalog: testCatalog, parameters, now });
  return {
    translate: run,
    async query(sql, parameters) {
      const result = await connection.runAndReadAll(run(sql, parameters).sql);
      return result.getRowsJson();
    },
    close: () => instance.closeSync(),
  };
}

/** Rows of DuckDB's JSON, written as `cases.ts` writes them. */
export const plainRows = (rows: readonly (readonly unknown[])[], schema: readonly Field[]): unknown[][] =>
  rows.map((row) => row.map((value, index) => plain(value, schema[index]!)));

function plain(value: unknown, field: Field): unknown {
  if (value === null || value === undefined) return null;
  if (field.mode === 'REPEATED' && Array.isArray(value)) {
    return value.map((element) => plain(element, { ...field, mode: 'NULLABLE' }));
  }
  if (field.fields && typeof value === 'object') {
    const members = Object.values(value);
    return field.fields.map((member, index) => plain(members[index], member));
  }
  if (field.type === 'FLOAT' && typeof value === 'number') return Number(value.toPrecision(15));
  if (field.type === 'BYTES' && typeof value === 'string') {
    const bytes = value.replaceAll(
      /\\x([0-9A-F]{2})|[\s\S]/g,
      (one, hex) => hex ?? one.charCodeAt(0).toString(16),
    );
    return `bytes:${bytes.toLowerCase()}`;
  }
  return value;
}
