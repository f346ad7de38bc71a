import { readFileSync } from 'node:fs';
import { isCollection, isPair, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { CommandFailed } from './terminal.ts';

/** A request as it stands in a file, and where in it each part stands. */
export interface RequestFile {
  readonly request: unknown;
  /** `requests.yaml:12` for `changes[3].roles`; the nearest place that exists. */
  locate(part: string): string;
}

/** Reads a request in YAML or JSON, which is YAML too; `-` is the standard input. Throws CommandFailed with the line of a mistake. */
export function readRequestFile(path: string): RequestFile {
  const text = readText(path);
  const name = path === '-' ? 'standard input' : path;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    const described = document.errors.map(
      ({ pos, message }) => `${name}:${lines.linePos(pos[0]).line}: ${message.split('\n')[0]}`,
    );
    throw new CommandFailed(described.join('\n'));
  }
  return {
    request: withoutSchema(document.toJS()),
    locate(part) {
      let node: ParsedNode | null = document.contents;
      let offset = node?.range[0] ?? 0;
      for (const step of stepsOf(part)) {
        if (node === null || !isCollection(node)) break;
        const pair = node.items.find((item) => isPair(item) && String(item.key) === step);
        const key = pair !== undefined && isPair(pair) ? pair.key : undefined;
        const next: unknown = node.get(step, true);
        const at = startOf(key) ?? startOf(next);
        if (at === undefined) break;
        offset = at;
        node = isCollection(next) ? (next as ParsedNode) : null;
      }
      return `${name}:${lines.linePos(offset).line}`;
    },
  };
}

/** `$schema` is for editors. */
function withoutSchema(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return request;
  return Object.fromEntries(Object.entries(request).filter(([key]) => key !== '$schema'));
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    throw new CommandFailed(`${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** `changes[3].roles[0]` as its steps. */
const stepsOf = (part: string): (string | number)[] =>
  [...part.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, place, key]) =>
    place === undefined ? String(key) : Number(place),
  );

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  return Array.isArray(node.range) ? Number(node.range[0]) : undefined;
}
