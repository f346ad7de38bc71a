import { parseArgs } from 'node:util';
import type { QueryParameter } from './terminal/run-query.ts';

export interface QueryOptions {
  /** Undefined: to be read from the standard input. */
  sql: string | undefined;
  format: Format;
  parameters: readonly QueryParameter[];
  dryRun: boolean;
  timeoutSeconds: number;
  dataset: string;
  port: number;
}

const formats = ['table', 'json', 'csv'] as const;
export type Format = (typeof formats)[number];

export type ParsedQuery =
  | { kind: 'options'; options: QueryOptions }
  | { kind: 'help'; text: string }
  | { kind: 'invalid'; message: string };

const HELP = `Runs GoogleSQL on the local BigQuery of npm start.

Usage: npm run query -- "SELECT name, COUNT(*) AS times FROM events GROUP BY name" [FLAGS]
       npm run --silent query -- --format csv < report.sql > report.csv

  --format FORMAT        table, json (one array, a row per line) or csv (RFC 4180; NULL is empty)   table
  --param NAME=VALUE     a value for @NAME, as often as needed. Its type follows from its form (INT64, FLOAT64,
                         BOOL, DATE, TIMESTAMP with a time zone, else STRING) or is given: NAME:TYPE=VALUE
  --dry-run              check the query and tell its columns and what it would read, without running it
  --timeout SECONDS      cancel a query that takes longer                                           60
  --dataset NAME         where bare table names are looked up                                       tributary
  --port NUMBER          the port of the local BigQuery, BIGQUERY_PORT                              9050
  --help                 this text

Without a query it is read from the standard input. Errors go to the standard error, with exit code 1.
`;

/** Reads flags, then environment variables, then defaults. */
export function parseQuery(args: string[], environment: NodeJS.ProcessEnv): ParsedQuery {
  const parsed = readFlags(args);
  if (parsed.kind === 'invalid') return parsed;
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help', text: HELP };
  if (positionals.length > 1) {
    return invalid(`One query is expected, not ${positionals.length}: put quotes around it.`);
  }
  const format = formats.find((one) => one === values.format);
  if (format === undefined) {
    return invalid(`--format must be ${formats.join(', ')}, not ${JSON.stringify(values.format)}.`);
  }
  const port = values.port ?? (environment.BIGQUERY_PORT || '9050');
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    return invalid(
      `--port (BIGQUERY_PORT) must be a whole number from 1 to 65535, not ${JSON.stringify(port)}.`,
    );
  }
  const timeoutSeconds = Number(values.timeout);
  if (!(timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS)) {
    return invalid(
      `--timeout must be a number of seconds up to ${MAX_TIMEOUT_SECONDS}, not ${JSON.stringify(values.timeout)}.`,
    );
  }
  const parameters: QueryParameter[] = [];
  for (const text of values.param ?? []) {
    const parameter = readParameter(text);
    if (typeof parameter === 'string') return invalid(parameter);
    parameters.push(parameter);
  }
  return {
    kind: 'options',
    options: {
      sql: positionals[0],
      format,
      parameters,
      dryRun: values['dry-run'] ?? false,
      timeoutSeconds,
      dataset: values.dataset,
      port: Number(port),
    },
  };
}

/** BigQuery lets a query run for six hours. */
const MAX_TIMEOUT_SECONDS = 21_600;

const types = [
  'STRING',
  'INT64',
  'FLOAT64',
  'BOOL',
  'TIMESTAMP',
  'DATE',
  'DATETIME',
  'TIME',
  'JSON',
  'NUMERIC',
];

/** `name=value` or `name:TYPE=value`; a string says what is wrong. */
function readParameter(text: string): QueryParameter | string {
  const match = /^([A-Za-z_]\w*)(?::([A-Za-z0-9]+))?=(.*)$/s.exec(text);
  if (match === null) return `--param must be NAME=VALUE or NAME:TYPE=VALUE, not ${JSON.stringify(text)}.`;
  const [, name = '', given, value = ''] = match;
  const type = given?.toUpperCase() ?? inferType(value);
  if (!types.includes(type))
    return `--param ${name}: the type must be one of ${types.join(', ')}, not ${given}.`;
  if (type === 'BOOL' && !/^(true|false)$/i.test(value)) {
    return `--param ${name}: a BOOL must be true or false, not ${JSON.stringify(value)}.`;
  }
  return { name, type, value };
}

function inferType(value: string): string {
  if (/^[+-]?\d{1,19}$/.test(value)) return 'INT64';
  if (/^[+-]?(\d+\.\d*|\.\d+|\d+)(e[+-]?\d+)?$/i.test(value)) return 'FLOAT64';
  if (/^(true|false)$/i.test(value)) return 'BOOL';
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return 'DATE';
  if (/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$/.test(value))
    return 'TIMESTAMP';
  return 'STRING';
}

function flagsOf(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      format: { type: 'string', default: 'table' },
      param: { type: 'string', multiple: true },
      'dry-run': { type: 'boolean' },
      timeout: { type: 'string', default: '60' },
      dataset: { type: 'string', default: 'tributary' },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function readFlags(
  args: string[],
): ({ kind: 'flags' } & ReturnType<typeof flagsOf>) | { kind: 'invalid'; message: string } {
  try {
    return { kind: 'flags', ...flagsOf(args) };
  } catch (error) {
    return invalid(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

function invalid(message: string): { kind: 'invalid'; message: string } {
  return { kind: 'invalid', message };
}
