import { invalid, type Position, unsupported } from './errors.ts';
import { bindOnce, type Fragment, floatLiteral } from './fragment.ts';
import { literalOfText } from './literals.ts';
import {
  duckdbType,
  quoteName,
  type ScalarKind,
  type SqlType,
  sameType,
  structFieldName,
  typeName,
} from './types.ts';

/**
 * Conversions between types.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules
 */

const widenings: Partial<Record<SqlType['kind'], SqlType['kind'][]>> = {
  INT64: ['NUMERIC', 'FLOAT64'],
  NUMERIC: ['FLOAT64'],
  DATE: ['DATETIME'],
};

const literalAdaptations: Partial<Record<SqlType['kind'], ScalarKind[]>> = {
  STRING: ['DATE', 'DATETIME', 'TIME', 'TIMESTAMP'],
  FLOAT64: ['NUMERIC'],
};

/** What an implicit conversion costs, 0 being none; undefined when there is no implicit conversion. */
export function coercionCost(from: Fragment, to: SqlType): number | undefined {
  const { type } = from;
  if (type.kind === 'NULL' || sameType(type, to)) return 0;
  if (type.kind === 'ARRAY' && to.kind === 'ARRAY') {
    if (type.element.kind === 'NULL') return 0;
    if (!from.elements) return undefined;
    return total(from.elements.map((element) => coercionCost(element, to.element)));
  }
  if (type.kind === 'STRUCT' && to.kind === 'STRUCT') {
    if (type.fields.length !== to.fields.length) return undefined;
    const parts = from.fields ?? type.fields.map((field) => ({ sql: '', type: field.type }));
    return total(parts.map((part, index) => coercionCost(part, to.fields[index]!.type)));
  }
  if (type.kind === 'ARRAY' || type.kind === 'STRUCT') return undefined;
  const widening = (widenings[type.kind] ?? []).indexOf(to.kind);
  if (widening >= 0) return widening + 1;
  const adapts = from.literal && literalAdaptations[type.kind]?.some((kind) => kind === to.kind);
  return adapts ? 5 : undefined;
}

function total(costs: (number | undefined)[]): number | undefined {
  return costs.reduce((sum, cost) => (sum === undefined || cost === undefined ? undefined : sum + cost), 0);
}

/** Converts as GoogleSQL does unasked; undefined when it would not. Throws when a literal has no such value. */
export function coerce(from: Fragment, to: SqlType, at: Position): Fragment | undefined {
  const { type } = from;
  if (to.kind === 'NULL' || coercionCost(from, to) === undefined) return undefined;
  if (type.kind === 'NULL') return { ...from, sql: `CAST(${from.sql} AS ${duckdbType(to)})`, type: to };
  if (sameShape(type, to)) return { ...from, type: to };
  if (type.kind === 'ARRAY' && to.kind === 'ARRAY') {
    if (!from.elements) return { ...from, sql: `CAST(${from.sql} AS ${duckdbType(to)})`, type: to };
    const elements = from.elements.map((element) => coerce(element, to.element, at)!);
    return { ...from, ...arrayOf(elements, to.element) };
  }
  if (type.kind === 'STRUCT' && to.kind === 'STRUCT') return coerceStruct(from, type, to, at);
  if (type.kind === 'STRING' && from.literal && typeof from.value === 'string' && to.kind !== 'ARRAY') {
    const literal = literalOfText(to.kind as ScalarKind, from.value);
    if (!literal) throw invalid(`Could not cast literal "${from.value}" to type ${to.kind}`, at);
    return literal;
  }
  if (to.kind === 'FLOAT64' && from.literal && typeof from.value === 'bigint')
    return floatLiteral(Number(from.value));
  return { sql: `CAST(${from.sql} AS ${duckdbType(to)})`, type: to, ...(from.literal && { literal: true }) };
}

