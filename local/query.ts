import { text } from 'node:stream/consumers';
import type { BigQuery, Query } from '@google-cloud/bigquery';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { PROJECT } from './index.ts';
import { isListening } from './processes/ports.ts';
import { type Format, parseQuery } from './query-options.ts';
import { isNumeric, toCell, toJson, toReadable } from './terminal/cell-values.ts';
import { formatTable, styleOf, type TableStyle } from './terminal/format-table.ts';
import { type QueryResult, queryParameters, runQuery } from './terminal/run-query.ts';
import { exitOnClosedOutput, writeOut } from './terminal/write-out.ts';

/** A result as text that ends with a new line; `style` is for tables. */
export function formatResult({ fields, rows }: QueryResult, format: Format, style: TableStyle): string {
  const cells = (nothing: string, readable: boolean) =>
    rows.map((row) =>
      fields.map((field) => {
        const cell = toCell(row[field.name ?? ''], field);
        if (cell === undefined) return nothing;
        return readable ? toReadable(cell, field) : cell;
      }),
    );
  const names = fields.map(({ name }) => name ?? '');
  switch (format) {
    case 'table': {
      const columns = fields.map((field) => ({
        name: field.name ?? '',
        align: isNumeric(field) ? ('right' as const) : ('left' as const),
      }));
      return `${formatTable(columns, cells('NULL', true), style).join('\n')}\n`;
    }
    case 'json': {
      const lines = rows.map((row) =>
        JSON.stringify(
          Object.fromEntries(fields.map((field) => [field.name, toJson(row[field.name ?? ''], field)])),
        ),
      );
      return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
    }
    case 'csv':
      return [names, ...cells('', false)].map((row) => `${row.map(quoteCsv).join(',')}\r\n`).join('');
  }
}

function quoteCsv(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

async function main(): Promise<void> {
  exitOnClosedOutput();
  const parsed = parseQuery(process.argv.slice(2), process.env);
  if (parsed.kind === 'help') return writeOut(parsed.text);
  if (parsed.kind === 'invalid') return fail(parsed.message);
  const { options } = parsed;
  if (options.sql === undefined && process.stdin.isTTY) {
    return fail('There is no query: npm run query -- "SELECT ..." (--help tells more).');
  }
  const sql = options.sql ?? (await text(process.stdin));
  if (sql.trim() === '') return fail('The query is empty.');
  // The client would try for a minute before it says so.
  if (!(await isListening(options.port))) {
    return fail(
      `Nothing listens on port ${options.port}: start the local BigQuery with npm start, or name its port with --port (BIGQUERY_PORT).`,
    );
  }
  const bigquery = createBigQuery(PROJECT, { LOCAL_BIGQUERY: `127.0.0.1:${options.port}` });
  const query: Query = {
    query: sql,
    useLegacySql: false,
    defaultDataset: { datasetId: options.dataset },
    ...queryParameters(options.parameters),
  };
  try {
    if (options.dryRun) await writeOut(await dryRun(bigquery, query));
    else {
      const result = await runQuery(bigquery, query, options.timeoutSeconds * 1000);
      await writeOut(formatResult(result, options.format, styleOf(process.stdout)));
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    // A request that is never answered must not keep the process; whatever is answered ends it at once.
    setTimeout(() => process.exit(), 2_000).unref();
  }
}

async function dryRun(bigquery: BigQuery, query: Query): Promise<string> {
  const [job] = await bigquery.createQueryJob({ ...query, dryRun: true });
  const { statistics } = job.metadata as {
    statistics?: {
      totalBytesProcessed?: string;
      query?: { schema?: { fields?: { name: string; type: string; mode?: string }[] } };
    };
  };
  const fields = statistics?.query?.schema?.fields ?? [];
  const rows = fields.map(({ name, type, mode }) => [name, mode === 'REPEATED' ? `ARRAY<${type}>` : type]);
  const columns = [
    { name: 'column', align: 'left' as const },
    { name: 'type', align: 'left' as const },
  ];
  const lines = formatTable(columns, rows, styleOf(process.stdout));
  return `${lines.join('\n')}\n\nThe query is valid and would read ${statistics?.totalBytesProcessed ?? '0'} bytes.\n`;
}

function fail(message: string): void {
  process.stderr.write(`${message.trimEnd()}\n`);
  process.exitCode = 1;
}

if (import.meta.main) await main();
