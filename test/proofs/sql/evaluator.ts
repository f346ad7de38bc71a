import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { findFreePorts } from '../../../local/processes/ports.ts';
import { plainValue, type TypeMessage, type ValueMessage, writeType } from './evaluator-values.ts';
import { NotVerified, type ZetaSql } from './fetch-zetasql.ts';

export interface Column {
  /** Empty for a column without a name. */
  readonly name: string;
  readonly type: string;
  readonly message: TypeMessage;
}

/** What an engine answers to a query; a refusal's text ends in its position, as `at [1:8]`. */
export type Answer =
  | {
      readonly kind: 'rows';
      readonly columns: readonly Pick<Column, 'name' | 'type'>[];
      readonly rows: unknown[][];
    }
  | { readonly kind: 'refused'; readonly text: string };

export type Analysed =
  | { readonly kind: 'columns'; readonly columns: readonly Column[] }
  | { readonly kind: 'refused'; readonly text: string };

export interface TableFunctionSignature {
  readonly name: string;
  readonly arguments: readonly { name: string; type: TypeMessage }[];
  readonly columns: readonly Column[];
}

/** The names that a query may use; every name as the query writes it, dots included. */
export interface AnalyserCatalog {
  readonly tables: readonly { name: string; columns: readonly Column[] }[];
  readonly tableFunctions: readonly TableFunctionSignature[];
}

/** GoogleSQL itself. Needs no network; times without a zone are in UTC, as in BigQuery. */
export interface Evaluator {
  /** Runs a query that reads no table. */
  evaluate(sql: string): Promise<Answer>;
  /**
   * The output columns of a query or of CREATE TABLE FUNCTION ... AS; none for INSERT and MERGE. Parameters whose types are
   * not given are of those that the query asks for.
   */
  analyse(
    sql: string,
    catalog?: AnalyserCatalog,
    parameters?: Readonly<Record<string, TypeMessage>>,
  ): Promise<Analysed>;
  close(): void;
}

/** Starts the service; throws NotVerified when it does not come up within a minute. */
export async function startEvaluator({ server, protos }: ZetaSql): Promise<Evaluator> {
  const [port] = await findFreePorts(1);
  const child = spawn(server, ['localhost', String(port)], { stdio: 'ignore' });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new NotVerified(`${server} does not start: ${error.message}`)));
  });
  failed.catch(() => {});
  const call = connect(`localhost:${port}`, protos);
  await Promise.race([failed, untilServing(call, child)]);
  const language = await call<LanguageOptions>('GetLanguageOptions', { maximumFeatures: true });
  const languageOptions = {
    ...language,
    productMode: 'PRODUCT_EXTERNAL',
    reservedKeywords: ['QUALIFY'],
    supportedStatementKinds: [
      'RESOLVED_QUERY_STMT',
      'RESOLVED_CREATE_TABLE_FUNCTION_STMT',
      'RESOLVED_INSERT_STMT',
      'RESOLVED_MERGE_STMT',
    ],
  };
  const options = {
    languageOptions,
    defaultTimezone: 'UTC',
    errorMessageMode: 'ERROR_MESSAGE_ONE_LINE',
    allowUndeclaredParameters: true,
  };
  const builtin = { name: 'warehouse', builtinFunctionOptions: { languageOptions } };
  return {
    async evaluate(sql) {
      try {
        const answer = await call<QueryResponse>('EvaluateQuery', {
          sql,
          options: { ...options, allowUndeclaredParameters: false },
          simpleCatalog: builtin,
        });
        const rows = (answer.content?.tableData?.row ?? []).map(({ cell }) => (cell ?? []).map(plainValue));
        return { kind: 'rows', columns: (answer.prepared?.columns ?? []).map(readColumn), rows };
      } catch (error) {
        return { kind: 'refused', text: refusalOf(error) };
      }
    },
    async analyse(sql, catalog, parameters = {}) {
      try {
        const queryParameters = Object.entries(parameters).map(([name, type]) => ({ name, type }));
        const answer = await call<AnalyseResponse>('Analyze', {
          options: { ...options, queryParameters },
          simpleCatalog: { ...builtin, ...(catalog && catalogMessage(catalog)) },
          sqlStatement: sql,
        });
        const { resolvedQueryStmtNode: query, resolvedCreateStatementNode: created } =
          answer.resolvedStatement;
        const columns = (query ?? created?.resolvedCreateTableFunctionStmtNode)?.outputColumnList ?? [];
        return {
          kind: 'columns',
          columns: columns.map(({ name, column }) => readColumn({ name, type: column?.type })),
        };
      } catch (error) {
        return { kind: 'refused', text: refusalOf(error) };
      }
    },
    close: () => void child.kill(),
  };
}

