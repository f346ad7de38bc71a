import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type RequestFile, readRequestFile } from './access-file.ts';
import {
  createPaint,
  describeSeconds,
  formatList,
  formatOutcome,
  formatPlan,
  listAnswer,
  outcomeAnswer,
  type PlanAnswer,
  planAnswer,
} from './access-text.ts';
import {
  type AskFunction,
  clientEnvironment,
  createAskFunction,
  describeRefusal,
  localProject,
  readLocalPorts,
} from './endpoints.ts';
import { CommandFailed, createProgress, formatColumns, readFormat, runCommand } from './terminal.ts';

const help = `Changes who has access to Google Analytics: shows what would be done, asks, and does it as a whole.

Usage: npm run access -- plan FILE          what a request would change; changes nothing
       npm run access -- apply FILE         the same, then asks, then does it
       npm run access -- list ACCOUNT       everybody with a binding on the account or a property of it
       npm run access -- remove USER        takes every binding of a user, in all accounts or in --account
       npm run access -- drift              what was changed by others, between the snapshots of the warehouse

  --account ACCOUNT   with remove: accounts/N, may be given several times
  --share NUMBER      with remove: the share of an account's bindings that may go, 0 to 1
  --yes               do not ask
  --plan-hash HASH    do not ask, and apply this plan or none
  --request-id ID     goes on with a request that was interrupted
  --format FORMAT     text or json                          text on a terminal, else json
  --project PROJECT   with drift: a project in Google Cloud, with --dataset     the local cloud
  --url URL           the function permissions, PERMISSIONS_URL                 the local cloud's
  --help              this text

FILE is a request in YAML or JSON (docs/access.md, infra/access-request.schema.json), - the standard input.
Exit code 1 where nothing or not everything was done.
`;

/** Below what a connection lasts without a word; the function goes on with the next call. */
const callSeconds = 200;
const busyWaitMs = 5_000;

async function main(): Promise<number> {
  const { values: flags, positionals } = readArguments(process.argv.slice(2));
  const [what, subject, ...more] = positionals;
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format ?? (process.stdout.isTTY ? 'text' : 'json'));
  const paint = createPaint(Boolean(process.stdout.isTTY) && !process.env.NO_COLOR);
  const write = (answer: unknown, text: () => string) =>
    process.stdout.write(format === 'json' ? `${JSON.stringify(answer)}\n` : text());
  if (what === 'drift' && subject === undefined) return drift(flags, write);
  if (what === undefined || subject === undefined || more.length > 0) throw new CommandFailed(help);

  const url = readUrl(flags.url);
  const ask = createAskFunction(url, process.env, 300_000);
  if (what === 'list') {
    const account = /^\d+$/.test(subject) ? `accounts/${subject}` : subject;
    const answer = listAnswer.parse(await expectOk(ask, '/list', { account }, url));
    write(answer, () => formatList(answer));
    return 0;
  }
  const file = what === 'remove' ? removalOf(subject, flags) : readIfFile(what, subject);
  const plan = planAnswer.parse(await expectOk(ask, '/plan', { request: file.request }, url, file));
  if (what === 'plan') {
    write(plan, () => formatPlan(plan, paint));
    return 0;
  }
  if (format === 'text') process.stdout.write(formatPlan(plan, paint));
  const planHash = flags['plan-hash'] ?? plan.planHash;
  if (plan.counts.writes === 0 && flags['request-id'] === undefined) {
    if (format === 'json') process.stdout.write(`${JSON.stringify(plan)}\n`);
    return 0;
  }
  if (!flags.yes && flags['plan-hash'] === undefined && !(await confirm(plan))) return 1;
  const requestId = flags['request-id'] ?? randomUUID();
  const outcome = await applyAll({ request: file.request, planHash, requestId }, plan, { ask, url, file });
  write(outcome, () => formatOutcome(outcome, paint));
  return outcome.kind === 'committed' ? 0 : 1;
}

interface Asking {
  readonly ask: AskFunction;
  readonly url: string;
  readonly file: RequestFile;
}

/** Calls until the request has ended, and tells how far it is. */
async function applyAll(
  call: { readonly request: unknown; readonly planHash: string; readonly requestId: string },
  plan: PlanAnswer,
  { ask, url, file }: Asking,
) {
  const progress = createProgress();
  const startedAt = Date.now();
  progress.show(`applying plan ${call.planHash.slice(0, 8)} as request ${call.requestId}`);
  const tell = async () => {
    const answer = await ask('/progress', { requestId: call.requestId });
    const far = progressAnswer.safeParse(answer.body);
    if (!far.success || far.data.done === 0) return;
    const { done, undone } = far.data;
    const left = ((Date.now() - startedAt) / 1_000 / done) * (plan.counts.writes - done);
    progress.show(
      undone > 0
        ? `bringing back what was before, ${undone} of ${done} calls`
        : `${done} of ${plan.counts.writes} calls, about ${describeSeconds(left)} left`,
    );
  };
  const timer = setInterval(() => void tell().catch(() => undefined), 2_000);
  try {
    for (;;) {
      const answer = await ask('/apply', { ...call, withinSeconds: callSeconds });
      if (answer.status === 200) return outcomeAnswer.parse(answer.body);
      const isBusy = answer.status === 409 && refusal.safeParse(answer.body).data?.error.code === 'busy';
      if (answer.status !== 202 && answer.status !== 503 && !isBusy) throw refused(answer, url, file);
      if (answer.status === 202) continue;
      if (Date.now() - startedAt > 3_600_000) throw refused(answer, url, file);
      progress.show(`${describeRefusal(url, answer)} Trying again.`);
      await new Promise((resolve) => setTimeout(resolve, busyWaitMs));
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(
      `${message}\nThe same command with --request-id ${call.requestId} --plan-hash ${call.planHash} goes on with it.`,
      { cause: error },
    );
  } finally {
    clearInterval(timer);
    progress.end();
  }
}

async function confirm(plan: PlanAnswer): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandFailed(
      `Nothing was changed: nobody can be asked here. --plan-hash ${plan.planHash} applies this plan.`,
    );
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`Apply plan ${plan.planHash.slice(0, 12)}? Only "yes" does: `);
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    reader.close();
  }
}

