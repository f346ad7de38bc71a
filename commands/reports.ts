import { CommandFailed, runCommand } from './terminal.ts';

/** Each takes what follows its name, and answers the exit code. One that is added here is in the help by its line. */
const subcommands: Readonly<Record<string, { line: string; load: () => Promise<Subcommand> }>> = {
  status: {
    line: 'status            tells of every site and channel, day by day',
    load: async () => (await import('./reports-status.ts')).statusCommand,
  },
  backfill: {
    line: 'backfill          reads days that are past, after telling what that takes',
    load: async () => (await import('./reports-backfill.ts')).backfillCommand,
  },
  explain: {
    line: 'explain SITE DATE tells why a day was read when it was, with the proof in words',
    load: async () => (await import('./reports-explain.ts')).explainCommand,
  },
  authorize: {
    line: 'authorize OWNER   lets the account of a YouTube content owner agree, and gives its credential',
    load: async () => (await import('./reports-authorize.ts')).authorizeCommand,
  },
};

type Subcommand = (args: string[]) => Promise<number>;

const help = `Reports of Google Analytics and YouTube.

Usage: npm run reports -- COMMAND [FLAGS]

${Object.values(subcommands)
  .map(({ line }) => `  ${line}`)
  .join('\n')}

npm run reports -- COMMAND --help tells its flags.
`;

async function main(): Promise<number> {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(help);
    return name === undefined ? 1 : 0;
  }
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined) throw new CommandFailed(`${name} is no command of reports.\n\n${help}`);
  const run = await subcommand.load();
  return run(args);
}

await runCommand(main);
