import { type ParseArgsConfig, parseArgs } from 'node:util';
import { z } from 'zod';

/** Columns of text with two spaces between; `numeric` ones are aligned to the right. */
export function formatColumns(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly string[],
): string {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        numeric.includes(header[column] ?? '')
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return `${[header, ...rows].map(line).join('\n')}\n`;
}

/** One line on the standard error that tells how far things are: written over on a terminal, one after the other elsewhere. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr) {
  let isShown = false;
  return {
    show(text: string): void {
      stream.write(stream.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
      isShown = true;
    },
    /** Ends the line before something else is written. */
    end(): void {
      if (isShown && stream.isTTY) stream.write('\n');
      isShown = false;
    },
  };
}

export type Progress = ReturnType<typeof createProgress>;

/** npm passes Ctrl-C on to a script that the terminal has told already: what comes so soon is the same press. */
const samePressMs = 500;

/** Whether somebody asked to stop. The first Ctrl-C asks, the next ends the process at once. */
export function watchInterrupt(): () => boolean {
  let asked: number | undefined;
  const ask = () => {
    if (asked !== undefined && Date.now() - asked > samePressMs) process.exit(130);
    asked ??= Date.now();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, ask);
  return () => asked !== undefined;
}

/** What the process was asked to do before it was interrupted, as shells expect it. */
export const exitInterrupted = 130;

export const formatNumber = (value: number): string => value.toLocaleString('en-US');

/** A mistake of the caller or a failure outside: its message is for the terminal, without a stack. */
export class CommandFailed extends Error {}

/** Reads flags; throws CommandFailed with the help where one is unknown. */
export function readFlags<Config extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Config,
  help: string,
) {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    throw new CommandFailed(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}

/** A flag that is a whole number, at least 1; undefined where it is not given. */
export function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw new CommandFailed(`--limit must be a whole number from 1, not ${JSON.stringify(text)}.`);
}

export function readFormat(text: string): 'text' | 'json' {
  if (text === 'text' || text === 'json') return text;
  throw new CommandFailed(`--format must be text or json, not ${JSON.stringify(text)}.`);
}

/** What is told of a command that failed. Only the answers of functions are parsed by schemas that throw. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  const where = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return `The function answered what this command does not know; is it of another version? Build or deploy it anew. (${where})`;
}

/** Runs a command: its exit code is the process's, and what fails is told on the standard error with exit code 1. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has gone, as `| head` does.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${describeFailure(error).trimEnd()}\n`);
    process.exitCode = 1;
  }
  // A connection that is never answered must not keep the process.
  setTimeout(() => process.exit(), 2_000).unref();
}
