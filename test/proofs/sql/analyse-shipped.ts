import type { AnalyserCatalog, Column, Evaluator, TableFunctionSignature } from './evaluator.ts';
import { type TypeMessage, writeType } from './evaluator-values.ts';
import {
  readDocumentedQueries,
  readFoldStatements,
  readQueryFiles,
  readTables,
  readViews,
  type ShippedQuery,
  type ShippedTable,
  type ShippedView,
} from './shipped-sql.ts';

export interface ShippedAnalysis {
  readonly views: number;
  readonly tableFunctions: number;
  /** The `.sql` files that are no views. */
  readonly queryFiles: number;
  /** Those that fold runs. */
  readonly foldStatements: number;
  readonly documentedQueries: number;
  /** As `file:line:column: what GoogleSQL says`. */
  readonly refusals: readonly string[];
}

type Relation = AnalyserCatalog['tables'][number];

/** Has GoogleSQL's analyser read every view, table function, file of a query, statement of fold and documented query, over the tables of `infra/tables`. */
export async function analyseShipped(evaluator: Evaluator): Promise<ShippedAnalysis> {
  const tables: Relation[] = readTables().map(columnsOfTable);
  const tableFunctions: TableFunctionSignature[] = [];
  const refusals: string[] = [];
  // A view may read another: what is refused is tried again while there are more of them.
  const views = readViews();
  let waiting = views;
  for (let known = -1; waiting.length > 0 && known < tables.length + tableFunctions.length; ) {
    known = tables.length + tableFunctions.length;
    refusals.length = 0;
    const refused: ShippedView[] = [];
    for (const view of waiting) {
      const isRoutine = view.arguments.length > 0;
      const prefix = isRoutine ? `CREATE TABLE FUNCTION made(${writeArguments(view)}) AS\n` : '';
      const answer = await evaluator.analyse(prefix + view.sql, named(tables, tableFunctions));
      if (answer.kind === 'refused') {
        refused.push(view);
        refusals.push(place({ ...view, line: isRoutine ? 0 : 1 }, answer.text));
      } else if (isRoutine) {
        tableFunctions.push({
          name: view.name,
          arguments: view.arguments.map(({ name, type }) => ({ name, type: typeOf(type) })),
          columns: answer.columns,
        });
      } else tables.push({ name: view.name, columns: answer.columns });
    }
    waiting = refused;
  }
  const documented = readDocumentedQueries();
  const files = readQueryFiles();
  const ofFold = readFoldStatements();
  for (const query of [...files, ...ofFold, ...documented]) {
    const answer = await evaluator.analyse(query.sql, named(tables, tableFunctions), parameterTypes);
    if (answer.kind === 'refused') refusals.push(place(query, answer.text));
  }
  const routines = views.filter((view) => view.arguments.length > 0).length;
  return {
    views: views.length - routines,
    tableFunctions: routines,
    queryFiles: files.length,
    foldStatements: ofFold.length,
    documentedQueries: documented.length,
    refusals,
  };
}

/** Every name with its dataset, which BigQuery's quotes may hold, and without it, as the default dataset allows. */
function named(tables: readonly Relation[], routines: readonly TableFunctionSignature[]): AnalyserCatalog {
  const both = <T extends { name: string }>(list: readonly T[]) =>
    list.flatMap((one) => [one, { ...one, name: `tributary.${one.name}` }]);
  return { tables: both(tables), tableFunctions: both(routines) };
}

function columnsOfTable({ name, schema }: ShippedTable): Relation {
  const columns = schema.map((field): Column => {
    const scalar = typeOf(field.type);
    const message =
      field.mode === 'REPEATED' ? { typeKind: 'TYPE_ARRAY', arrayType: { elementType: scalar } } : scalar;
    return { name: field.name, type: writeType(message), message };
  });
  return { name, columns };
}

const kinds: Readonly<Record<string, string>> = {
  INTEGER: 'INT64',
  FLOAT: 'DOUBLE',
  FLOAT64: 'DOUBLE',
  BOOLEAN: 'BOOL',
};

const typeOf = (type: string) => ({ typeKind: `TYPE_${kinds[type] ?? type}` });

const arrayOf = (elementType: TypeMessage): TypeMessage => ({
  typeKind: 'TYPE_ARRAY',
  arrayType: { elementType },
});

const arrayOfStructs = (fields: Readonly<Record<string, string>>): TypeMessage =>
  arrayOf({
    typeKind: 'TYPE_STRUCT',
    structType: {
      field: Object.entries(fields).map(([fieldName, type]) => ({ fieldName, fieldType: typeOf(type) })),
    },
  });

const person = { project: 'STRING', user_key: 'STRING', user_id: 'STRING', anonymous_id: 'STRING' };
const persons = arrayOfStructs(person);

const device = { project: 'STRING', anonymous_id: 'STRING' };
const user = { project: 'STRING', user_key: 'STRING', user_id: 'STRING' };
const claim = { bucket: 'INT64', ...user, ...device, event_id: 'STRING', occurred_micros: 'INT64' };
const batch = { received_micros: 'INT64', batch_id: 'STRING', batch_index: 'INT64' };

const ofBindings = {
  projects: arrayOf(typeOf('STRING')),
  devices: arrayOfStructs(device),
  users: arrayOfStructs(user),
  pairs: arrayOfStructs({ ...claim, ...batch, dialect: 'STRING', replaces: 'STRING' }),
  bindings: arrayOfStructs({ ...claim, policy: 'STRING', claim_order: 'STRING', replaces: 'STRING' }),
};

/** Of the parameters of fold's and the reports' statements that are arrays: the analyser cannot tell what of. */
const parameterTypes: Readonly<Record<string, TypeMessage>> = {
  ...ofBindings,
  dates: arrayOf(typeOf('STRING')),
  ladder: arrayOf(typeOf('INT64')),
  slices: arrayOfStructs({ from_time: 'TIMESTAMP', to_time: 'TIMESTAMP' }),
  policies: arrayOfStructs({ project: 'STRING', policy: 'STRING', claim_order: 'STRING' }),
  voided: arrayOfStructs({ project: 'STRING', event_id: 'STRING' }),
  buckets: arrayOf(typeOf('INT64')),
  carried_buckets: arrayOf(typeOf('INT64')),
  person_buckets: arrayOf(typeOf('INT64')),
  carried: arrayOfStructs({ ...person, updated_at: 'INT64', dialect: 'STRING', events: 'STRING' }),
  persons,
  dirty: persons,
};

const writeArguments = (view: ShippedView): string =>
  view.arguments.map(({ name, type }) => `${name} ${type}`).join(', ');

/** The refusal, its position turned from one in the query to one in the file. */
function place({ file, line, column }: ShippedQuery, text: string): string {
  const [, message = text, row = '1', place = '1'] = /^([\s\S]*) at \[(\d+):(\d+)\]$/.exec(text) ?? [];
  const first = Number(row) === 1;
  return `${file}:${line + Number(row) - 1}:${first ? column + Number(place) - 1 : place}: ${message}`;
}
