import {
  type Cost,
  type CostFacts,
  type CostInput,
  calculateCost,
  cases,
  type Part,
  show,
} from './cost-model.ts';
import type { Billing } from './instance-seconds.ts';
import { formatColumns, formatNumber } from './terminal.ts';

/** The three cases beside each other, for a person; with `explain` the formulas of the likely one. */
export function describeCosts(
  input: CostInput,
  costs: readonly Cost[],
  facts: CostFacts,
  { explain }: { explain: boolean },
): string {
  const millions = input.eventsPerMonth / 1e6;
  const columns = costs.map(({ name }) => name);
  const [first] = costs;
  const perMillion = (of: (cost: Cost) => number) => costs.map((cost) => dollars(of(cost) / millions, 4));
  const perMonth = (of: (cost: Cost) => number) => costs.map((cost) => dollars(of(cost), 2));
  const usdOf = (parts: readonly Part[], name: string) => parts.find((it) => it.name === name)?.usd ?? 0;
  const requests = input.eventsPerMonth / input.batch;
  const { ingest, load } = facts.figures;
  return [
    `${formatNumber(input.eventsPerMonth)} events a month of ${input.bytes} bytes, ${input.batch} a request: `,
    `${show(requests)} requests, ${show(requests / (730 * 3600))} a second.\n`,
    `${input.billing === 'request' ? 'Request' : 'Instance'}-based billing of ingest and load; prices of ${facts.prices.on}; `,
    `CPU measured on ${ingest.on} and ${load.on} (${ingest.machine}).\n\n`,
    formatColumns(
      ['dollars per million events', ...columns],
      [
        ...(first?.parts ?? []).map(({ name }) => [name, ...perMillion(({ parts }) => usdOf(parts, name))]),
        ['at list prices', ...perMillion(({ listUsd }) => listUsd)],
        ['with what is fixed, less what is free', ...perMillion(({ dueUsd }) => dueUsd)],
      ],
      columns,
    ),
    '\n',
    formatColumns(
      ['dollars a month', ...columns],
      [
        ['at list prices', ...perMonth(({ listUsd }) => listUsd)],
        ...(first?.fixed ?? []).map(({ name }) => [
          `fixed: ${name}`,
          ...perMonth(({ fixed }) => usdOf(fixed, name)),
        ]),
        ['free each month', ...perMonth(({ freeUsd }) => -freeUsd)],
        ['to pay', ...perMonth(({ dueUsd }) => dueUsd)],
      ],
      columns,
    ),
    explain ? explainCost(costs, facts) : '',
    advise(input, costs, facts),
  ].join('');
}

function explainCost(costs: readonly Cost[], { prices }: CostFacts): string {
  const likely = costs.find(({ name }) => name === 'likely');
  const assumed = cases.map(
    ({ name, publishMs, appendMs, spread, stepMs, messageFactor }) =>
      `  ${name}: Pub/Sub acknowledges in ${publishMs} ms, BigQuery in ${appendMs} ms; time is billed in steps of ${stepMs} ms; ` +
      `${spread} ${spread === 1 ? 'instance' : 'instances'} where one would do; messages ${messageFactor} times the measured\n`,
  );
  const lines = [...(likely?.parts ?? []), ...(likely?.fixed ?? [])].flatMap(({ name, usages, usd }) => [
    `  ${name}: $${dollars(usd, 2)} a month\n`,
    ...usages.map(({ resource, amount, formula }) => {
      const { usd: each, per } = prices.prices[resource];
      return `    ${formula} = ${show(amount)} x $${each} a ${per} = $${dollars(amount * each, 2)}\n`;
    }),
  ]);
  return `\nAssumed\n${assumed.join('')}\nLikely\n${lines.join('')}`;
}

/** What the other way of billing would come to, where it is less. */
function advise(input: CostInput, costs: readonly Cost[], facts: CostFacts): string {
  const likely = costs.find(({ name }) => name === 'likely');
  const assumed = cases.find(({ name }) => name === 'likely');
  if (likely === undefined || assumed === undefined) return '';
  const other: Billing = input.billing === 'request' ? 'instance' : 'request';
  const { dueUsd } = calculateCost({ ...input, billing: other }, assumed, facts);
  if (dueUsd >= likely.dueUsd) return '';
  return `\nWith --billing ${other} it would likely be $${dollars(dueUsd, 2)} a month: infra/README.md tells how.\n`;
}

/** Dollars without the sign; -0 is 0. */
export const dollars = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
};
