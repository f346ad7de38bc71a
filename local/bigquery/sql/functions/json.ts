import type { Call, Expression } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid, type Position, unsupported } from '../errors.ts';
import { bindOnce, type Fragment, quoteString } from '../fragment.ts';
import { normaliseJson } from '../json-text.ts';
import { expectArguments } from '../resolve-call.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { type SqlType, typeName } from '../types.ts';
import { duckdbPaths, type JsonStep, parseJsonPath } from './json-path.ts';
import { repeating, type Signature, signature } from './signature.ts';
import { toJson, toJsonText, toText } from './to-json.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions */

type Special = (call: Call, scope: Scope) => Fragment;

const json: SqlType = { kind: 'JSON' };
const string: SqlType = { kind: 'STRING' };

const once = (name: string) => repeating((value) => `gs_${name}(${value})`);

export const jsonSignatures: Signature[] = [
  signature('JSON_TYPE(JSON) -> STRING', once('json_type')),
  signature('BOOL(JSON) -> BOOL', once('json_bool')),
  signature('INT64(JSON) -> INT64', once('json_int64')),
  signature('FLOAT64(JSON) -> FLOAT64', once('json_float64')),
  signature('DOUBLE(JSON) -> FLOAT64', once('json_float64')),
  signature('LAX_BOOL(JSON) -> BOOL', once('lax_bool')),
  signature('LAX_INT64(JSON) -> INT64', once('lax_int64')),
  signature('LAX_FLOAT64(JSON) -> FLOAT64', once('lax_float64')),
  signature('LAX_DOUBLE(JSON) -> FLOAT64', once('lax_float64')),
  signature('LAX_STRING(JSON) -> STRING', once('lax_string')),
];

export const jsonSpecials: [string, Special][] = [
  ['JSON_VALUE', (call, scope) => extract(call, scope, true, 'value')],
  ['JSON_EXTRACT_SCALAR', (call, scope) => extract(call, scope, true, 'value')],
  ['JSON_QUERY', (call, scope) => extract(call, scope, false, 'query')],
  ['JSON_EXTRACT', (call, scope) => extract(call, scope, false, 'query')],
  ['JSON_VALUE_ARRAY', (call, scope) => extract(call, scope, true, 'values')],
  ['JSON_EXTRACT_STRING_ARRAY', (call, scope) => extract(call, scope, true, 'values')],
  ['JSON_QUERY_ARRAY', (call, scope) => extract(call, scope, false, 'queries')],
  ['JSON_EXTRACT_ARRAY', (call, scope) => extract(call, scope, false, 'queries')],
  ['PARSE_JSON', parse],
  [
    'TO_JSON',
    (call, scope) => {
      const [operand] = expectArguments(call, 1, 1).map((argument) => resolveExpression(argument, scope));
      return { sql: toJson(operand!, call.at), type: json };
    },
  ],
  [
    'TO_JSON_STRING',
    (call, scope) => {
      const [operand] = expectArguments(call, 1, 1).map((argument) => resolveExpression(argument, scope));
      return { sql: toJsonText(operand!, call.at), type: string };
    },
  ],
  [
    'JSON_KEYS',
    (call, scope) => {
      const [operand, depth] = expectArguments(call, 1, 2).map((argument) =>
        resolveExpression(argument, scope),
      ) as [Fragment, Fragment | undefined];
      if (operand.type.kind !== 'JSON') throw noMatch(call, [operand]);
      if (depth?.value !== 1n) throw unsupported('JSON_KEYS deeper than one level', call.at);
      return {
        sql: `(${bindOnce([operand.sql], ([value]) => `CASE WHEN ${value} IS NULL THEN NULL WHEN json_type(${value}) = 'OBJECT' THEN list_sort(json_keys(${value})) ELSE CAST([] AS VARCHAR[]) END`)})`,
        type: { kind: 'ARRAY', element: string },
      };
    },
  ],
  [
    'JSON_OBJECT',
    (call, scope) => {
      if (call.arguments.length % 2 === 1)
        throw invalid('JSON_OBJECT takes pairs of a name and a value', call.at);
      const operands = call.arguments.map((argument) => resolveExpression(argument, scope));
      const [names, values] = operands;
      if (operands.length === 2 && names?.type.kind === 'ARRAY') return objectOf(names, values!, call);
      const pairs = new Map<string, string>();
      for (let index = 0; index < operands.length; index += 2) {
        const name = operands[index]!;
        if (typeof name.value !== 'string')
          throw unsupported('JSON_OBJECT with a name that is no constant', call.at);
        if (!pairs.has(name.value)) pairs.set(name.value, toJson(operands[index + 1]!, call.at));
      }
      const sorted = [...pairs].sort(([left], [right]) =>
        Buffer.compare(Buffer.from(left), Buffer.from(right)),
      );
      return {
        sql: `CAST(json_object(${sorted.map(([name, value]) => `${quoteString(name)}, ${orNull(value)}`).join(', ')}) AS JSON)`,
        type: json,
      };
    },
  ],
  [
    'JSON_ARRAY',
    (call, scope) => {
      const values = call.arguments.map((argument) =>
        orNull(toJson(resolveExpression(argument, scope), call.at)),
      );
      return { sql: `CAST(json_array(${values.join(', ')}) AS JSON)`, type: json };
    },
  ],
  [
    'JSON_STRIP_NULLS',
    (call) => {
      throw unsupported('Function JSON_STRIP_NULLS', call.at);
    },
  ],
];

