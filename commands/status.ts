import { setTimeout as wait } from 'node:timers/promises';
import { localProject } from './endpoints.ts';
import { openClients } from './status-clients.ts';
import { type Clients, type ReadOptions, readParts } from './status-read.ts';
import { isReached, type Report } from './status-report.ts';
import { advise, describeReport } from './status-text.ts';
import { CommandFailed, readFlags, readFormat, runCommand, watchInterrupt } from './terminal.ts';

const help = `Tells what came along the path, what is open, and what to do about it.

Usage: npm run status [-- FLAGS]

  --hours NUMBER      how far back the counts of the path go                                   24
  --watch             tell it again every few seconds, until Ctrl-C
  --format FORMAT     text or json (one object; with --watch one per line)                     text
  --project NAME      the Google Cloud project, GOOGLE_CLOUD_PROJECT; local is npm start       local
  --dataset NAME      the BigQuery dataset, DATASET                                            tributary
  --spill-bucket NAME the bucket of spilled batches, SPILL_BUCKET                              tributary-spill where local
  --timeout SECONDS   how long each part may take; what takes longer is not told               10
  --help              this text

A project of Google's is read with the application default credentials. Exit code 1: nothing could be reached.
`;

async function main(): Promise<number> {
  const flags = readFlags(
    process.argv.slice(2),
    {
      hours: { type: 'string', default: '24' },
      watch: { type: 'boolean', default: false },
      format: { type: 'string', default: 'text' },
      project: { type: 'string' },
      dataset: { type: 'string' },
      'spill-bucket': { type: 'string' },
      timeout: { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h' },
    },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format);
  const project = flags.project ?? (process.env.GOOGLE_CLOUD_PROJECT || localProject);
  const dataset = flags.dataset ?? (process.env.DATASET || 'tributary');
  if (!/^\w{1,1024}$/.test(dataset)) {
    throw new CommandFailed(`--dataset (DATASET) must be letters, digits and underscores.`);
  }
  const options: ReadOptions = {
    project,
    dataset,
    hours: readNumber('hours', flags.hours, 720),
    withinMs: readNumber('timeout', flags.timeout, 600) * 1000,
  };
  const isLocal = project === localProject;
  const bucket =
    flags['spill-bucket'] ?? (process.env.SPILL_BUCKET || (isLocal ? 'tributary-spill' : undefined));
  const clients = openClients(project, bucket, process.env);
  try {
    return await tellStatus(clients, options, { format, watch: flags.watch });
  } finally {
    await clients.close();
  }
}

async function tellStatus(
  clients: Clients,
  options: ReadOptions,
  { format, watch }: { format: 'text' | 'json'; watch: boolean },
): Promise<number> {
  const { project, hours } = options;
  const isInterrupted = watchInterrupt();
  for (;;) {
    const report: Report = {
      project,
      at: new Date(),
      hours,
      ...(await readParts(clients, options)),
    };
    if (watch && process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J');
    process.stdout.write(
      format === 'json'
        ? `${JSON.stringify({ ...report, advice: advise(report) })}\n`
        : describeReport(report),
    );
    if (!watch) {
      if (isReached(report)) return 0;
      throw new CommandFailed(
        project === localProject
          ? 'The local cloud does not answer: start it with npm start, or name its ports (MONITORING_PORT, BIGQUERY_PORT, STORAGE_PORT).'
          : `Nothing of the project ${project} could be read: log in with gcloud auth application-default login.`,
      );
    }
    for (let waited = 0; waited < watchEveryMs; waited += 100) {
      if (isInterrupted()) return 0;
      await wait(100);
    }
  }
}

const watchEveryMs = 2_000;

function readNumber(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new CommandFailed(`--${flag} must be a whole number from 1 to ${most}, not ${JSON.stringify(text)}.`);
}

await runCommand(main);
