import type { Position } from './errors.ts';

/** GoogleSQL as written: what the parser makes and the resolver reads. Nothing here is typed or looked up yet. */

export interface Name {
  text: string;
  at: Position;
}

export type TypeExpression =
  | { kind: 'scalar'; name: string; at: Position }
  | { kind: 'array'; element: TypeExpression; at: Position }
  | { kind: 'struct'; fields: { name?: string; type: TypeExpression }[]; at: Position };

export interface Call {
  kind: 'call';
  /** Capitals, dotted: `COUNT`, `NET.HOST`, without a leading `SAFE.`. */
  name: string;
  safe: boolean;
  star: boolean;
  distinct: boolean;
  arguments: Expression[];
  nulls?: 'IGNORE' | 'RESPECT';
  having?: { kind: 'MAX' | 'MIN'; expression: Expression };
  orderBy: OrderItem[];
  limit?: Expression;
  over?: WindowSpecification | Name;
  at: Position;
}

export type Expression =
  | { kind: 'integer'; value: bigint; at: Position }
  | { kind: 'float'; text: string; at: Position }
  | { kind: 'string'; value: string; at: Position }
  | { kind: 'bytes'; hex: string; at: Position }
  | { kind: 'boolean'; value: boolean; at: Position }
  | { kind: 'null'; at: Position }
  | { kind: 'typed'; type: string; text: string; at: Position }
  | { kind: 'interval'; value: Expression; part: Name; at: Position }
  | { kind: 'parameter'; name?: string; index: number; at: Position }
  | { kind: 'path'; names: Name[]; at: Position }
  | { kind: 'field'; operand: Expression; name: Name; at: Position }
  | {
      kind: 'subscript';
      operand: Expression;
      mode: 'PLAIN' | 'OFFSET' | 'ORDINAL' | 'SAFE_OFFSET' | 'SAFE_ORDINAL' | 'KEY' | 'SAFE_KEY';
      index: Expression;
      at: Position;
    }
  | { kind: 'array'; type?: TypeExpression; elements: Expression[]; at: Position }
  | {
      kind: 'struct';
      type?: TypeExpression;
      fields: { name?: string; value: Expression }[];
      /** `(a, b)` rather than `STRUCT(a, b)`: takes no names from its fields. */
      tuple: boolean;
      at: Position;
    }
  | { kind: 'unary'; operator: '-' | '+' | '~' | 'NOT'; operand: Expression; at: Position }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression; at: Position }
  | {
      kind: 'between';
      operand: Expression;
      low: Expression;
      high: Expression;
      negated: boolean;
      at: Position;
    }
  | { kind: 'inList'; operand: Expression; list: Expression[]; negated: boolean; at: Position }
  | { kind: 'inQuery'; operand: Expression; query: Query; negated: boolean; at: Position }
  | { kind: 'inUnnest'; operand: Expression; array: Expression; negated: boolean; at: Position }
  | { kind: 'like'; operand: Expression; pattern: Expression; negated: boolean; at: Position }
  | { kind: 'is'; operand: Expression; what: 'NULL' | 'TRUE' | 'FALSE'; negated: boolean; at: Position }
  | { kind: 'distinctFrom'; left: Expression; right: Expression; negated: boolean; at: Position }
  | {
      kind: 'case';
      operand?: Expression;
      branches: { when: Expression; result: Expression }[];
      otherwise?: Expression;
      at: Position;
    }
  | { kind: 'cast'; operand: Expression; type: TypeExpression; safe: boolean; at: Position }
  | { kind: 'extract'; part: Expression; operand: Expression; zone?: Expression; at: Position }
  | { kind: 'scalarQuery'; query: Query; at: Position }
  | { kind: 'exists'; query: Query; at: Position }
  | { kind: 'arrayQuery'; query: Query; at: Position }
  | { kind: 'named'; name: Name; value: Expression; at: Position }
  | Call;

export interface OrderItem {
  expression: Expression;
  descending: boolean;
  nulls?: 'FIRST' | 'LAST';
  at: Position;
}

export interface WindowSpecification {
  base?: Name;
  partitionBy: Expression[];
  orderBy: OrderItem[];
  frame?: { unit: 'ROWS' | 'RANGE'; start: FrameBound; end?: FrameBound };
  at: Position;
}

export type FrameBound =
  | { kind: 'UNBOUNDED PRECEDING' | 'UNBOUNDED FOLLOWING' | 'CURRENT ROW' }
  | { kind: 'PRECEDING' | 'FOLLOWING'; distance: Expression };

export interface Query {
  recursive: boolean;
  with: { name: Name; query: Query }[];
  body: QueryBody;
  orderBy: OrderItem[];
  limit?: Expression;
  offset?: Expression;
  at: Position;
}

export type QueryBody = Select | SetOperation | { kind: 'query'; query: Query; at: Position };

export interface SetOperation {
  kind: 'set';
  operator: 'UNION ALL' | 'UNION DISTINCT' | 'INTERSECT DISTINCT' | 'EXCEPT DISTINCT';
  left: QueryBody;
  right: QueryBody;
  at: Position;
}

export interface Select {
  kind: 'select';
  distinct: boolean;
  as?: 'STRUCT' | 'VALUE';
  items: SelectItem[];
  from?: FromItem;
  where?: Expression;
  groupBy?: { kind: 'all'; at: Position } | { kind: 'keys'; keys: Expression[]; at: Position };
  having?: Expression;
  qualify?: Expression;
  windows: { name: Name; specification: WindowSpecification }[];
  at: Position;
}

export type SelectItem =
  | { kind: 'expression'; expression: Expression; alias?: Name; at: Position }
  | {
      kind: 'star';
      operand?: Expression;
      except: Name[];
      replace: { expression: Expression; name: Name }[];
      at: Position;
    };

export type FromItem =
  | { kind: 'table'; path: Name[]; alias?: Name; offset?: Name; at: Position }
  | { kind: 'tableFunction'; path: Name[]; arguments: Expression[]; alias?: Name; at: Position }
  | { kind: 'subquery'; query: Query; alias?: Name; at: Position }
  | { kind: 'unnest'; expression: Expression; alias?: Name; offset?: Name; at: Position }
  | {
      kind: 'join';
      type: 'CROSS' | 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';
      left: FromItem;
      right: FromItem;
      on?: Expression;
      using?: Name[];
      at: Position;
    };
