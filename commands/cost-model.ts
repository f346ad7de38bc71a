import type { Deployable } from '../shared/deployables.ts';
import type { Figures } from './cost-figures.ts';
import type { Prices, Resource } from './cost-prices.ts';
import { type Billing, describeInstances, instanceSeconds } from './instance-seconds.ts';
import { interpolateSizes } from './interpolate-sizes.ts';
import { runsPerMonth } from './runs-per-month.ts';

export interface CostInput {
  eventsPerMonth: number;
  /** Events in a request of a sender, and so in a message. */
  batch: number;
  /** JSON of an event, as it is sent. */
  bytes: number;
  /** How Cloud Run bills ingest and load. */
  billing: Billing;
  /** How many months the rows stay in event_log. */
  monthsKept: number;
  /** Whether Cloud Logging keeps a line of each request that was answered with success. */
  requestLogs: boolean;
  /** Requests that share a billed second of an instance; undefined where it follows from the traffic. */
  concurrency: number | undefined;
}

/** What is not known before there is a bill. */
export interface CostCase {
  readonly name: 'low' | 'likely' | 'high';
  /** Until Pub/Sub acknowledges, and BigQuery. */
  readonly publishMs: number;
  readonly appendMs: number;
  /** How many instances Cloud Run has for one that would do. */
  readonly spread: number;
  /** In what steps it bills the time that an instance works: the page says 100, and not whether each time it works. */
  readonly stepMs: number;
  /** How much larger messages are than measured: real events compress otherwise than the measured ones. */
  readonly messageFactor: number;
}

export const cases: readonly CostCase[] = [
  { name: 'low', publishMs: 10, appendMs: 30, spread: 1, stepMs: 1, messageFactor: 1 },
  { name: 'likely', publishMs: 25, appendMs: 60, spread: 1, stepMs: 100, messageFactor: 1 },
  { name: 'high', publishMs: 60, appendMs: 150, spread: 2, stepMs: 100, messageFactor: 2 },
];

/** So much of a resource in a month, and how that comes about. */
export interface Usage {
  readonly resource: Resource;
  readonly amount: number;
  readonly formula: string;
}

export interface Part {
  readonly name: string;
  readonly usages: readonly Usage[];
  /** Dollars a month, at list prices. */
  readonly usd: number;
}

export interface Cost {
  readonly name: CostCase['name'];
  /** What grows with the events. */
  readonly parts: readonly Part[];
  /** What is due without any event too. */
  readonly fixed: readonly Part[];
  /** Dollars a month: the parts at list prices, what of all is free, and what is left to pay with what is fixed. */
  readonly listUsd: number;
  readonly freeUsd: number;
  readonly dueUsd: number;
}

export interface CostFacts {
  readonly figures: Figures;
  readonly prices: Prices;
  readonly deployables: readonly Deployable[];
}

const gibibyte = 2 ** 30;
const tebibyte = 2 ** 40;
/** Of a message beside its data and attributes: 20 bytes of time, and its id (cloud.google.com/pubsub/pricing). */
const messageFrame = 20 + 17;
/** Pub/Sub bills so much of each publish and each push. */
const leastMessage = 1000;
/** A line of Cloud Run's request log. Not measured: there is none on a laptop. */
const requestLogBytes = 1000;
/** Months after which a partition that does not change is long-term storage. */
const activeMonths = 3;
/** A query is billed for as much of each table that it reads, at least: cloud.google.com/bigquery/pricing. */
const leastQuery = 10 * 2 ** 20;
/** Queries of a tick of fold that found something: functions/fold/README.md. */
const queriesPerFold = 12;

