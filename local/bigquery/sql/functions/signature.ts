import { bindOnce } from '../fragment.ts';
import { type SqlType, scalarKind, typeName } from '../types.ts';

/** What a parameter takes: one type, any type, or a type that all parameters written T share. */
export type ParameterPattern =
  | { kind: 'type'; type: SqlType }
  | { kind: 'variable' }
  | { kind: 'arrayOfVariable' }
  | { kind: 'any' };

export type Emit = (...operands: string[]) => string;

export interface Signature {
  name: string;
  parameters: { pattern: ParameterPattern; optional: boolean; variadic: boolean }[];
  result: ParameterPattern;
  emit: Emit;
}

/**
 * A function as one line: `STRPOS(STRING, STRING) -> INT64`. `[T]` is optional, `T...` may repeat, T stands for any
 * one type and ANY for types that need not agree.
 */
export function signature(line: string, emit: Emit): Signature {
  const match = /^([\w.]+)\((.*)\) -> (.+)$/.exec(line);
  if (!match) throw new Error(`not a signature: ${line}`);
  const [, name, list, result] = match as unknown as [string, string, string, string];
  const parameters = list === '' ? [] : list.split(', ').map(parseParameter);
  return { name, parameters, result: parsePattern(result), emit };
}

function parseParameter(text: string): Signature['parameters'][number] {
  const optional = text.startsWith('[');
  const variadic = text.endsWith('...');
  return {
    pattern: parsePattern(text.replace(/^\[(.*)\]$/, '$1').replace(/\.\.\.$/, '')),
    optional,
    variadic,
  };
}

function parsePattern(text: string): ParameterPattern {
  if (text === 'T') return { kind: 'variable' };
  if (text === 'ANY') return { kind: 'any' };
  if (text === 'ARRAY<T>') return { kind: 'arrayOfVariable' };
  const element = /^ARRAY<(\w+)>$/.exec(text)?.[1];
  const kind = scalarKind(element ?? text);
  if (!kind) throw new Error(`not a type in a signature: ${text}`);
  return { kind: 'type', type: element ? { kind: 'ARRAY', element: { kind } } : { kind } };
}

/** The parameters of a signature as BigQuery's messages write them. */
export function writeSignature({ parameters }: Signature): string {
  const write = (pattern: ParameterPattern): string => {
    switch (pattern.kind) {
      case 'type':
        return typeName(pattern.type);
      case 'arrayOfVariable':
        return 'ARRAY<T1>';
      case 'variable':
        return 'T1';
      case 'any':
        return 'ANY';
    }
  };
  return `(${parameters.map(({ pattern, optional, variadic }) => (optional ? `[${write(pattern)}]` : write(pattern) + (variadic ? ', ...' : ''))).join(', ')})`;
}

/** An emitter that uses an operand more than once. */
export function repeating(emit: Emit): Emit {
  return (...operands) => `(${bindOnce(operands, (bound) => emit(...bound))})`;
}
