import type { Name, WindowSpecification } from './ast.ts';
import { invalid, type Position } from './errors.ts';
import type { Fragment } from './fragment.ts';
import type { Catalog, QueryParameter, TableReference } from './interface.ts';
import { quoteName, type SqlType, structFieldName } from './types.ts';

/** What one translation knows and gathers. */
export interface Context {
  catalog: Catalog;
  parameters: readonly QueryParameter[];
  now: Date;
  /** Arguments of the table function whose body is being resolved. */
  arguments: ReadonlyMap<string, Fragment>;
  /** The views and functions entered on the way here, so that a cycle is seen. */
  entered: readonly string[];
  referencedTables: Map<string, TableReference>;
  names: { count: number };
}

export interface Column {
  name?: string;
  /** The column as an expression, qualified by its generated alias. */
  sql: string;
  type: SqlType;
}

/** Something FROM brought in: its columns, and the name they may be qualified by. */
export interface RangeVariable {
  name?: string;
  columns: Column[];
  /** What the name stands for by itself when that is not a struct of the columns: an element of an array. */
  value?: Fragment;
}

export interface Grouping {
  /** The scope before grouping, in which keys and the arguments of aggregates are resolved. */
  base: Scope;
  alias: string;
  keys: { sql: string; column: Fragment }[];
  aggregates: { sql: string; column: Fragment }[];
}

export interface NamedQuery {
  sqlName: string;
  columns: { name?: string; id: string; type: SqlType }[];
  isValue: boolean;
}

export interface Scope {
  context: Context;
  parent?: Scope;
  variables: RangeVariable[];
  /** The columns that JOIN USING made one. */
  merged: Column[];
  queries: ReadonlyMap<string, NamedQuery>;
  /** Aliases of the select list, where they may be used; `first` where they win over columns (ORDER BY). */
  aliases?: { first: boolean; byName: ReadonlyMap<string, Fragment> };
  grouping?: Grouping;
  windows: ReadonlyMap<string, WindowSpecification>;
  /** Why an aggregate or window function may not stand here; undefined where it may. */
  clause?: string;
}

export function emptyScope(context: Context, from?: Scope): Scope {
  return {
    context,
    ...(from && { parent: from }),
    variables: [],
    merged: [],
    queries: from?.queries ?? new Map(),
    windows: new Map(),
  };
}

/** A name that nothing else in the translation has. */
export function freshName(context: Context, prefix: string): string {
  context.names.count++;
  return `${prefix}${context.names.count}`;
}

export interface Found {
  fragment: Fragment;
  /** How many names of the path the fragment stands for. */
  used: number;
  owner: Scope;
}

/** Finds what a path begins with, in this scope or the ones around it; undefined when nothing has that name. */
export function lookUp(names: Name[], scope: Scope): Found | undefined {
  for (let owner: Scope | undefined = scope; owner; owner = owner.parent) {
    const found = lookUpHere(names, owner);
    if (found) return { ...found, owner };
  }
  const argument = scope.context.arguments.get(names[0]!.text.toLowerCase());
  return argument && { fragment: argument, used: 1, owner: scope };
}

function lookUpHere(names: Name[], scope: Scope): Omit<Found, 'owner'> | undefined {
  const { text: first, at } = names[0]!;
  const second = names[1]?.text;
  const alias = scope.aliases?.byName.get(first.toLowerCase());
  if (alias && scope.aliases?.first) return { fragment: alias, used: 1 };
  const variable = scope.variables.find((candidate) => sameName(candidate.name, first));
  if (variable && second !== undefined && !variable.value) {
    const columns = variable.columns.filter((column) => sameName(column.name, second));
    if (columns.length > 1) throw invalid(`Column name ${second} is ambiguous`, at);
    if (columns[0]) return { fragment: columns[0], used: 2 };
  }
  if (variable) {
    if (second !== undefined && !variable.value)
      throw invalid(`Name ${second} not found inside ${first}`, names[1]!.at);
    return { fragment: variable.value ?? rowOf(variable), used: 1 };
  }
  const column = findColumn(first, scope, at);
  if (column) return { fragment: column, used: 1 };
  return alias && { fragment: alias, used: 1 };
}

function findColumn(name: string, scope: Scope, at: Position): Column | undefined {
  const merged = scope.merged.find((column) => sameName(column.name, name));
  if (merged) return merged;
  const columns = scope.variables.flatMap((variable) =>
    variable.columns.filter((column) => sameName(column.name, name)),
  );
  if (columns.length > 1) throw invalid(`Column name ${name} is ambiguous`, at);
  return columns[0];
}

/** A whole row as a struct. */
function rowOf(variable: RangeVariable): Fragment {
  const fields = variable.columns.map((column) => ({
    ...(column.name && { name: column.name }),
    type: column.type,
  }));
  const parts = variable.columns.map(
    (column, index) => `${quoteName(structFieldName(fields[index]!, index))} := ${column.sql}`,
  );
  return { sql: `struct_pack(${parts.join(', ')})`, type: { kind: 'STRUCT', fields } };
}

export const sameName = (left: string | undefined, right: string): boolean =>
  left !== undefined && left.toLowerCase() === right.toLowerCase();