/** What a month of events costs in one case. Pure: all that it knows is given. */
export function calculateCost(input: CostInput, assumed: CostCase, facts: CostFacts): Cost {
  const { eventsPerMonth, batch, bytes } = input;
  const requests = eventsPerMonth / batch;
  const sizes = measureSizes(facts.figures, batch, bytes);
  const message = sizes.messageBytes * assumed.messageFactor + sizes.attributeBytes + messageFrame;
  const billed = Math.max(leastMessage, message);
  const stored = (eventsPerMonth * sizes.rowBytes) / gibibyte;
  const storedFormula = `${show(eventsPerMonth)} rows x ${show(sizes.rowBytes)} B`;
  const part = (name: string, usages: readonly Usage[]) => pricePart(name, usages, facts.prices);
  const compute = (name: string, waitMs: number, cpuMicros: number) =>
    useFunction(input, assumed, findDeployable(facts, name), { requests, waitMs, cpuMicros });
  const active = Math.min(input.monthsKept, activeMonths);
  const longTerm = input.monthsKept - active;

  const parts = [
    part('ingest', [
      ...compute('ingest', assumed.publishMs, sizes.ingestMicros),
      {
        resource: 'internet',
        amount: (requests * sizes.answerBytes) / gibibyte,
        formula: `${show(requests)} answers x ${show(sizes.answerBytes)} B`,
      },
    ]),
    part('Pub/Sub', [
      {
        resource: 'pubsub',
        amount: (2 * requests * billed) / tebibyte,
        formula: `(publish + push) x ${show(requests)} messages x max(1,000 B, ${show(message)} B)`,
      },
    ]),
    part('load', compute('load', assumed.appendMs, sizes.loadMicros)),
    part('BigQuery write', [{ resource: 'write', amount: stored, formula: storedFormula }]),
    part('storage', [
      {
        resource: 'activeStorage',
        amount: stored * active,
        formula: `${storedFormula} x ${active} ${active === 1 ? 'month' : 'months'}`,
      },
      ...(longTerm === 0
        ? []
        : [
            {
              resource: 'longTermStorage',
              amount: stored * longTerm,
              formula: `${storedFormula} x ${longTerm} ${longTerm === 1 ? 'month' : 'months'}`,
            } as const,
          ]),
    ]),
    ...(input.requestLogs
      ? [
          part('request logs', [
            {
              resource: 'logs',
              amount: (2 * requests * requestLogBytes) / gibibyte,
              formula: `(requests + pushes) x ${show(requests)} x ${show(requestLogBytes)} B`,
            },
          ]),
        ]
      : []),
  ];
  const fixed = fixedParts(facts);
  const listUsd = sum(parts);
  const freeUsd = freeOf([...parts, ...fixed], facts.prices);
  return { name: assumed.name, parts, fixed, listUsd, freeUsd, dueUsd: listUsd + sum(fixed) - freeUsd };
}

/** The measured figures at a size that need not be one of the measured, as interpolate-sizes.ts says. */
export function measureSizes({ ingest, load }: Figures, events: number, eventBytes: number) {
  const at = <Point extends { eventBytes: number }>(
    points: readonly Point[],
    count: (point: Point) => number,
    value: (point: Point) => number,
  ) =>
    interpolateSizes(
      points.map((it) => ({ events: count(it), eventBytes: it.eventBytes, value: value(it) })),
      events,
      eventBytes,
    );
  const ofRequest = (value: (point: Figures['ingest']['points'][number]) => number) =>
    at(ingest.points, (it) => it.events, value);
  return {
    ingestMicros: ofRequest((it) => it.cpuMicros),
    loadMicros: at(
      load.points,
      (it) => it.rows,
      (it) => it.cpuMicros,
    ),
    messageBytes: ofRequest((it) => it.messageBytes),
    attributeBytes: ofRequest((it) => it.attributeBytes),
    answerBytes: ofRequest((it) => it.answerBytes),
    rowBytes: ofRequest((it) => it.rowBytes * it.events) / events,
  };
}

