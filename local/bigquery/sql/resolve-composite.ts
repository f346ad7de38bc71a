import type { Expression } from './ast.ts';
import { arrayOf, coerce, unify } from './convert.ts';
import { invalid, type Position, unsupported } from './errors.ts';
import type { Fragment } from './fragment.ts';
import { resolveExpression, typeOf } from './resolve-expression.ts';
import type { Scope } from './scope.ts';
import { quoteName, structFieldName, typeName } from './types.ts';

/** `[1, 2]` and `ARRAY<INT64>[1, 2]`. */
export function resolveArray(expression: Expression & { kind: 'array' }, scope: Scope): Fragment {
  const { at } = expression;
  const elements = expression.elements.map((element) => resolveExpression(element, scope));
  if (expression.type) {
    const type = typeOf(expression.type);
    if (type.kind !== 'ARRAY') throw invalid('Expected an array type', at);
    const converted = elements.map((element, index) => {
      const coerced = coerce(element, type.element, at);
      if (!coerced) {
        throw invalid(
          `Array element type ${typeName(element.type)} does not coerce to ${typeName(type.element)}`,
          expression.elements[index]!.at,
        );
      }
      return coerced;
    });
    return { ...arrayOf(converted, type.element), literal: false };
  }
  if (elements.length === 0)
    return { sql: 'CAST([] AS BIGINT[])', type: { kind: 'ARRAY', element: { kind: 'NULL' } }, elements: [] };
  const unified = unify(
    elements,
    at,
    () =>
      `Array elements of types {${[...new Set(elements.map(({ type }) => typeName(type)))].join(', ')}} do not have a common supertype`,
  );
  if (unified.type.kind === 'ARRAY')
    throw invalid(
      'Cannot construct array with element type ARRAY because nested arrays are not supported',
      at,
    );
  return arrayOf(unified.fragments, unified.type);
}

/** `STRUCT(1 AS a)`, `STRUCT<a INT64>(1)` and `(1, 2)`. */
export function resolveStruct(expression: Expression & { kind: 'struct' }, scope: Scope): Fragment {
  const { at } = expression;
  const values = expression.fields.map(({ value }) => resolveExpression(value, scope));
  const names = expression.fields.map(
    ({ name, value }) => name ?? (expression.tuple ? undefined : impliedName(value)),
  );
  const struct = structOf(values, names, at);
  if (!expression.type) return struct;
  const type = typeOf(expression.type);
  const coerced = coerce(struct, type, at);
  if (!coerced) throw invalid(`STRUCT constructor does not match ${typeName(type)}`, at);
  return coerced;
}

/** A struct of these values under these names. */
export function structOf(values: Fragment[], names: (string | undefined)[], at: Position): Fragment {
  if (values.length === 0) throw unsupported('STRUCT without fields', at);
  const lower = names.flatMap((name) => (name === undefined ? [] : [name.toLowerCase()]));
  if (new Set(lower).size < lower.length) throw unsupported('STRUCT with two fields of one name', at);
  const fields = values.map(({ type }, index) => ({
    ...(names[index] !== undefined && { name: names[index] }),
    type,
  }));
  const parts = values.map(
    ({ sql }, index) => `${quoteName(structFieldName(fields[index]!, index))} := ${sql}`,
  );
  return { sql: `struct_pack(${parts.join(', ')})`, type: { kind: 'STRUCT', fields }, fields: values };
}

/** The name an expression gives its column when it has no alias: that of the column or field it is. */
export function impliedName(expression: Expression): string | undefined {
  if (expression.kind === 'path') return expression.names.at(-1)!.text;
  if (expression.kind === 'field') return expression.name.text;
  return undefined;
}