const orNull = (value: string): string => `COALESCE(${value}, CAST('null' AS JSON))`;

function noMatch(call: Call, operands: Fragment[]): Error {
  return invalid(
    `No matching signature for function ${call.name} for argument types: ${operands.map(({ type }) => typeName(type)).join(', ')}`,
    call.at,
  );
}

/** JSON_OBJECT(names, values), of two arrays. */
function objectOf(names: Fragment, values: Fragment, call: Call): Fragment {
  const keys = coerce(names, { kind: 'ARRAY', element: string }, call.at);
  if (!keys || values.type.kind !== 'ARRAY') throw noMatch(call, [names, values]);
  const text = toText({ sql: 'gs_v', type: values.type.element }, call.at);
  const sql = bindOnce(
    [keys.sql, `list_transform(${values.sql}, lambda gs_v: ${text})`],
    (bound) => `gs_json_object_of(${bound.join(', ')})`,
  );
  return { sql: `(${sql})`, type: json };
}

type Wanted = 'value' | 'query' | 'values' | 'queries';

/** The functions that take a JSON value, or a STRING that holds one, and a path that must be known. */
function extract(call: Call, scope: Scope, scalar: boolean, wanted: Wanted): Fragment {
  const [first, second] = expectArguments(call, 1, 2) as [Expression, Expression | undefined];
  const operand = resolveExpression(first, scope);
  const isText = operand.type.kind === 'STRING' || operand.type.kind === 'NULL';
  if (!isText && operand.type.kind !== 'JSON') throw noMatch(call, [operand]);
  const steps = second ? constantPath(resolveExpression(second, scope), second.at) : [];
  const source = isText
    ? bindOnce(
        [coerce(operand, string, call.at)!.sql],
        ([text]) => `CASE WHEN json_valid(${text}) THEN CAST(${text} AS JSON) END`,
      )
    : operand.sql;
  const value = stepInto(isText ? `(${source})` : source, steps);
  const macro = {
    value: 'gs_json_value',
    query: 'gs_json_query',
    values: 'gs_json_value_array',
    queries: 'gs_json_query_array',
  }[wanted];
  const sql = bindOnce([value], ([bound]) => `${macro}(${bound})`);
  const element: SqlType = scalar || isText ? string : json;
  if (wanted === 'query' && !isText) return { sql: value, type: json };
  if (wanted === 'query')
    return { sql: bindOnce([value], ([bound]) => `gs_json_query_text(${bound})`), type: string };
  if (wanted === 'queries' && isText)
    return { sql: `CAST(${sql} AS VARCHAR[])`, type: { kind: 'ARRAY', element } };
  return { sql, type: wanted === 'value' ? string : { kind: 'ARRAY', element } };
}

function constantPath(path: Fragment, at: Position): JsonStep[] {
  if (typeof path.value !== 'string')
    throw invalid('JSONPath must be a string literal or query parameter', at);
  return parseJsonPath(path.value, at);
}

function stepInto(source: string, steps: JsonStep[]): string {
  return duckdbPaths(steps).reduce((value, path) => `json_extract(${value}, ${quoteString(path)})`, source);
}

function parse(call: Call, scope: Scope): Fragment {
  const [first, mode] = call.arguments;
  if (!first || call.arguments.length > 2)
    throw invalid('Number of arguments does not match for function PARSE_JSON', call.at);
  const round = mode !== undefined && isWideNumberMode(mode, 'round');
  if (mode && !round && !isWideNumberMode(mode, 'exact')) throw invalid('Invalid wide_number_mode', call.at);
  const operand = coerce(resolveExpression(first, scope), string, call.at);
  if (!operand) throw invalid('PARSE_JSON takes a STRING', call.at);
  if (typeof operand.value === 'string') {
    const text = normaliseJson(operand.value, round ? 'round' : 'exact');
    if (text === undefined) {
      if (call.safe) return { sql: 'CAST(NULL AS JSON)', type: json };
      throw invalid(`Invalid input to PARSE_JSON: syntax error while parsing value`, call.at);
    }
    return { sql: `CAST(${quoteString(text)} AS JSON)`, type: json };
  }
  const macro = round ? 'gs_parse_json_round' : 'gs_parse_json';
  return { sql: bindOnce([operand.sql], ([text]) => `${macro}(${text})`), type: json };
}

function isWideNumberMode(mode: Expression, wanted: 'exact' | 'round'): boolean {
  return (
    mode.kind === 'named' &&
    mode.name.text.toLowerCase() === 'wide_number_mode' &&
    mode.value.kind === 'string' &&
    mode.value.value === wanted
  );
}
