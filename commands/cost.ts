import { readDeployables } from '../shared/deployables.ts';
import { readFigures } from './cost-figures.ts';
import { type CostInput, calculateCost, cases } from './cost-model.ts';
import { readPrices } from './cost-prices.ts';
import { writeTables } from './cost-table.ts';
import { describeCosts } from './cost-text.ts';
import type { Billing } from './instance-seconds.ts';
import { CommandFailed, readFlags, readFormat, runCommand } from './terminal.ts';

const help = `Tells what a month of events costs in Google Cloud, by part, at Google's list prices.

Usage: npm run cost -- --events-per-month 1e9 [FLAGS]

  --events-per-month NUMBER   events that are accepted, as 1e9 or 250000000
  --batch NUMBER              events in a request of a sender, 1 to 1000                       20
  --bytes NUMBER              JSON of an event as it is sent, 100 to 32000                     600
  --billing MODE              how Cloud Run bills ingest and load: request, or instance with
                              instance_billed = ["ingest", "load"] (infra/README.md)           request
  --months NUMBER             how many months rows stay in event_log, 1 to 120                 1
  --request-logs              with a line in Cloud Logging for each request that was answered
                              with success, which infra leaves out
  --concurrency NUMBER        requests that share a billed second of an instance, 1 to 1000;
                              without it what follows from the traffic
  --table                     the tables of docs/cost.md, in place of one volume
  --explain                   also the formula of each part, with its numbers
  --format FORMAT             text or json                                                     text
  --help                      this text

Prices are those of infra/prices.json, with their day and sources; CPU and bytes are what npm run bench:ingest and
bench:load measured, in test/bench/data-path.json. docs/cost.md tells what is assumed.
`;

async function main(): Promise<number> {
  const flags = readFlags(
    process.argv.slice(2),
    {
      'events-per-month': { type: 'string' },
      batch: { type: 'string', default: '20' },
      bytes: { type: 'string', default: '600' },
      billing: { type: 'string', default: 'request' },
      months: { type: 'string', default: '1' },
      'request-logs': { type: 'boolean', default: false },
      concurrency: { type: 'string' },
      table: { type: 'boolean', default: false },
      explain: { type: 'boolean', default: false },
      format: { type: 'string', default: 'text' },
      help: { type: 'boolean', short: 'h' },
    },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format);
  const facts = { figures: readFigures(), prices: readPrices(), deployables: readDeployables() };
  if (flags.table) {
    process.stdout.write(writeTables(facts));
    return 0;
  }
  const { 'events-per-month': events, concurrency } = flags;
  if (events === undefined) throw new CommandFailed(`--events-per-month is missing: such as 1e9.\n\n${help}`);
  const input: CostInput = {
    eventsPerMonth: readNumber('events-per-month', events, 1, 1e13),
    batch: readNumber('batch', flags.batch, 1, 1000),
    bytes: readNumber('bytes', flags.bytes, 100, 32_000),
    billing: readBilling(flags.billing),
    monthsKept: readNumber('months', flags.months, 1, 120),
    requestLogs: flags['request-logs'],
    concurrency: concurrency === undefined ? undefined : readNumber('concurrency', concurrency, 1, 1000),
  };
  const costs = cases.map((it) => calculateCost(input, it, facts));
  process.stdout.write(
    format === 'json'
      ? `${JSON.stringify({ input, cases, pricesOn: facts.prices.on, costs }, null, 2)}\n`
      : describeCosts(input, costs, facts, { explain: flags.explain }),
  );
  return 0;
}

function readNumber(flag: string, text: string, least: number, most: number): number {
  const number = /^\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new CommandFailed(
    `--${flag} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`,
  );
}

function readBilling(text: string): Billing {
  if (text === 'request' || text === 'instance') return text;
  throw new CommandFailed(`--billing must be request or instance, not ${JSON.stringify(text)}.`);
}

await runCommand(main);