async function expectOk(ask: AskFunction, path: string, body: object, url: string, file?: RequestFile) {
  const answer = await ask(path, body);
  if (answer.status === 200) return answer.body;
  throw refused(answer, url, file);
}

const refusal = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    problems: z.array(z.object({ line: z.string(), reason: z.string() })).optional(),
    moved: z
      .array(
        z.object({
          parent: z.string(),
          user: z.string(),
          was: z.array(z.string()).nullable(),
          is: z.array(z.string()).nullable(),
        }),
      )
      .optional(),
  }),
});

/** What was refused, with the lines of the file that are wrong, or what has moved since the plan. */
function refused(answer: { status: number; body: unknown }, url: string, file?: RequestFile): CommandFailed {
  const { data } = refusal.safeParse(answer.body);
  const { problems, moved, message = '' } = data?.error ?? {};
  if (problems !== undefined && file !== undefined) {
    const lines = problems.map(
      ({ line, reason }) => `${file.locate(line)}: ${line === '' ? '' : `${line}: `}${reason}`,
    );
    return new CommandFailed(lines.join('\n'));
  }
  if (moved !== undefined) {
    const of = (roles: readonly string[] | null) => roles?.join(' + ') ?? 'nothing';
    const lines = moved.map(
      ({ parent, user, was, is }) => `  ${parent}  ${user}: was ${of(was)}, is ${of(is)}`,
    );
    return new CommandFailed([message, ...lines].join('\n'));
  }
  return new CommandFailed(describeRefusal(url, answer));
}

const progressAnswer = z.looseObject({ done: z.number(), undone: z.number() });

type Flags = ReturnType<typeof readArguments>['values'];

function readIfFile(what: string, path: string): RequestFile {
  if (what !== 'plan' && what !== 'apply') throw new CommandFailed(help);
  return readRequestFile(path);
}

function removalOf(user: string, flags: Flags): RequestFile {
  const share = flags.share === undefined ? undefined : Number(flags.share);
  if (share !== undefined && !(share >= 0 && share <= 1))
    throw new CommandFailed('--share must be a number from 0 to 1.');
  const change = { op: 'revokeEverywhere', user, ...(flags.account && { on: flags.account }) };
  const guards = share === undefined ? {} : { guards: { maximumShareOfRemovals: share } };
  return { request: { changes: [change], ...guards }, locate: () => `remove ${user}` };
}

async function drift(flags: Flags, write: (answer: unknown, text: () => string) => void): Promise<number> {
  const project = flags.project ?? localProject;
  const dataset = flags.dataset ?? 'tributary';
  if (!/^\w+$/.test(dataset)) throw new CommandFailed('--dataset must be letters, digits and underscores.');
  // Only here: it takes longer to load than all else.
  const { createBigQuery } = await import('../shared/google/bigquery.ts');
  const bigquery = createBigQuery(project, clientEnvironment(project, process.env));
  const columns = ['seen_at', 'resource', 'user_email', 'before_roles', 'after_roles'];
  const sql = readFileSync(new URL('access-drift.sql', import.meta.url), 'utf8');
  const [rows] = await bigquery.query({ query: sql.replaceAll('`tributary.', `\`${dataset}.`) });
  write(rows, () =>
    rows.length === 0
      ? 'Nothing was changed but by permissions.\n'
      : formatColumns(
          columns,
          rows.map((row) => columns.map((column) => String(row[column] ?? 'nothing'))),
          [],
        ),
  );
  return 0;
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        account: { type: 'string', multiple: true },
        share: text,
        yes: { type: 'boolean', default: false },
        'plan-hash': text,
        'request-id': text,
        format: text,
        project: text,
        dataset: text,
        url: text,
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CommandFailed(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}

function readUrl(flag: string | undefined): string {
  const url =
    flag ?? (process.env.PERMISSIONS_URL || `http://127.0.0.1:${readLocalPorts(process.env).permissions}`);
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new CommandFailed(`--url (PERMISSIONS_URL) must be a URL, not ${JSON.stringify(url)}.`);
}

await runCommand(main);
