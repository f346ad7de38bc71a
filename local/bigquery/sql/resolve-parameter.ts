import { arrayOf } from './convert.ts';
import { GoogleSqlError, invalid, type Position, unsupported } from './errors.ts';
import {
  booleanLiteral,
  type Fragment,
  floatLiteral,
  integerLiteral,
  quoteString,
  stringLiteral,
} from './fragment.ts';
import type { ParameterType, ParameterValue } from './interface.ts';
import { normaliseJson } from './json-text.ts';
import { literalOfText } from './literals.ts';
import { structOf } from './resolve-composite.ts';
import type { Context } from './scope.ts';
import { duckdbType, type SqlType, scalarKind } from './types.ts';

/** A query parameter as the literal it stands for. */
export function resolveParameter(
  parameter: { name?: string; index: number; at: Position },
  context: Context,
): Fragment {
  const { name, index, at } = parameter;
  const areNamed = context.parameters.some((candidate) => candidate.name);
  if (name === undefined && areNamed) throw invalid('Positional parameters are not supported', at);
  if (name !== undefined && !areNamed && context.parameters.length > 0)
    throw invalid('Named parameters are not supported', at);
  const found =
    name === undefined
      ? context.parameters[index]
      : context.parameters.find((candidate) => candidate.name?.toLowerCase() === name.toLowerCase());
  if (found) return literalOf(found.type, found.value, name ?? String(index + 1), at);
  if (name !== undefined) throw invalid(`Query parameter '${name}' not found`, at);
  throw invalid(
    `Query parameter number ${index + 1} is not defined (${context.parameters.length} provided)`,
    at,
  );
}

function literalOf(
  type: ParameterType,
  value: ParameterValue | undefined,
  name: string,
  at: Position,
): Fragment {
  if (type.type === 'ARRAY') {
    const element = type.arrayType ?? { type: 'STRING' };
    const elements = (value?.arrayValues ?? []).map((item) => literalOf(element, item, name, at));
    return { ...arrayOf(elements, typeOfParameter(element, at)), literal: true };
  }
  if (type.type === 'STRUCT') {
    const fields = type.structTypes ?? [];
    const values = fields.map((field) =>
      literalOf(field.type, value?.structValues?.[field.name ?? ''], name, at),
    );
    return {
      ...structOf(
        values,
        fields.map((field) => field.name || undefined),
        at,
      ),
      literal: true,
    };
  }
  const sqlType = typeOfParameter(type, at);
  const text = value?.value;
  if (text === undefined || text === null) {
    return { sql: `CAST(NULL AS ${duckdbType(sqlType)})`, type: sqlType, literal: true, value: null };
  }
  const literal = literalOfScalar(sqlType, text);
  if (!literal) {
    throw new GoogleSqlError(
      `Invalid value for parameter ${name}: could not parse '${text}' as type ${sqlType.kind}`,
      { location: at },
    );
  }
  return literal;
}

function typeOfParameter(type: ParameterType, at: Position): SqlType {
  if (type.type === 'ARRAY')
    return { kind: 'ARRAY', element: typeOfParameter(type.arrayType ?? { type: 'STRING' }, at) };
  if (type.type === 'STRUCT') {
    return {
      kind: 'STRUCT',
      fields: (type.structTypes ?? []).map((field) => ({
        ...(field.name && { name: field.name }),
        type: typeOfParameter(field.type, at),
      })),
    };
  }
  const kind = scalarKind(type.type);
  if (!kind) throw unsupported(`Parameter type ${type.type}`, at);
  return { kind };
}

function literalOfScalar(type: SqlType, text: string): Fragment | undefined {
  switch (type.kind) {
    case 'STRING':
      return stringLiteral(text);
    case 'INT64': {
      if (!/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
      const value = BigInt(text.trim().replace(/^\+/, ''));
      return BigInt.asIntN(64, value) === value ? integerLiteral(value) : undefined;
    }
    case 'FLOAT64': {
      const special: Record<string, number> = {
        nan: Number.NaN,
        inf: Infinity,
        infinity: Infinity,
        '-inf': -Infinity,
        '-infinity': -Infinity,
      };
      const value =
        special[text.toLowerCase()] ?? (/^\s*[+-]?(\d|\.\d)/.test(text) ? Number(text) : Number.NaN);
      return Number.isNaN(value) && text.toLowerCase() !== 'nan' ? undefined : floatLiteral(value);
    }
    case 'BOOL':
      return /^(true|false)$/i.test(text) ? booleanLiteral(text.toLowerCase() === 'true') : undefined;
    case 'BYTES':
      return { sql: `from_hex('${Buffer.from(text, 'base64').toString('hex')}')`, type, literal: true };
    case 'JSON': {
      const json = normaliseJson(text, 'round');
      return json === undefined
        ? undefined
        : { sql: `CAST(${quoteString(json)} AS JSON)`, type, literal: true };
    }
    case 'ARRAY':
    case 'STRUCT':
    case 'NULL':
      return undefined;
    default:
      return literalOfText(type.kind, text);
  }
}
