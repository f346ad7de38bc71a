import { z } from 'zod';

/**
 * Reads what a function is told by its environment. `shape` names each variable, and its `.describe()` says what it is.
 *
 * Where any is missing or wrong the process does not start: every problem is printed in one message, exit code 1.
 * An empty variable counts as unset, as Terraform and shells write it.
 */
export function readConfiguration<Shape extends z.ZodObject>(
  shape: Shape,
  environment: NodeJS.ProcessEnv,
): z.output<Shape> {
  const checked = checkConfiguration(shape, environment);
  return checked.kind === 'valid' ? checked.configuration : refuseToStart(checked.message);
}

export type CheckedConfiguration<T> =
  | { readonly kind: 'valid'; readonly configuration: T }
  | { readonly kind: 'invalid'; readonly message: string };

/** The same, answering instead of exiting. */
export function checkConfiguration<Shape extends z.ZodObject>(
  shape: Shape,
  environment: NodeJS.ProcessEnv,
): CheckedConfiguration<z.output<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(shape.shape)) {
    const value = environment[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = shape.safeParse(given);
  if (parsed.success) return { kind: 'valid', configuration: parsed.data };
  const problems = parsed.error.issues.map((issue) => describe(shape, given, issue));
  return { kind: 'invalid', message: `The environment is not complete.\n${problems.join('\n')}` };
}

/** A whole number as an environment variable gives it. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);

/** Ends the process before it serves anything: a mistake of an operator, so a sentence and no stack. */
export function refuseToStart(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function describe(
  shape: z.ZodObject,
  given: Readonly<Record<string, string>>,
  issue: z.core.$ZodIssue,
): string {
  const name = String(issue.path[0] ?? '');
  const field: unknown = shape.shape[name];
  const meaning = field instanceof z.ZodType ? (field.description ?? '') : '';
  const value = given[name];
  const problem = value === undefined ? 'is not set' : `${issue.message}, not ${JSON.stringify(value)}`;
  return `  ${name}${meaning === '' ? '' : ` (${meaning})`} ${problem}.`;
}