function useFunction(
  { billing, concurrency }: CostInput,
  { spread, stepMs }: CostCase,
  { cpu, memory, concurrency: limit }: Deployable,
  { requests, waitMs, cpuMicros }: { requests: number; waitMs: number; cpuMicros: number },
): Usage[] {
  const load = { requests, waitMs, cpuMicros, cpu, limit, spread, stepMs, billing, concurrency };
  const seconds = instanceSeconds(load);
  const formula = describeInstances(load);
  const isRequest = billing === 'request';
  return [
    {
      resource: isRequest ? 'requestCpu' : 'instanceCpu',
      amount: seconds * cpu,
      formula: `${formula} x ${cpu} vCPU`,
    },
    {
      resource: isRequest ? 'requestMemory' : 'instanceMemory',
      amount: seconds * gibibytes(memory),
      formula: `the same x ${gibibytes(memory)} GiB`,
    },
    ...(isRequest ? [{ resource: 'requests', amount: requests, formula: 'one each' } as const] : []),
  ];
}

/** How long a run of a job takes, estimated: nothing of it was measured in a cloud. */
const secondsOfJobs: Readonly<Record<string, number>> = {
  'replay-drain': 0.3,
  fold: 5,
  'permissions-snapshot': 60,
  'permissions-resume': 0.5,
  'reports-poll': 30,
};

function fixedParts({ deployables, prices }: CostFacts): Part[] {
  const jobs = deployables.flatMap((it) =>
    it.trigger === 'http'
      ? it.schedules.map((job) => ({ ...job, of: it, runs: runsPerMonth(job.cron) }))
      : [],
  );
  const folds = jobs.find(({ name }) => name === 'fold')?.runs ?? 0;
  return [
    pricePart(
      'Scheduler',
      [{ resource: 'job', amount: jobs.length, formula: jobs.map(({ name }) => name).join(', ') }],
      prices,
    ),
    pricePart(
      'scheduled functions',
      jobs.flatMap(({ name, of, runs }): Usage[] => {
        const seconds = runs * (secondsOfJobs[name] ?? 10);
        const formula = `${name}: ${show(runs)} runs x ${secondsOfJobs[name] ?? 10} s`;
        return [
          { resource: 'requestCpu', amount: seconds * of.cpu, formula: `${formula} x ${of.cpu} vCPU` },
          {
            resource: 'requestMemory',
            amount: seconds * gibibytes(of.memory),
            formula: `${formula} x ${gibibytes(of.memory)} GiB`,
          },
          { resource: 'requests', amount: runs, formula: `${name}: one each` },
        ];
      }),
      prices,
    ),
    pricePart(
      "fold's queries",
      [
        {
          resource: 'query',
          amount: (folds * queriesPerFold * leastQuery) / tebibyte,
          formula: `${show(folds)} ticks x ${queriesPerFold} queries x 10 MiB, the least that is billed`,
        },
      ],
      prices,
    ),
  ];
}

function pricePart(name: string, usages: readonly Usage[], { prices }: Prices): Part {
  return { name, usages, usd: usages.reduce((total, it) => total + it.amount * prices[it.resource].usd, 0) };
}

function freeOf(parts: readonly Part[], { prices }: Prices): number {
  const used = new Map<Resource, number>();
  for (const { resource, amount } of parts.flatMap(({ usages }) => usages))
    used.set(resource, (used.get(resource) ?? 0) + amount);
  return [...used].reduce(
    (total, [resource, amount]) => total + Math.min(amount, prices[resource].free) * prices[resource].usd,
    0,
  );
}

function findDeployable({ deployables }: CostFacts, name: string): Deployable {
  const found = deployables.find((it) => it.name === name);
  if (found === undefined) throw new Error(`infra/functions.json has no function ${name}.`);
  return found;
}

const sum = (parts: readonly Part[]): number => parts.reduce((total, { usd }) => total + usd, 0);

const gibibytes = (memory: string): number =>
  Number.parseInt(memory, 10) / (memory.endsWith('Gi') ? 1 : 1024);

/** A number as a formula shows it: three digits at least, and no more after the point than it needs. */
export const show = (value: number): string =>
  value.toLocaleString(
    'en-US',
    value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