/** Same type and, inside DuckDB, the same names of struct fields. */
function sameShape(left: SqlType, right: SqlType): boolean {
  return sameType(left, right) && duckdbType(left).toLowerCase() === duckdbType(right).toLowerCase();
}

function coerceStruct(
  from: Fragment,
  type: SqlType & { kind: 'STRUCT' },
  to: SqlType & { kind: 'STRUCT' },
  at: Position,
): Fragment {
  const pack = (parts: Fragment[]) =>
    `struct_pack(${parts.map((part, index) => `${quoteName(structFieldName(to.fields[index]!, index))} := ${part.sql}`).join(', ')})`;
  if (from.fields) {
    const fields = from.fields.map((field, index) => coerce(field, to.fields[index]!.type, at)!);
    return { ...from, sql: pack(fields), type: to, fields };
  }
  const sql = bindOnce([from.sql], ([operand]) => {
    const parts = type.fields.map(
      (field, index) =>
        coerce(
          { sql: `struct_extract_at(${operand}, ${index + 1})`, type: field.type },
          to.fields[index]!.type,
          at,
        )!,
    );
    return `CASE WHEN ${operand} IS NOT NULL THEN ${pack(parts)} END`;
  });
  return { sql: `(${sql})`, type: to };
}

/** An array written out, of elements already of one type. */
export function arrayOf(elements: Fragment[], element: SqlType): Fragment {
  const list = `[${elements.map(({ sql }) => sql).join(', ')}]`;
  const type: SqlType = { kind: 'ARRAY', element };
  return { sql: elements.length === 0 ? `CAST([] AS ${duckdbType(type)})` : list, type, elements };
}

/** The one type that all of these become, as in CASE, COALESCE or UNION; undefined when there is none. */
export function supertype(fragments: Fragment[]): SqlType | undefined {
  const typed = fragments.filter(({ type }) => type.kind !== 'NULL');
  if (typed.length === 0) return { kind: 'INT64' };
  const candidates: SqlType[] = typed.map(({ type }) => type);
  if (candidates.some(({ kind }) => kind === 'INT64')) candidates.push({ kind: 'FLOAT64' });
  const fits = candidates
    .map((type) => ({ type, cost: total(typed.map((fragment) => coercionCost(fragment, type))) }))
    .filter((candidate) => candidate.cost !== undefined);
  fits.sort((left, right) => left.cost! - right.cost!);
  const found = fits[0]?.type;
  const first = typed[0]!.type;
  return found?.kind === 'STRUCT' && first.kind === 'STRUCT' ? withNamesOf(first, found) : found;
}

/** The fields' names are those of the first struct, whichever has the types. */
function withNamesOf(named: SqlType & { kind: 'STRUCT' }, typed: SqlType & { kind: 'STRUCT' }): SqlType {
  const fields = typed.fields.map(({ type }, index) => ({ ...named.fields[index], type }));
  return { ...typed, fields };
}

/** All fragments as their one common type; throws with the message given when there is none. */
export function unify(
  fragments: Fragment[],
  at: Position,
  message: () => string,
): { type: SqlType; fragments: Fragment[] } {
  const type = supertype(fragments);
  if (!type) throw invalid(message(), at);
  return { type, fragments: fragments.map((fragment) => coerce(fragment, type, at)!) };
}

