import type { Expression } from '../ast.ts';
import { invalid } from '../errors.ts';
import { bindOnce, type Fragment } from '../fragment.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { type ScalarKind, typeName } from '../types.ts';
import { type DatePart, datePartOf, noPart, resolveZone, wallOf } from './date-part.ts';

/** EXTRACT(part FROM operand [AT TIME ZONE zone]). */
export function resolveExtract(expression: Expression & { kind: 'extract' }, scope: Scope): Fragment {
  const part = datePartOf(expression.part);
  const operand = resolveExpression(expression.operand, scope);
  const { kind } = operand.type;
  if (kind !== 'DATE' && kind !== 'TIMESTAMP' && kind !== 'DATETIME' && kind !== 'TIME') {
    throw invalid(`EXTRACT does not support arguments of type ${typeName(operand.type)}`, expression.at);
  }
  if (expression.zone && kind !== 'TIMESTAMP')
    throw invalid(`EXTRACT from ${kind} does not support AT TIME ZONE`, expression.at);
  const wall = kind === 'TIMESTAMP' ? wallOf(operand.sql, resolveZone(expression.zone, scope)) : operand.sql;
  const whole: Partial<Record<string, ScalarKind>> = { DATE: 'DATE', TIME: 'TIME', DATETIME: 'DATETIME' };
  const target = whole[part.name];
  if (target) {
    if (kind === 'DATE' || kind === 'TIME') throw noPart(`EXTRACT from ${kind}`, part, expression.at);
    return { sql: target === 'DATETIME' ? wall : `CAST(${wall} AS ${target})`, type: { kind: target } };
  }
  const clock = ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR'].includes(part.name);
  if ((clock && kind === 'DATE') || (!clock && kind === 'TIME')) {
    throw noPart(`EXTRACT from ${kind}`, part, expression.at);
  }
  const sql = bindOnce([wall], ([bound]) => partOf(bound!, part));
  return { sql: `CAST(${sql} AS BIGINT)`, type: { kind: 'INT64' } };
}

/** A number read off a wall clock. */
function partOf(wall: string, part: DatePart): string {
  switch (part.name) {
    case 'MICROSECOND':
      return `(microsecond(${wall}) % 1000000)`;
    case 'MILLISECOND':
      return `(millisecond(${wall}) % 1000)`;
    case 'DAYOFWEEK':
      return `(dayofweek(${wall}) + 1)`;
    case 'WEEK':
      return `((dayofyear(${wall}) + 6 - (dayofweek(${wall}) - ${part.weekStart} + 7) % 7) // 7)`;
    case 'ISOWEEK':
      return `weekofyear(${wall})`;
    case 'SECOND':
    case 'MINUTE':
    case 'HOUR':
    case 'DAY':
    case 'DAYOFYEAR':
    case 'MONTH':
    case 'QUARTER':
    case 'YEAR':
    case 'ISOYEAR':
      return `${part.name.toLowerCase()}(${wall})`;
    default:
      throw noPart('EXTRACT', part);
  }
}
