import type { Field } from './types.ts';

/** What a caller of the translator gives and gets; parameters are as BigQuery's REST API sends them. */

export interface TableReference {
  projectId: string;
  datasetId: string;
  tableId: string;
}

export interface RoutineReference {
  projectId: string;
  datasetId: string;
  routineId: string;
}

export type Relation =
  | {
      kind: 'table';
      /** Quoted, ready to follow FROM. */
      duckdbName: string;
      fields: Field[];
      partitionField?: string;
    }
  | {
      kind: 'view';
      /** GoogleSQL. */
      query: string;
    };

export interface TableFunction {
  arguments: { name: string; type: Field['type'] }[];
  /** GoogleSQL. */
  body: string;
}

export interface Catalog {
  defaultProject: string;
  defaultDataset?: { projectId: string; datasetId: string };
  relation(reference: TableReference): Relation | undefined;
  hasDataset(projectId: string, datasetId: string): boolean;
  tableFunction(reference: RoutineReference): TableFunction | undefined;
}

export interface ParameterType {
  type: string;
  arrayType?: ParameterType;
  structTypes?: { name?: string; type: ParameterType }[];
}

export interface ParameterValue {
  value?: string | null;
  arrayValues?: ParameterValue[];
  structValues?: Record<string, ParameterValue>;
}

export interface QueryParameter {
  name?: string;
  type: ParameterType;
  value: ParameterValue;
}

export type Translated = TranslatedQuery | TranslatedChange;

export interface TranslatedQuery {
  kind: 'select';
  /** DuckDB SQL with the parameters inside; its columns are those of `schema`, in order. */
  sql: string;
  schema: Field[];
  /** The tables that the query reads, those behind views included. */
  referencedTables: TableReference[];
}

/** A statement that changes the rows of one table. */
export interface TranslatedChange {
  kind: 'insert' | 'update' | 'delete' | 'merge';
  /**
   * DuckDB SQL of the rows to change: `action` ('insert', 'update' or 'delete'), `row` (the rowid of the stored row that
   * goes; NULL for an insert), and `c0`, `c1`, ... (the whole new row, in the order of `target.fields`).
   */
  sql: string;
  /** Such a statement answers no rows. */
  schema: Field[];
  referencedTables: TableReference[];
  /** Whether it may change or delete rows that the table holds, rather than only insert. */
  changesStored: boolean;
  target: { reference: TableReference; duckdbName: string; fields: readonly Field[] };
}
