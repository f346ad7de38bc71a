import type { Expression, FromItem, Name, Query } from './ast.ts';
import type { Position } from './errors.ts';

/** Statements that change rows, as written: https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax */
export type Dml =
  | {
      kind: 'insert';
      target: DmlTarget;
      columns?: Name[];
      source: { kind: 'query'; query: Query } | { kind: 'values'; rows: ValueRow[] };
      at: Position;
    }
  | {
      kind: 'update';
      target: DmlTarget;
      assignments: Assignment[];
      from?: FromItem;
      where: Expression;
      at: Position;
    }
  | { kind: 'delete'; target: DmlTarget; where: Expression; at: Position }
  | {
      kind: 'merge';
      target: DmlTarget;
      source: FromItem;
      on: Expression;
      clauses: MergeClause[];
      at: Position;
    };

export interface DmlTarget {
  path: Name[];
  alias?: Name;
  at: Position;
}

export type DmlValue = Expression | { kind: 'default'; at: Position };

export interface ValueRow {
  values: DmlValue[];
  at: Position;
}

export interface Assignment {
  column: Name;
  /** The target's name or alias before the column, where written. */
  qualifier?: Name;
  value: DmlValue;
}

export interface MergeClause {
  when: 'MATCHED' | 'NOT MATCHED BY TARGET' | 'NOT MATCHED BY SOURCE';
  and?: Expression;
  action:
    | { kind: 'update'; assignments: Assignment[] }
    | { kind: 'delete' }
    /** Without values: INSERT ROW. */
    | { kind: 'insert'; columns?: Name[]; values?: DmlValue[] };
  at: Position;
}
