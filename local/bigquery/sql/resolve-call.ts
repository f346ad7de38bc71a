import type { Call, Expression } from './ast.ts';
import { coerce, coercionCost, supertype } from './convert.ts';
import { invalid, unsupported } from './errors.ts';
import type { Fragment } from './fragment.ts';
import { isAggregate, resolveAggregate } from './functions/aggregate.ts';
import { knownButUnsupported, signaturesOf, specialOf } from './functions/index.ts';
import { type ParameterPattern, type Signature, writeSignature } from './functions/signature.ts';
import { isWindowFunction, resolveWindowCall } from './functions/window.ts';
import { resolveExpression } from './resolve-expression.ts';
import type { Scope } from './scope.ts';
import { type SqlType, sameType, typeName } from './types.ts';

/** A function call of any kind: aggregate, window, special form or plain. */
export function resolveCall(call: Call, scope: Scope): Fragment {
  const { name, at } = call;
  if (call.over) return resolveWindowCall(call, call.over, scope);
  if (isAggregate(name)) return resolveAggregate(call, scope);
  if (isWindowFunction(name))
    throw invalid(`Analytic function ${name} cannot be called without an OVER clause`, at);
  if (call.distinct || call.star || call.orderBy.length > 0 || call.limit || call.nulls || call.having) {
    throw invalid(`Function ${name} is not an aggregate function`, at);
  }
  const special = specialOf(name);
  if (special) {
    if (call.safe) return safely(special(call, scope), call);
    return special(call, scope);
  }
  const candidates = signaturesOf(name);
  if (!candidates) {
    if (knownButUnsupported.has(name)) throw unsupported(`Function ${name}`, at);
    throw invalid(`Function not found: ${name}`, at);
  }
  const operands = call.arguments.map((argument) => resolveExpression(argument, scope));
  const resolved = applySignature(call, candidates, operands);
  return call.safe ? safely(resolved, call) : resolved;
}

/** SAFE.: the function's own error becomes NULL. */
function safely(fragment: Fragment, call: Call): Fragment {
  // The macros that raise have twins that do not; TRY catches what DuckDB itself raises, but refuses subqueries.
  const sql = fragment.sql.replaceAll(/\bgs_(?!safe_)/g, 'gs_safe_');
  if (/\bSELECT\b|\bOVER\b|\bgs_safe_(uuid)\b/.test(sql))
    throw unsupported(`SAFE.${call.name} of a subquery`, call.at);
  return { sql: `TRY(${sql})`, type: fragment.type };
}

interface Match {
  signature: Signature;
  cost: number;
  types: SqlType[];
  result: SqlType;
}

function applySignature(call: Call, candidates: Signature[], operands: Fragment[]): Fragment {
  const { name, at } = call;
  const matches = candidates.flatMap((signature) => match(signature, operands) ?? []);
  matches.sort((left, right) => left.cost - right.cost);
  const best = matches[0];
  if (!best) {
    const types = operands.map(({ type }) => typeName(type)).join(', ');
    const supported = candidates.map((signature) => `${name}${writeSignature(signature)}`).join('; ');
    const found = operands.length === 0 ? 'for function' : 'for function';
    const given =
      operands.length === 0 ? `${name} with no arguments` : `${name} for argument types: ${types}`;
    throw invalid(
      `No matching signature ${found} ${given}. Supported signature${candidates.length > 1 ? 's' : ''}: ${supported}`,
      at,
    );
  }
  const converted = operands.map((operand, index) => coerce(operand, best.types[index]!, at)!);
  const sql = best.signature.emit(...converted.map((operand) => operand.sql));
  return { sql, type: best.result };
}

/** Whether operands fit a signature, what they become and what it yields. */
function match(signature: Signature, operands: Fragment[]): Match | undefined {
  const { parameters } = signature;
  const last = parameters.at(-1);
  const most = last?.variadic ? Number.POSITIVE_INFINITY : parameters.length;
  const least = parameters.filter(({ optional }) => !optional).length;
  if (operands.length < least || operands.length > most) return undefined;
  const patterns = operands.map((_, index) => (parameters[index] ?? last!).pattern);
  const bound = bindVariable(patterns, operands);
  if (bound === null) return undefined;
  let cost = 0;
  const types: SqlType[] = [];
  for (const [index, operand] of operands.entries()) {
    const type = instantiate(patterns[index]!, bound) ?? operand.type;
    const step = coercionCost(operand, type);
    if (step === undefined) return undefined;
    cost += step;
    types.push(type.kind === 'NULL' ? { kind: 'INT64' } : type);
  }
  const result = instantiate(signature.result, bound);
  return result && { signature, cost, types, result };
}

/** What the type variable T stands for; null when the operands disagree, undefined when T does not occur. */
function bindVariable(patterns: ParameterPattern[], operands: Fragment[]): SqlType | undefined | null {
  const bindings: Fragment[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const operand = operands[index]!;
    if (pattern.kind === 'variable') bindings.push(operand);
    if (pattern.kind === 'arrayOfVariable') {
      if (operand.type.kind === 'ARRAY') bindings.push({ sql: '', type: operand.type.element });
      else if (operand.type.kind !== 'NULL') return null;
    }
  }
  if (bindings.length === 0)
    return patterns.some(({ kind }) => kind === 'arrayOfVariable') ? { kind: 'INT64' } : undefined;
  const first = bindings[0]!.type;
  if (bindings.every(({ type }) => sameType(type, first)) && first.kind !== 'NULL') return first;
  return supertype(bindings) ?? null;
}

function instantiate(pattern: ParameterPattern, bound: SqlType | undefined): SqlType | undefined {
  switch (pattern.kind) {
    case 'type':
      return pattern.type;
    case 'variable':
      return bound;
    case 'arrayOfVariable':
      return bound && { kind: 'ARRAY', element: bound };
    case 'any':
      return undefined;
  }
}

/** Checks how many arguments a special form has; the message is BigQuery's. */
export function expectArguments(call: Call, least: number, most: number): Expression[] {
  const count = call.arguments.length;
  if (count >= least && count <= most) return call.arguments;
  throw invalid(
    `Number of arguments does not match for function ${call.name}: expected ${least === most ? least : `${least} to ${most}`}, got ${count}`,
    call.at,
  );
}
