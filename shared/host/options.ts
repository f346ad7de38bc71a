import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export type Options = { port: number; host: string; target: string; source: string };

export type ParsedOptions =
  | { kind: 'options'; options: Options }
  | { kind: 'help'; text: string }
  | { kind: 'invalid'; message: string };

/** Reads flags, then environment variables, then defaults, as the framework does. Relative sources start at `cwd`. */
export function parseOptions(
  flags: string[],
  environment: Record<string, string | undefined>,
  cwd: string,
): ParsedOptions {
  const parsed = readFlags(flags);
  if (parsed.kind === 'invalid') return parsed;
  const { values } = parsed;
  if (values.help) return { kind: 'help', text: HELP };

  const port = values.port ?? environment.PORT ?? '8080';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    return invalid(
      `PORT must be a whole number from 0 (any free port) to 65535, not ${JSON.stringify(port)}.`,
    );
  }
  const target = values.target ?? environment.FUNCTION_TARGET ?? '';
  const signature = values['signature-type'] ?? environment.FUNCTION_SIGNATURE_TYPE ?? 'http';
  if (signature !== 'http') {
    return invalid(
      `FUNCTION_SIGNATURE_TYPE must be "http", not ${JSON.stringify(signature)}: this host serves plain HTTP only.`,
    );
  }
  const host = environment.HOST || '0.0.0.0';
  const source = resolve(cwd, values.source ?? environment.FUNCTION_SOURCE ?? '.');
  return { kind: 'options', options: { port: Number(port), host, target, source } };
}

const HELP = `Serves one function over HTTP.

Usage: functions-framework [--target NAME] [--port NUMBER] [--source PATH]

  --target NAME    the registered function to serve    FUNCTION_TARGET   required
  --port NUMBER    the port, 0 for any free one        PORT              8080
  --source PATH    a module, or a folder whose         FUNCTION_SOURCE   the working folder
                   package.json names it in "main"
  --help           this text

HOST is the address to listen on, 0.0.0.0 unless set. A flag wins over its variable.
`;

type Flags = ReturnType<typeof parseFlags>['values'];

function parseFlags(flags: string[]) {
  return parseArgs({
    args: flags,
    options: {
      port: { type: 'string' },
      target: { type: 'string' },
      source: { type: 'string' },
      'signature-type': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function readFlags(flags: string[]): { kind: 'flags'; values: Flags } | { kind: 'invalid'; message: string } {
  try {
    return { kind: 'flags', values: parseFlags(flags).values };
  } catch (error) {
    return invalid(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

function invalid(message: string): { kind: 'invalid'; message: string } {
  return { kind: 'invalid', message };
}
