import { readText } from '../repository-files.ts';

export interface Variable {
  /** Whether a deployment must set it: it has no default, and its description does not say what holds without it. */
  needed: boolean;
  /** The one function of the folder that reads it, where it is not all. */
  only: string | undefined;
}

/** Those whose absence the README does not explain, as nothing is asked for then. */
const optional = new Set(['REQUIRED_ADMINISTRATORS']);

/** The variables that a function reads, out of the table of its README, which a test holds to its code. */
export function readVariables(folder: string): Map<string, Variable> {
  const rows = readText(`functions/${folder}/README.md`).matchAll(
    /^\| `([A-Z][A-Z0-9_]*)` *\| (.*?) *\|(?: (.*?) *\|)?$/gm,
  );
  return new Map(
    [...rows].map(([, name = '', meaning = '', standard = '']) => [
      name,
      {
        needed: standard === '' && !/without it|\bdefault\b/.test(meaning) && !optional.has(name),
        only: /^`([\w-]+)`: /.exec(meaning)?.[1],
      },
    ]),
  );
}
