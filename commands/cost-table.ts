import { type CostFacts, calculateCost, cases } from './cost-model.ts';
import { dollars } from './cost-text.ts';
import type { Billing } from './instance-seconds.ts';
import { formatNumber } from './terminal.ts';

const volumes = [1e6, 1e7, 1e8, 1e9, 1e10];
const batches = [1, 20, 100];

/** What stands before the tables of docs/cost.md. */
export const headings: Readonly<Record<Billing, string>> = {
  request: '### Request-based billing',
  instance: '### Instance-based billing of ingest and load',
};

/** The rows of a table of docs/cost.md: dollars per million events of 600 bytes, likely, and low to high. */
export function tabulateCosts(billing: Billing, facts: CostFacts): string[][] {
  return volumes.map((eventsPerMonth) => [
    formatNumber(eventsPerMonth),
    ...batches.map((batch) => {
      const input = { eventsPerMonth, batch, bytes: 600, billing, monthsKept: 1, requestLogs: false };
      const [low, likely, high] = cases.map((it) => {
        const { dueUsd } = calculateCost({ ...input, concurrency: undefined }, it, facts);
        return dollars(dueUsd / (eventsPerMonth / 1e6), 3);
      });
      return `${likely} (${low} to ${high})`;
    }),
  ]);
}

/** Both tables, as Markdown. */
export function writeTables(facts: CostFacts): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return (['request', 'instance'] as const)
    .map((billing) =>
      [
        `${headings[billing]}\n\n`,
        line(['events a month', ...batches.map((batch) => `${batch} a request`)]),
        line(['---:', ...batches.map(() => '---:')]),
        ...tabulateCosts(billing, facts).map(line),
      ].join(''),
    )
    .join('\n');
}