interface LanguageOptions {
  readonly enabledLanguageFeatures?: string[];
}

interface ColumnMessage {
  name?: string | undefined;
  type?: TypeMessage | undefined;
}

interface QueryResponse {
  content?: { tableData?: { row?: { cell?: ValueMessage[] }[] } };
  prepared?: { columns?: ColumnMessage[] };
}

interface Output {
  outputColumnList?: { name?: string; column?: { type?: TypeMessage } }[];
}

interface AnalyseResponse {
  resolvedStatement: {
    resolvedQueryStmtNode?: Output;
    resolvedCreateStatementNode?: { resolvedCreateTableFunctionStmtNode?: Output };
  };
}

type Call = <T>(method: string, request: object) => Promise<T>;

function connect(address: string, protos: string): Call {
  const definition = loadSync('local_service.proto', {
    includeDirs: [protos],
    defaults: false,
    longs: String,
    enums: String,
  });
  const service = definition['zetasql.local_service.ZetaSqlLocalService'] as ServiceDefinition;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  return <T>(name: string, request: object) =>
    new Promise<T>((resolve, reject) => {
      const method = service[name];
      if (method === undefined) throw new Error(`the service has no ${name}`);
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error, answer) => (error ? reject(error) : resolve(answer as T)),
      );
    });
}

async function untilServing(call: Call, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 240 && child.exitCode === null; attempt++) {
    try {
      await call('FormatSql', { sql: 'SELECT 1' });
      return;
    } catch {
      await wait(250);
    }
  }
  child.kill();
  throw new NotVerified('the service of GoogleSQL does not answer');
}

const UNAVAILABLE = 14;

function refusalOf(error: unknown): string {
  const { code, details } = error as ServiceError;
  if (code === undefined) throw error;
  if (code === UNAVAILABLE) throw new NotVerified(`the service of GoogleSQL is gone: ${details}`);
  return details.replace(/\[at (\d+:\d+)\]$/, 'at [$1]');
}

function readColumn({ name = '', type = {} }: ColumnMessage): Column {
  return { name: name.startsWith('$') ? '' : name, type: writeType(type), message: type };
}

function catalogMessage({ tables, tableFunctions }: AnalyserCatalog): object {
  const columnsOf = (columns: readonly Column[]) =>
    columns.map(({ name, message }) => ({ name, type: message }));
  return {
    table: tables.map(({ name, columns }, index) => ({
      name,
      serializationId: index + 1,
      column: columnsOf(columns),
    })),
    customTvf: tableFunctions.map(({ name, arguments: list, columns }) => ({
      namePath: [name],
      type: 'FIXED_OUTPUT_SCHEMA_TVF',
      signature: {
        argument: list.map((one) => ({
          kind: 'ARG_TYPE_FIXED',
          type: one.type,
          numOccurrences: 1,
          options: { cardinality: 'REQUIRED', argumentName: one.name },
        })),
        returnType: {
          kind: 'ARG_TYPE_RELATION',
          options: { relationInputSchema: { column: columnsOf(columns) } },
        },
      },
    })),
  };
}