/** CAST and SAFE_CAST. */
export function castTo(from: Fragment, to: SqlType, safe: boolean, at: Position): Fragment {
  if (from.type.kind === 'NULL') return { ...coerce(from, to, at)!, literal: false };
  if (
    to.kind === 'ARRAY' ||
    to.kind === 'STRUCT' ||
    from.type.kind === 'ARRAY' ||
    from.type.kind === 'STRUCT'
  ) {
    const coerced = coerce(from, to, at);
    if (coerced) return { ...coerced, literal: false };
    throw unsupported(`Cast from ${typeName(from.type)} to ${typeName(to)}`, at);
  }
  const { value: _, literal: __, ...plain } = from;
  if (from.type.kind === to.kind) return plain;
  const template = castTemplate(from.type.kind, to.kind as ScalarKind, safe);
  if (!template) {
    throw invalid(`Invalid cast from ${typeName(from.type)} to ${typeName(to)}`, at);
  }
  if (
    from.literal &&
    typeof from.value === 'string' &&
    literalAdaptations.STRING!.includes(to.kind as ScalarKind)
  ) {
    const literal = literalOfText(to.kind as ScalarKind, from.value);
    if (literal) return literal;
  }
  const sql = bindOnce([from.sql], ([operand]) => template(operand!));
  return { sql, type: to };
}

type Template = (operand: string) => string;

/** A DuckDB expression that casts one scalar to another; undefined when GoogleSQL has no such cast. */
function castTemplate(from: SqlType['kind'], to: ScalarKind, safe: boolean): Template | undefined {
  const macro =
    (name: string): Template =>
    (operand) =>
      `${safe ? 'gs_safe_' : 'gs_'}${name}(${operand})`;
  const cast: Template = (operand) =>
    `${safe ? 'TRY_CAST' : 'CAST'}(${operand} AS ${duckdbType({ kind: to })})`;
  const templates: Record<string, Template> = {
    'STRING INT64': macro('int64_of_string'),
    'STRING FLOAT64': macro('float64_of_string'),
    'STRING NUMERIC': cast,
    'STRING BOOL': macro('bool_of_string'),
    'STRING BYTES': (operand) => `encode(${operand})`,
    'STRING TIMESTAMP': macro('timestamp_of_string'),
    'STRING DATE': macro('date_of_string'),
    'STRING DATETIME': macro('datetime_of_string'),
    'STRING TIME': macro('time_of_string'),
    'BYTES STRING': (operand) => `${safe ? 'TRY(' : '('}decode(${operand}))`,
    'INT64 STRING': cast,
    'INT64 FLOAT64': cast,
    'INT64 NUMERIC': cast,
    'INT64 BOOL': (operand) => `(${operand} <> 0)`,
    'FLOAT64 STRING': (operand) => `gs_string_of_float64(${operand})`,
    'FLOAT64 INT64': (operand) => cast(`round(${operand})`),
    'FLOAT64 NUMERIC': cast,
    'NUMERIC STRING': (operand) => `gs_string_of_numeric(${operand})`,
    'NUMERIC INT64': (operand) => cast(`round(${operand})`),
    'NUMERIC FLOAT64': cast,
    'BOOL STRING': cast,
    'BOOL INT64': cast,
    'TIMESTAMP STRING': (operand) => `gs_string_of_timestamp(${operand})`,
    'TIMESTAMP DATE': (operand) => `CAST(${operand} AT TIME ZONE 'UTC' AS DATE)`,
    'TIMESTAMP DATETIME': (operand) => `(${operand} AT TIME ZONE 'UTC')`,
    'TIMESTAMP TIME': (operand) => `CAST(${operand} AT TIME ZONE 'UTC' AS TIME)`,
    'DATE STRING': (operand) => `gs_string_of_date(${operand})`,
    'DATE TIMESTAMP': (operand) => `(CAST(${operand} AS TIMESTAMP) AT TIME ZONE 'UTC')`,
    'DATE DATETIME': (operand) => `CAST(${operand} AS TIMESTAMP)`,
    'DATETIME STRING': (operand) => `gs_string_of_datetime(${operand})`,
    'DATETIME TIMESTAMP': (operand) => `(${operand} AT TIME ZONE 'UTC')`,
    'DATETIME DATE': (operand) => `CAST(${operand} AS DATE)`,
    'DATETIME TIME': (operand) => `CAST(${operand} AS TIME)`,
    'TIME STRING': (operand) => `gs_string_of_time(${operand})`,
  };
  return templates[`${from} ${to}`];
}
