import type { Answer } from './evaluator.ts';

/** Where the translator differs from GoogleSQL: what each says of one query. */
export interface Difference {
  readonly sql: string;
  readonly expected: string;
  readonly actual: string;
}

/** Undefined when both give the same values of the same types under the same names, or both refuse. */
export function compareAnswers(expected: Answer, actual: Answer): Omit<Difference, 'sql'> | undefined {
  if (expected.kind === 'refused' && actual.kind === 'refused') return undefined;
  const texts = { expected: describe(expected), actual: describe(actual) };
  return texts.expected === texts.actual ? undefined : texts;
}

function describe(answer: Answer): string {
  if (answer.kind === 'refused') return `refused: ${answer.text}`;
  const columns = answer.columns.map(({ name, type }) => `${name ? `${name} ` : ''}${type}`);
  return `${columns.join(', ')}: ${JSON.stringify(answer.rows.map((row) => row.map(roundDoubles)))}`;
}

/** Sums of doubles depend on their order; the tests of the translator round likewise. */
function roundDoubles(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(roundDoubles);
  return typeof value === 'number' ? Number(value.toPrecision(15)) : value;
}
