import type { Dml, MergeClause } from './ast-dml.ts';
import { invalid, type Position } from './errors.ts';
import {
  assigned,
  type ChangedTable,
  clauseScope,
  insertedColumns,
  insertedValues,
  numbered,
  refuseSameNames,
  updatedValues,
  valuesOfRow,
} from './resolve-dml.ts';
import { type ResolvedFrom, resolveFrom } from './resolve-from.ts';
import { condition } from './resolve-select.ts';
import { type Context, emptyScope } from './scope.ts';
import type { Field } from './types.ts';

type Merge = Dml & { kind: 'merge' };

/** Names in DuckDB that no column has to have: the clause that a row falls to, and the mark of a row of the source. */
const CLAUSE = '"#clause"';
const SOURCE = '"#source"';

/**
 * The rows that a MERGE changes, as ResolvedChange has them: a join of target and source, of which each row falls to
 * the first clause that takes it.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#merge_statement
 */
export function resolveMerge(merge: Merge, target: ChangedTable, context: Context): string {
  const source = resolveFrom(merge.source, emptyScope(context));
  const variables = [target.variable, ...source.variables];
  refuseSameNames(variables, merge.source.at);
  const on = condition(merge.on, clauseScope(context, variables, 'MERGE ON clause'), 'MERGE ON');
  const alias = source.sql.slice(source.sql.lastIndexOf(' ') + 1);

  const clauses = merge.clauses.map((clause) => {
    const visible = visibleIn(clause, target, source);
    const and = clause.and && condition(clause.and, clauseScope(context, visible, 'WHEN clause'), 'WHEN');
    return {
      action: clause.action.kind,
      when: `${fallsTo(clause, target, alias)}${and === undefined ? '' : ` AND ${and}`}`,
      values: newValues(clause, target, source, context),
    };
  });
  const choose = (branches: readonly { index: number; sql: string }[]): string =>
    branches.length === 0
      ? 'NULL'
      : `CASE ${CLAUSE} ${branches.map(({ index, sql }) => `WHEN ${index} THEN ${sql}`).join(' ')} END`;
  const falls = clauses.map(({ when }, index) => `WHEN ${when} THEN ${index}`).join(' ');
  const columns = target.fields.map((_, column) =>
    choose(clauses.flatMap(({ values }, index) => (values ? [{ index, sql: values[column]! }] : []))),
  );
  const action = choose(clauses.map((clause, index) => ({ index, sql: `'${clause.action}'` })));
  return `SELECT * EXCLUDE (${CLAUSE}) FROM (SELECT CASE ${falls} END AS ${CLAUSE}, ${action} AS action, ${target.alias}.rowid AS "row", ${numbered(columns)} FROM ${target.sql} ${joinType(merge.clauses)} JOIN (SELECT *, true AS ${SOURCE} FROM ${source.sql}) AS ${alias} ON ${on}) WHERE ${CLAUSE} IS NOT NULL`;
}

/** Only the rows that some clause may take are joined. */
function joinType(clauses: readonly MergeClause[]): string {
  const keepsSource = clauses.some(({ when }) => when === 'NOT MATCHED BY TARGET');
  const keepsTarget = clauses.some(({ when }) => when === 'NOT MATCHED BY SOURCE');
  if (keepsSource && keepsTarget) return 'FULL';
  if (keepsSource) return 'RIGHT';
  return keepsTarget ? 'LEFT' : 'INNER';
}

function fallsTo({ when }: MergeClause, target: ChangedTable, source: string): string {
  switch (when) {
    case 'MATCHED':
      return `${target.alias}.rowid IS NOT NULL AND ${source}.${SOURCE} IS NOT NULL`;
    case 'NOT MATCHED BY TARGET':
      return `${target.alias}.rowid IS NULL`;
    case 'NOT MATCHED BY SOURCE':
      return `${source}.${SOURCE} IS NULL`;
  }
}

function visibleIn({ when }: MergeClause, target: ChangedTable, source: ResolvedFrom) {
  switch (when) {
    case 'MATCHED':
      return [target.variable, ...source.variables];
    case 'NOT MATCHED BY TARGET':
      return source.variables;
    case 'NOT MATCHED BY SOURCE':
      return [target.variable];
  }
}

/** The whole row that a clause puts; undefined where it puts none. */
function newValues(
  clause: MergeClause,
  target: ChangedTable,
  source: ResolvedFrom,
  context: Context,
): string[] | undefined {
  const scope = clauseScope(context, visibleIn(clause, target, source), 'MERGE clause');
  const { action, at } = clause;
  switch (action.kind) {
    case 'delete':
      return undefined;
    case 'update':
      return updatedValues(action.assignments, target, scope);
    case 'insert': {
      const columns = insertedColumns(action.columns, target);
      const values =
        action.values === undefined
          ? sourceRow(source, columns, at)
          : insertedValues({ values: action.values, at }, columns, scope);
      return valuesOfRow(target, columns, values);
    }
  }
}

/** INSERT ROW: the source's columns, in order. */
function sourceRow(source: ResolvedFrom, columns: readonly Field[], at: Position): string[] {
  const given = source.variables.flatMap((variable) => variable.columns);
  if (given.length !== columns.length) {
    throw invalid(`Inserted row has wrong column count; Has ${given.length}, expected ${columns.length}`, at);
  }
  return given.map((column, index) => {
    const field = columns[index]!;
    return assigned(column, field, at, (found, wanted) => {
      return `Value has type ${found} which cannot be inserted into column ${field.name}, which has type ${wanted}`;
    });
  });
}
