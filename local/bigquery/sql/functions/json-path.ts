import { invalid, type Position, unsupported } from '../errors.ts';

/** A step into a JSON value: a member's name or an element's place. */
export type JsonStep = string | number;

/** Reads a JSONPath as GoogleSQL's JSON functions write it: `$.a."b c"[0]['d']`. */
export function parseJsonPath(path: string, at: Position): JsonStep[] {
  if (!path.startsWith('$')) {
    if (/^(lax|strict)/.test(path)) throw unsupported('JSONPath mode', at);
    throw invalid(`JSONPath must start with '$'`, at);
  }
  const steps: JsonStep[] = [];
  const pattern =
    /\.([^.[\]"'*]+)|\."((?:[^"\\]|\\.)*)"|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[([A-Za-z_]\w*)\]/y;
  pattern.lastIndex = 1;
  while (pattern.lastIndex < path.length) {
    const offset = pattern.lastIndex;
    const match = pattern.exec(path);
    if (!match) {
      if (/\*|\.\./.test(path.slice(offset))) throw unsupported('Wildcard in a JSONPath', at);
      throw invalid(`Invalid token in JSONPath at: ${path.slice(offset)}`, at);
    }
    const [, plain, quoted, index, single, double, bare] = match;
    const name = plain ?? bare ?? (quoted ?? single ?? double)?.replaceAll(/\\(.)/g, '$1');
    steps.push(index === undefined ? name! : Number(index));
  }
  return steps;
}

/** The steps as DuckDB paths: one, unless a name cannot be quoted in a path and needs a JSON pointer of its own. */
export function duckdbPaths(steps: JsonStep[]): string[] {
  const paths: string[] = [];
  let path = '';
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`;
    else if (!/["\\*?#]/.test(step)) path += `."${step}"`;
    else {
      if (path) paths.push(`$${path}`);
      path = '';
      paths.push(`/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    }
  }
  if (path) paths.push(`$${path}`);
  return paths;
}
