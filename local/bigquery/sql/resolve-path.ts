import type { Expression, Name } from './ast.ts';
import { coerce } from './convert.ts';
import { invalid, type Position, unsupported } from './errors.ts';
import { bindOnce, type Fragment, quoteString } from './fragment.ts';
import { resolveExpression } from './resolve-expression.ts';
import { lookUp, type Scope } from './scope.ts';
import { typeName } from './types.ts';

/** `a.b.c`: a column or a range variable, then fields of it. */
export function resolvePath(names: Name[], scope: Scope): Fragment {
  const first = names[0]!;
  const found = lookUp(names, scope);
  if (!found) throw invalid(`Unrecognized name: ${first.text}`, first.at);
  let { fragment } = found;
  let used = found.used;
  const { grouping } = found.owner;
  if (!grouping || isAlias(fragment, found.owner)) {
    for (const name of names.slice(used)) fragment = fieldOf(fragment, name);
    return fragment;
  }
  for (;;) {
    const key = grouping.keys.find(({ sql }) => sql === fragment.sql);
    if (key) {
      fragment = key.column;
      for (const name of names.slice(used)) fragment = fieldOf(fragment, name);
      return fragment;
    }
    const next = names[used++];
    if (!next) break;
    fragment = fieldOf(fragment, next);
  }
  const what = names.length === 1 ? `column ${first.text}` : names.map(({ text }) => text).join('.');
  throw invalid(
    `${scope.clause ?? 'SELECT list'} expression references ${what} which is neither grouped nor aggregated`,
    first.at,
  );
}

const isAlias = (fragment: Fragment, scope: Scope): boolean =>
  [...(scope.aliases?.byName.values() ?? [])].includes(fragment);

/** A field of a struct or of a JSON object. */
export function fieldOf(operand: Fragment, name: Name): Fragment {
  const { type } = operand;
  if (type.kind === 'JSON') {
    return { sql: `json_extract(${operand.sql}, ${jsonStep(name.text)})`, type };
  }
  if (type.kind !== 'STRUCT') {
    throw invalid(`Cannot access field ${name.text} on a value with type ${typeName(type)}`, name.at);
  }
  const matching = type.fields.filter((field) => field.name?.toLowerCase() === name.text.toLowerCase());
  if (matching.length > 1) throw invalid(`Struct field name ${name.text} is ambiguous`, name.at);
  const field = matching[0];
  if (!field) throw invalid(`Field name ${name.text} does not exist in ${typeName(type)}`, name.at);
  return { sql: `struct_extract(${operand.sql}, ${quoteString(field.name!)})`, type: field.type };
}

/** One key as a DuckDB JSON path; a key that no path can quote is written as a JSON pointer. */
export function jsonStep(key: string): string {
  if (key !== '' && !/["\\*?#]/.test(key)) return quoteString(`$."${key}"`);
  return quoteString(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

/** `array[OFFSET(1)]`, `json["key"]`. */
export function resolveSubscript(expression: Expression & { kind: 'subscript' }, scope: Scope): Fragment {
  const operand = resolveExpression(expression.operand, scope);
  const index = resolveExpression(expression.index, scope);
  const { mode, at } = expression;
  if (operand.type.kind === 'JSON' && mode === 'PLAIN') return jsonElement(operand, index, at);
  if (operand.type.kind !== 'ARRAY') {
    throw invalid(
      `Subscript access using [INT64] is not supported on values of type ${typeName(operand.type)}`,
      at,
    );
  }
  if (mode === 'KEY' || mode === 'SAFE_KEY') throw unsupported(`Subscript ${mode}`, at);
  const position = coerce(index, { kind: 'INT64' }, at);
  if (!position)
    throw invalid(`Array position must be coercible to INT64 type, but has type ${typeName(index.type)}`, at);
  const macros = {
    PLAIN: 'gs_array_at',
    OFFSET: 'gs_array_at',
    ORDINAL: 'gs_array_at_ordinal',
    SAFE_OFFSET: 'gs_safe_array_at',
    SAFE_ORDINAL: 'gs_safe_array_at_ordinal',
  };
  const sql = bindOnce([operand.sql, position.sql], (bound) => `${macros[mode]}(${bound.join(', ')})`);
  return { sql, type: operand.type.element };
}

function jsonElement(operand: Fragment, index: Fragment, at: Position): Fragment {
  if (index.type.kind === 'STRING') {
    const sql =
      typeof index.value === 'string'
        ? `json_extract(${operand.sql}, ${jsonStep(index.value)})`
        : bindOnce([operand.sql, index.sql], (bound) => `gs_json_member(${bound.join(', ')})`);
    return { sql, type: operand.type };
  }
  if (index.type.kind !== 'INT64')
    throw invalid(
      `Subscript access using [${typeName(index.type)}] is not supported on values of type JSON`,
      at,
    );
  if (typeof index.value === 'bigint') {
    if (index.value < 0n) return { sql: 'CAST(NULL AS JSON)', type: operand.type };
    return { sql: `json_extract(${operand.sql}, '$[${index.value}]')`, type: operand.type };
  }
  const sql = bindOnce(
    [index.sql, operand.sql],
    ([i, json]) => `CASE WHEN ${i} >= 0 THEN json_extract(${json}, '$[' || ${i} || ']') END`,
  );
  return { sql: `(${sql})`, type: operand.type };
}
